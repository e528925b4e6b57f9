---@meta _
-- Globals at the prompt.

---@type aniso
aniso = {}

---The run database that --db names, or runs.db here, opened for reading. Without one the name is
---an error that says so.
---@type aniso.RunDatabase
runs = nil

---Prints what is written about a function, method, class, value or option:
---help "schedule.lambda", help(aniso.schedule), help(s.q_sample), help(s).
---@param what any a name or a value; nothing lists what there is
function help(what) end
