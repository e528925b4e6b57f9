-- Makes undeclared names errors: a misspelt name is found where it is used.
local strict = {}

local function name_of(key)
  return type(key) == "string" and key or tostring(key)
end

-- lock(env) guards a table of globals. Names already in it stay usable; rawset declares another.
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

-- A metatable for objects of a class: `fields`, name → what it holds, are the only names that can be
-- set; an unset field is nil, and reading any name other than a field or a method is an error.
function strict.class(name, fields, methods)
  local function raise(key)
    error(("a %s has no field or method %s"):format(name, name_of(key)), 3)
  end
  return {
    __name = name,
    __index = function(_, key)
      local method = methods[key]
      if method == nil and fields[key] == nil then raise(key) end
      return method
    end,
    __newindex = function(object, key, value)
      if fields[key] == nil then raise(key) end
      rawset(object, key, value)
    end,
  }
end

return strict
