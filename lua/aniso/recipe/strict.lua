-- Strict globals: reading or writing an undeclared name is an error, so that a
-- misspelt local is found at once. lock(env) guards a table; the names in it stay usable,
-- and rawset declares another.
local strict = {}

local function name_of(key)
  return type(key) == "string" and key or tostring(key)
end

function strict.lock(env)
  return setmetatable(env, {
    __index = function(_, key)
      error(("undeclared variable %s"):format(name_of(key)), 2)
    end,
    __newindex = function(_, key)
      error(("%s is assigned but not declared: write local %s"):format(name_of(key), name_of(key)), 2)
    end,
  })
end

return strict
