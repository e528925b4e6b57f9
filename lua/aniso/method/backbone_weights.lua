-- Weights of a backbone from a safetensors file with torchvision's names (conv1.weight). The classifier (fc)
-- and PyTorch's counts of batches are passed over. Every error names the file and its own tensors.
--   backbone_weights.load(net, prefix, o)     o: weights = FILE, weights_prefix, weights_extra
local core = require "aniso.core"

local backbone_weights = {}

local SHOWN = 3 -- names in a message

local function is_foreign(name)
  return name:find "^fc%." ~= nil or name:find "%.num_batches_tracked$" ~= nil
end

-- The tensors whose names begin with `start`, by the rest of their names.
local function without_prefix(tensors, start)
  local out, count = {}, 0
  for name, tensor in pairs(tensors) do
    if name:sub(1, #start) == start then out[name:sub(#start + 1)], count = tensor, count + 1 end
  end
  return out, count
end

-- The prefix with which the file has all expected names; nil if there is none.
local function prefix_of(tensors, expected)
  local first = next(expected)
  local candidates = {}
  for name in pairs(tensors) do
    if #name > #first and name:sub(-#first - 1) == "." .. first then
      candidates[#candidates + 1] = name:sub(1, -#first - 1)
    end
  end
  table.sort(candidates)
  for _, start in ipairs(candidates) do
    local complete = true
    for name in pairs(expected) do complete = complete and tensors[start .. name] ~= nil end
    if complete then return start end
  end
end

local function text_of(shape)
  return "(" .. table.concat(shape, ", ") .. ")"
end

local function listed(names)
  table.sort(names)
  local rest = #names - SHOWN
  local shown = table.concat(names, ", ", 1, math.min(#names, SHOWN))
  return rest > 0 and ("%s and %d more"):format(shown, rest) or shown
end

-- Raises where a tensor is missing or has another shape or type than the backbone's.
local function check_present(tensors, expected, start, raise)
  local missing = {}
  for name, own in pairs(expected) do
    local tensor = tensors[name]
    if not tensor then
      missing[#missing + 1] = start .. name
    elseif tensor:dtype() ~= "float32" or text_of(tensor:shape()) ~= text_of(own:shape()) then
      raise("tensor %s has shape %s%s, the backbone expects %s", start .. name, text_of(tensor:shape()),
        tensor:dtype() == "float32" and "" or " of " .. tensor:dtype(), text_of(own:shape()))
    elseif not tensor:finite() then
      raise("tensor %s holds NaN or an infinity: the file is damaged, or its training had diverged",
        start .. name)
    end
  end
  if #missing > 0 then
    raise("%d tensors of the backbone are missing: %s", #missing, listed(missing))
  end
end

local function check_extra(tensors, expected, raise)
  local extra = {}
  for name in pairs(tensors) do
    if not expected[name] and not is_foreign(name) then extra[#extra + 1] = name end
  end
  if #extra > 0 then
    raise("%d tensors are not the backbone's: %s; weights_extra = true passes over them", #extra,
      listed(extra))
  end
end

-- net: ResNet in `module` under the names PREFIX.NAME; it is complete when this returns.
function backbone_weights.load(net, prefix, o)
  local function raise(text, ...)
    error(("weights %s: " .. text):format(o.weights, ...), 0)
  end
  local stored, message = core.safetensors.load(o.weights)
  if not stored then error("weights: " .. message, 0) end
  local expected = without_prefix(net.module:state(), prefix .. ".")
  local start = o.weights_prefix or ""
  local tensors, count = without_prefix(stored, start)
  if count == 0 then raise("no tensor has a name that begins with weights_prefix = %q", start) end
  local found = not tensors[next(expected)] and prefix_of(tensors, expected)
  if found then
    raise("its names begin with %s; weights_prefix = %q strips that", start .. found, start .. found)
  end
  check_present(tensors, expected, start, raise)
  if not o.weights_extra then check_extra(tensors, expected, raise) end
  local chosen = {}
  for name in pairs(expected) do chosen[name] = tensors[name] end
  net:load(chosen)
end

return backbone_weights
