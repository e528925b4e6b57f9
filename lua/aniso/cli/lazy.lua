-- A module that is loaded when something of it is first used: aniso help loads every command for its summary,
-- and would load the whole trainer with it.
--   local worker = lazy "aniso.cli.worker"
return function(name)
  return setmetatable({}, { __index = function(_, key) return require(name)[key] end })
end
