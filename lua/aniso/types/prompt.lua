---@meta _
-- Globals at the prompt.

---@type aniso
aniso = {}

---The run database that --db names, or runs.db here, opened for reading. Without one the name is
---an error with the remedy.
---@type aniso.RunDatabase
runs = nil

---Prints the documentation of a function, method, class, value or option:
---help "schedule.lambda", help(aniso.schedule), help(s.noised), help(s).
---@param what any a name or a value; nothing lists what there is
function help(what) end
