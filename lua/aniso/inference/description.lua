-- What a model file records about its weights: everything that turns a picture into class probabilities, and
-- where the model comes from. A description is plain data; one from a file is checked before use.
--   { aniso_model = 1, classes, counts, groups, input, config, provenance }
-- config holds the options of the networks, the schedule with its levels as numbers, the sampler as
-- calibrated, and post_hoc with its τ: reading it needs no policy, function or other file.
local config = require "aniso.method.config"
local core = require "aniso.core"
local errors = require "aniso.recipe.errors"
local model = require "aniso.method.model"
local network_input = require "aniso.method.network_input"
local options = require "aniso.recipe.options"
local own_part = require "aniso.recipe.own_part"

local description = { VERSION = 1 }

local MOST_CLASSES = 65536
local MOST_TEXT = 4096 -- bytes of a class's name
local MOST_IMAGES = 1000000000 -- of a class, as in a database

-- The schedule's options with a run's levels instead of the policy that gave them.
local function with_levels(schedule, levels)
  local out = options.copy(schedule)
  if #levels == 0 then
    out.lambda = "isotropic"
  else
    out.lambda = { "manual", values = levels, normalise = "none", min = math.min(table.unpack(levels)),
      max = math.max(table.unpack(levels)) }
  end
  return out
end

-- A sampler's options changed by others, such as {steps = 1, draws = 32}: complete. A change of kind starts
-- from its defaults. T: the schedule's steps.
function description.sampler_with(before, given, T)
  local how, kind = {}, given[1] or before[1]
  for key, value in pairs(kind == before[1] and before or {}) do how[key] = value end
  for key, value in pairs(given) do how[key] = value end
  how[1] = kind
  local complete = config.complete { sampler = how }.sampler
  if complete.steps > T then
    error(("steps = %d, but the model's schedule has T = %d"):format(complete.steps, T), 0)
  end
  return complete
end

-- of: {config = complete, classes, counts, groups, levels, input, sampler, tau, provenance}; sampler: as
-- calibrated; tau: that of post_hoc. Raises for a sampler that is a recipe's function.
function description.new(of)
  local given, backbone = of.config, options.copy(of.config.backbone)
  if own_part.is(of.sampler) then
    error(("the sampler %s is a function of the recipe, which a model file cannot hold; name another one "
      .. "with --sampler, such as ddim"):format(own_part.describe(of.sampler)), 0)
  end
  backbone.weights, backbone.weights_prefix, backbone.weights_extra = nil, nil, nil
  local post_hoc = given.post_hoc and options.copy(given.post_hoc)
  if post_hoc and of.tau then post_hoc.tau = of.tau end
  return { aniso_model = description.VERSION, version = core.sys.version, classes = of.classes,
    counts = of.counts, groups = of.groups, input = of.input, provenance = of.provenance,
    config = { backbone = backbone, prior = given.prior, schedule = with_levels(given.schedule, of.levels),
      denoiser = given.denoiser, sampler = of.sampler, post_hoc = post_hoc,
      loss = { prior = not own_part.is(given.loss.prior) and given.loss.prior or nil },
      train = { prediction = given.train.prediction } } }
end

local function fault(where, text, ...)
  error(("%s: %s"):format(where, text:format(...)), 0)
end

local function check_classes(of, where)
  local K, seen = type(of.classes) == "table" and #of.classes or 0, {}
  if K < 2 or K > MOST_CLASSES then fault(where, "it has %d classes, expected 2 to %d", K, MOST_CLASSES) end
  for _, name in ipairs(of.classes) do
    if type(name) ~= "string" or not utf8.len(name) or #name > MOST_TEXT or seen[name] then
      fault(where, "its names of classes are not %d different texts", K)
    end
    seen[name] = true
  end
  for _, field in ipairs { "counts", "groups" } do
    if type(of[field]) ~= "table" or #of[field] ~= K then
      fault(where, "its %s are not %d values", field, K)
    end
  end
  for j, count in ipairs(of.counts) do
    if math.type(count) ~= "integer" or count < 0 or count > MOST_IMAGES then
      fault(where, "its count %d is no whole number from 0 to %d", j, MOST_IMAGES)
    end
  end
end

-- Whether a recipe's function is named anywhere in a value.
local function names_own_part(value)
  if type(value) ~= "table" then return false end
  if own_part.is(value) then return true end
  for _, inner in pairs(value) do
    if names_own_part(inner) then return true end
  end
  return false
end

-- Checks a description from outside → the same with a complete configuration. where: the file's name.
function description.check(of, where)
  if type(of) ~= "table" or math.type(of.aniso_model) ~= "integer" then
    fault(where, "not a model file; aniso export RUN -o FILE writes one")
  elseif of.aniso_model > description.VERSION then
    fault(where, "a model file of version %d, made by aniso %s; this program reads up to %d: use a newer one",
      of.aniso_model, core.sys.visible(tostring(of.version)), description.VERSION)
  end
  check_classes(of, where)
  local form = network_input.form(of.input)
  if not form then fault(where, "its size, shape or normalisation of images is not valid") end
  if type(of.config) ~= "table" or names_own_part(of.config) then
    fault(where, "its configuration names a function of a recipe")
  end
  local given = options.copy(of.config)
  local kind = form.kind == "features" and "features" or "folder"
  given.data = { kind, root = ".", classes = of.classes } -- lists with one number per class are checked
  local ok, complete = pcall(config.complete, given)
  if not ok then
    errors.pass_interrupts(complete)
    fault(where, "%s", errors.sentence(complete))
  end
  local conflict = config.conflicts(complete)[1]
  if conflict then fault(where, "%s", conflict) end
  if complete.backbone.weights then fault(where, "its configuration names a file of weights") end
  return { classes = of.classes, counts = of.counts, groups = of.groups, form = form, input = of.input,
    config = complete, provenance = type(of.provenance) == "table" and of.provenance or {} }
end

-- The networks and the schedule of a checked description, with initial values.
function description.model(of)
  local stand_in = { K = #of.classes, channels = of.input.channels, unordered = of.input.unordered == true,
    counts = of.counts,
    split = { shot = of.groups } }
  return model.new(of.config, stand_in, 0)
end

return description
