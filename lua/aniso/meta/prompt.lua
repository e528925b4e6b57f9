---@meta _
-- Globals at the prompt.

---@type aniso
aniso = {}

---Prints what is written about a function, method, class, value or option:
---help "schedule.lambda", help(aniso.schedule), help(s.q_sample), help(s).
---@param what any a name or a value; nothing lists what there is
function help(what) end
