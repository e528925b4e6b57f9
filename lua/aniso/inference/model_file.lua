-- A model file: weights and their description (description.lua) in one safetensors file with a checksum. It
-- is a checkpoint (engine/io/checkpoint.h) whose state is the description, so that other programs can read
-- the tensors too. It holds only the tensors that classify: no optimiser, no averages.
local chain_tables = require "aniso.inference.chain_tables"
local core = require "aniso.core"
local description = require "aniso.inference.description"
local errors = require "aniso.recipe.errors"
local options = require "aniso.recipe.options"
local torch_steps = require "aniso.inference.torch_steps"

local model_file = {}

local MOST_CROPS = 256
local MOST_LEVELS = 100000000 -- T · K, for a table of the schedule
local MOST_PASSES = 1000000   -- of the denoiser per image

-- Writes the whole file → the SHA-256 of its tensors, bytes; nil, message, code. model [opt]: built from
-- them, adds its steps in PyTorch and the numbers of its chains, which are always float32. precision [opt]:
-- of the weights, "float32" by default, "float16" or "bfloat16", as select.precision. Raises if a weight does
-- not fit float16.
function model_file.save(path, of, tensors, model, precision)
  local all, state = model and model.denoiser and chain_tables.of(model, of.config.sampler) or {}, of
  if model then
    state = options.copy(of)
    state.torch = torch_steps.of(of, model, tensors, all)
  end
  for name, tensor in pairs(tensors) do all[name] = tensor end
  return core.checkpoint.save(path, all, state, { previous = false, precision = precision,
    exact = chain_tables.prefix })
end

local function text_of(shape)
  return ("(%s)"):format(table.concat(shape, ", "))
end

-- The smallest name for which fault(name) returns a text, and that text; nil if there is none.
local function first_fault(names, fault)
  local sorted = {}
  for name in pairs(names) do sorted[#sorted + 1] = name end
  table.sort(sorted)
  for _, name in ipairs(sorted) do
    local why = fault(name)
    if why then return name, why end
  end
end

-- Raises unless the tensors are those of the modules, with their shapes.
local function check(expected, tensors, where)
  local name, why = first_fault(expected, function(name)
    local own, given = text_of(expected[name]:shape()), tensors[name] and text_of(tensors[name]:shape())
    return not given and "is missing" or given ~= own and ("has the shape %s, expected %s"):format(given, own)
  end)
  if not name then
    name, why = first_fault(tensors, function(one)
      return not expected[one] and "is of no part of the model" or not tensors[one]:finite()
        and "has numbers that are not finite"
    end)
  end
  if name then error(("%s: the tensor %s %s"):format(where, core.sys.visible(name), why), 0) end
end

-- Copies the tensors into the modules of a model.
local function put(model, tensors, where)
  local expected = {}
  for _, part in ipairs(model.modules) do
    for name, tensor in pairs(part.module:state()) do expected[part.name .. "." .. name] = tensor end
  end
  check(expected, tensors, where)
  for name, tensor in pairs(expected) do tensor:copy_(tensors[name]) end
end

-- Raises for sizes that a network with these weights cannot have: a small file must not cost much memory or
-- time before its tensors are compared with the network's.
local function check_sizes(of, tensors, where)
  local widest, count, config = 0, 0, of.config
  for _, tensor in pairs(tensors) do
    count = count + 1
    for _, size in ipairs(tensor:shape()) do widest = math.max(widest, size) end
  end
  local K, how = #of.classes, config.sampler
  local limits = { { "classes", K, widest }, { "backbone.width", config.backbone.width, widest },
    { "backbone.depth", config.backbone.depth, count }, { "prior.crops", config.prior.crops, MOST_CROPS },
    { "prior.local_width", config.prior.local_width, math.max(widest, 16) },
    { "prior.attention", config.prior.attention, math.max(widest, 32) },
    { "denoiser.dim", config.denoiser.dim, widest }, { "denoiser.blocks", config.denoiser.blocks, count },
    { "schedule.T", config.schedule.T, MOST_LEVELS // K },
    { "sampler.steps · draws", how.steps * how.draws, MOST_PASSES } }
  for _, one in ipairs(limits) do
    local name, value, most = table.unpack(one, 1, 3)
    if value and value > most then
      error(("%s: %s is %d, and a model with these weights has at most %d"):format(where, name, value,
        most), 0)
    end
  end
end

-- A model with these weights. of: a checked description; where: for messages.
function model_file.build(of, tensors, where)
  check_sizes(of, tensors, where)
  local ok, model = pcall(description.model, of)
  if not ok then
    errors.pass_interrupts(model)
    error(("%s: %s"):format(where, errors.sentence(model)), 0)
  end
  put(model, tensors, where)
  model:train(false)
  return model
end

-- Whether it is a valid safetensors file of another program, such as published weights.
local function is_foreign(path)
  local tensors, metadata = core.safetensors.load(path)
  return tensors ~= nil and not metadata["aniso.checkpoint"]
end

-- Reads a model file → its checked description, the model. Raises one line if it is not a model file.
function model_file.load(path)
  local tensors, state = core.checkpoint.load(path)
  if not tensors and not is_foreign(path) then error(state, 0) end
  if not tensors then return description.check(nil, path) end -- raises what it should be
  tensors = chain_tables.without(tensors)
  local of = description.check(state, path)
  return of, model_file.build(of, tensors, path)
end

return model_file
