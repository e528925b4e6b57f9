-- The names and the values of the options in the table argument of a function, from the annotations.
local annotations = require "aniso.prompt.help.annotations"
local manual = require "aniso.prompt.help.manual"

local option_names = {}

-- The types of the option `key` in the classes.
local function types_of(all, classes, key)
  local out = {}
  for _, class in ipairs(classes) do
    local member = annotations.members(all, class.name)[key]
    if member and member.kind == "field" then out[#out + 1] = member.type end
  end
  return out
end

-- The classes of the table at `keys` in the first argument of a call.
local function classes_at(all, called, keys)
  local classes = manual.first_argument(all, called)
  for _, key in ipairs(keys) do
    local inner = {}
    for _, type in ipairs(types_of(all, classes, key)) do
      local found = manual.classes_of(all, type)
      table.move(found, 1, #found, #inner + 1, inner)
    end
    classes = inner
  end
  return classes
end

-- values_of(aniso.study, {"base", "schedule"}, "lambda") → the strings that the option may be: literals of
-- its type, and the kinds of a table given instead. The key 1 is the kind of the table itself.
function option_names.values_of(called, keys, key)
  local all, out = annotations.load(), {}
  for _, type in ipairs(types_of(all, classes_at(all, called, keys), key)) do
    local types = types_of(all, manual.classes_of(all, type), 1)
    types[#types + 1] = table.concat(annotations.parts(all, type), "|")
    for _, one in ipairs(types) do
      for word in one:gmatch '"([^"]*)"' do out[#out + 1] = word end
    end
  end
  return out
end

-- options_of(aniso.study, {"base", "train"}) → the names of the options that a table there may contain.
function option_names.options_of(called, keys)
  local all, out, seen = annotations.load(), {}, {}
  for _, class in ipairs(classes_at(all, called, keys)) do
    for _, member in ipairs(annotations.list(all, class.name)) do
      if member.kind == "field" and type(member.name) == "string" and not seen[member.name] then
        seen[member.name], out[#out + 1] = true, member.name
      end
    end
  end
  return out
end

-- Every option of a configuration by its path, such as train.lr_scale.backbone: those of all kinds.
function option_names.paths()
  local all, out, seen, inside = annotations.load(), {}, {}, {}
  local function add(class, before)
    if inside[class] then return end
    inside[class] = true
    for _, member in ipairs(annotations.list(all, class.name)) do
      if member.kind == "field" and type(member.name) == "string" then
        local path = before .. member.name
        if not seen[path] then seen[path], out[#out + 1] = true, path end
        for _, inner in ipairs(manual.classes_of(all, member.type)) do add(inner, path .. ".") end
      end
    end
    inside[class] = nil
  end
  add(all.classes["aniso.Config"], "")
  return out
end

return option_names
