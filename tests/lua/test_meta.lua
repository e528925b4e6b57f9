-- The annotations in lua/aniso/types describe exactly what the program has. Methods, functions and
-- options are compared in both directions; where they differ, the message names them.
local lu = require "luaunit"
local aniso = require "aniso"
local annotations = require "aniso.prompt.help.annotations"
local config = require "aniso.method.config"
local manual = require "aniso.prompt.help.manual"
local options = require "aniso.recipe.options"

local all = annotations.load()

local function differences(where, documented, real)
  local out = {}
  for name in pairs(real) do
    if not documented[name] then out[#out + 1] = ("%s.%s is not documented"):format(where, name) end
  end
  for name in pairs(documented) do
    if not real[name] then out[#out + 1] = ("%s.%s is documented, but is not there"):format(where, name) end
  end
  table.sort(out)
  return out
end

local function same(where, documented, real)
  lu.assertEquals(differences(where, documented, real), {})
end

local function documented(class, kind)
  local out = {}
  for name, member in pairs(annotations.members(all, class)) do
    if not kind or (member.kind == "field") == (kind == "field") then out[name] = true end
  end
  return out
end

local function keys(map, into)
  local out = into or {}
  for key in pairs(map) do
    if type(key) == "string" and not key:find "^__" then out[key] = true end
  end
  return out
end

local T = {}

function T.test_methods_that_c_and_lua_register()
  local count, faults = 0, {}
  for name, methods in pairs(manual.methods()) do
    local functions = {}
    for key, value in pairs(methods) do functions[key] = type(value) == "function" or nil end
    lu.assertNotNil(all.classes[name], name .. " has methods, but no annotations")
    for _, fault in ipairs(differences(name, documented(name, "function"), keys(functions))) do
      faults[#faults + 1] = fault
    end
    count = count + 1
  end
  lu.assertEquals(faults, {})
  lu.assertTrue(count >= 13, "only " .. count .. " classes were found")
end

function T.test_operators()
  for name in pairs(manual.methods()) do
    local meta, real = debug.getregistry()[name] or {}, {}
    for key in pairs(meta) do real[key:match "^__(.*)" or key] = true end
    for _, operator in ipairs { "add", "sub", "mul", "div", "unm" } do
      lu.assertEquals(all.classes[name].operators[operator] ~= nil, real[operator] == true,
        name .. " " .. operator)
    end
    lu.assertEquals(#all.classes[name].overloads > 0, real.call == true, name .. " called")
  end
end

-- The keys that the __index function of a class compares with, in its C source.
function T.test_fields_that_c_provides()
  local files = { Tensor = "tensor", Schedule = "schedule", Prior = "prior", ResNet = "resnet",
    Dataset = "dataset" }
  for class, file in pairs(files) do
    local source = assert(io.open(("engine/bind/%s.c"):format(file))):read "a"
    local real = {}
    for key in source:gmatch 'strcmp%(key, "([%w_]+)"%)' do real[key] = true end
    for key in pairs(class == "Schedule" and debug.getuservalue(aniso.schedule { K = 2 }, 1) or {}) do
      real[key] = true -- Lua adds these to the engine's schedule
    end
    same(class, documented("aniso." .. class, "field"), real)
  end
  local source = assert(io.open "engine/bind/denoiser.c"):read "a"
    .. assert(io.open "engine/bind/context.c"):read "a"
  local real = {}
  for key in source:gmatch 'strcmp%([^"]-, "([%w_]+)"%)' do real[key] = true end
  local both = documented("aniso.Denoiser", "field")
  for name in pairs(documented("aniso.Context", "field")) do both[name] = true end
  same("Denoiser", both, real)
end

function T.test_parts_of_the_engine()
  same("aniso.core", documented "aniso.core", keys(aniso.core))
  for name, part in pairs(aniso.core) do
    same("core." .. name, documented("aniso.core." .. name), keys(part))
  end
end

function T.test_public_modules()
  local real = { version = true, core = true }
  for _, name in ipairs(getmetatable(aniso).__dir()) do real[name] = true end
  same("aniso", documented "aniso", real)
  for name in pairs(real) do
    local member = all.classes.aniso.members[name]
    if member.kind == "field" and name ~= "version" then
      same(member.type, documented(member.type), keys(aniso[name]))
      local meta = getmetatable(aniso[name])
      lu.assertEquals(#all.classes[member.type].overloads > 0, meta ~= nil and meta.__call ~= nil,
        name .. " called")
    else
      lu.assertEquals(member.kind == "function" and "function" or "string", type(aniso[name]), name)
    end
  end
  same("lr_schedule", documented "aniso.lr_schedule", keys(aniso.optim.lr_schedule))
end

function T.test_objects_of_lua()
  local objects = { AdamW = aniso.optim.adamw(), SGD = aniso.optim.sgd(),
    Progress = aniso.progress { total = 1, stream = io.stderr }, ProgressBoard = aniso.progress.board() }
  for class, object in pairs(objects) do
    same(class, documented("aniso." .. class, "function"), keys(getmetatable(object).__index))
  end
end

-- The objects of a real tiny run: its data set's split, its model, the prior's output.
function T.test_tables_of_a_run()
  local dataset = aniso.data({ "lesions", n = 140, size = 16 }, { folds = 2, fold = 0 })
  same("Split", documented "aniso.Split", keys(dataset.split))
  local complete = config.complete { backbone = { "resnet", width = 4 }, schedule = { T = 10 },
    denoiser = { dim = 16, heads = 2, blocks = 1 }, prior = { crops = 2 } }
  local model = aniso.model(complete, dataset, 0)
  local plain = aniso.model(config.complete { method = "softmax", post_hoc = "lws",
    backbone = { "resnet", width = 4, normalise = "imagenet" } }, dataset, 0)
  same("Model", documented "aniso.Model", keys(getmetatable(model).__index, keys(model, keys(plain))))
  local images = dataset:batch("train", 0, 2)
  local _, prior = aniso.core.ops.no_grad(model.encode, model, images)
  same("PriorOutput", documented "aniso.PriorOutput", keys(prior))
end

-- ── options ─────────────────────────────────────────────────────────────────────────────
local function shown(value)
  if type(value) ~= "table" then
    return type(value) == "string" and ("%q"):format(value) or math.type(value) == "float"
      and ("%.10g"):format(value) or tostring(value)
  end
  local out = {}
  for i, one in ipairs(value) do out[i] = shown(one) end
  return "{" .. table.concat(out, ", ") .. "}"
end

-- "default 30, at least 1": the text that an option must have.
local function range(about)
  local out = {}
  local default = about.default
  if default ~= nil and not (type(default) == "table" and #default == 0) then
    out[1] = "default " .. shown(default)
  end
  for _, limit in ipairs { { "above", "above" }, { "min", "at least" }, { "below", "below" },
    { "max", "at most" } } do
    if about[limit[1]] then out[#out + 1] = limit[2] .. " " .. shown(about[limit[1]]) end
  end
  return #out > 0 and "(" .. table.concat(out, ", ") .. ")" or ""
end

local function check_type(where, member, about)
  if about.choices then
    for _, choice in ipairs(about.choices) do
      local expected = type(choice) == "boolean" and "boolean" or ("%q"):format(choice)
      lu.assertStrContains(member.type, expected, false, where)
    end
  elseif about.type == "list" then
    lu.assertStrContains(member.type, "[]", false, where)
  elseif about.type and about.type ~= "any" then
    lu.assertEquals(member.type, about.type, where)
  end
end

local visited = 0
local compare

local function compare_member(where, member, default)
  local about = options.about(default)
  visited = visited + 1
  lu.assertTrue(#member.text > 0, where .. " has no text")
  lu.assertStrContains(member.text, range(about), false, where .. ": " .. member.text)
  check_type(where, member, about)
  local parts = annotations.parts(all, member.type)
  if about.fields then compare(where, parts[1], about.fields) end
  for kind, fields in pairs(about.kinds or {}) do
    local found
    for _, part in ipairs(parts) do
      local first = annotations.members(all, part)[1]
      if first and first.type == ("%q"):format(kind) then found = part end
    end
    lu.assertNotNil(found, ("%s: the kind %s is not documented"):format(where, kind))
    compare(where .. "." .. kind, found, fields, kind)
  end
  if about.kinds then
    for _, part in ipairs(parts) do
      local first = annotations.members(all, part)[1]
      local kind = first and first.type:match '^"(.*)"$'
      lu.assertTrue(not kind or about.kinds[kind] ~= nil, ("%s: there is no kind %s"):format(where, part))
    end
  end
end

-- One option table against its class. A kind's name is its field 1.
function compare(where, class, defaults, kind)
  local members = annotations.members(all, class)
  local real = {}
  for key in pairs(defaults) do real[key] = true end
  if kind then real[1] = true end
  same(where, documented(class), real)
  for key, default in pairs(defaults) do
    if members[key] and key ~= 1 then
      lu.assertTrue(members[key].optional or where == "prior" or where == "denoiser",
        where .. "." .. tostring(key) .. " may be left out")
      compare_member(where .. "." .. tostring(key), members[key], default)
    end
  end
end

function T.test_options_of_a_recipe()
  visited = 0
  compare("", "aniso.Config", config.defaults)
  lu.assertTrue(visited > 130, "only " .. visited .. " options were compared")
end

function T.test_options_of_a_study()
  compare("study", "aniso.StudyOptions", require("aniso.recipe.study").options)
end

function T.test_options_at_the_prompt()
  local faces = require("aniso.method.networks").faces
  compare("prior", "aniso.PriorOptions", faces.prior)
  compare("plot", "aniso.PlotTarget", aniso.plot.target)
  compare("mmd", "aniso.MmdOptions", aniso.mmd.options)
  compare("adamw", "aniso.AdamwOptions", aniso.optim.options.adamw)
  compare("sgd", "aniso.SgdOptions", aniso.optim.options.sgd)
  for _, face in ipairs { "resnet", "denoiser" } do
    for kind, of in pairs(options.about(faces[face]).kinds) do
      compare(face, "aniso." .. ("_" .. kind):gsub("_(%a)", string.upper) .. "Options", of, kind)
    end
  end
end

return T
