---@meta _
-- Globals at the prompt.

---@type aniso
aniso = {}

---The run database that --db names, or runs.db in the current folder, opened for reading. Without one, using
---the name is an error that shows the remedy.
---@type aniso.RunDatabase
runs = nil

---Prints the documentation of a function, method, class, value or option:
---help "schedule.lambda", help(aniso.schedule), help(s.noised), help(s).
---@param what any a name or a value; without it, lists what there is
function help(what) end
