-- A module that is loaded when one of its fields is first used: aniso help loads every command for its
-- summary and would otherwise load the whole trainer.
--   local worker = lazy "aniso.cli.worker"
return function(name)
  return setmetatable({}, { __index = function(_, key) return require(name)[key] end })
end
