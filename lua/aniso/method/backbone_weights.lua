-- Loads a backbone's weights from a safetensors file with torchvision's names (conv1.weight), which timm's
-- networks of the same depth share. float16 and bfloat16 convert to float32 exactly. The classifier (fc) and
-- PyTorch's batch counts are skipped. Every error names the file and its own tensors.
--   backbone_weights.load(net, prefix, o) → notes     o: weights = FILE, weights_prefix, weights_extra
local core = require "aniso.core"
local resnet_form = require "aniso.method.resnet_form"

local backbone_weights = {}

local SHOWN = 3 -- names in a message
local MOST_PREFIXES = 16 -- searched at most

local CLASSIFIER = { "fc.weight", "fc.bias" }

local function is_foreign(name)
  return name == CLASSIFIER[1] or name == CLASSIFIER[2] or name:find "%.num_batches_tracked$" ~= nil
end

-- The tensors whose names begin with `start`, under the rest of their names; their number.
local function without_prefix(tensors, start)
  local out, count = {}, 0
  for name, tensor in pairs(tensors) do
    if name:sub(1, #start) == start then out[name:sub(#start + 1)], count = tensor, count + 1 end
  end
  return out, count
end

-- The prefix under which the file contains all expected names, or those of another known network; nil if
-- there is none.
local function prefix_of(tensors, expected)
  local candidates = {}
  for name in pairs(tensors) do
    local start = name:match "^(.*%.)conv1%.weight$"
    if start and tensors[start .. "layer1.0.conv1.weight"] then candidates[#candidates + 1] = start end
  end
  table.sort(candidates)
  for i = 1, math.min(#candidates, MOST_PREFIXES) do
    local start, complete = candidates[i], true
    for name in pairs(expected) do complete = complete and tensors[start .. name] ~= nil end
    if complete or resnet_form.of((without_prefix(tensors, start))) then return start end
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

-- Raises if the tensors belong to a network other than the recipe's.
local function check_form(tensors, expected, raise)
  local found, own = resnet_form.of(tensors), resnet_form.of(expected)
  if not found or not own or found.text == own.text then return end
  raise("this is a %s, the recipe has a %s; %s", found.text, own.text,
    found.option and "backbone = " .. found.option or "there is no backbone of that depth")
end

local function sorted(names)
  local list = {}
  for name in pairs(names) do list[#list + 1] = name end
  table.sort(list)
  return list
end

-- The prefix under which the file contains most of the expected names, and their number; nil if that is at
-- most a quarter of them, as names such as weight are common.
local function likely_prefix(tensors, expected)
  local counts, best, total = {}, nil, 0
  for _ in pairs(expected) do total = total + 1 end
  for name in pairs(tensors) do
    for dot in name:gmatch "()%." do
      local start = name:sub(1, dot)
      if expected[name:sub(dot + 1)] then counts[start] = (counts[start] or 0) + 1 end
    end
  end
  for start, count in pairs(counts) do
    if not best or count > counts[best] or count == counts[best] and start < best then best = start end
  end
  if best and 4 * counts[best] > total then return best, counts[best], total end
end

-- Raises if the file contains none of the backbone's names: they have a prefix, or are another network's.
local function check_names(tensors, expected, start, raise)
  for name in pairs(expected) do
    if tensors[name] then return end
  end
  local found, count, total = likely_prefix(tensors, expected)
  if found then
    raise("its names begin with %s; weights_prefix = %q strips that, and then %d of the backbone's %d "
      .. "tensors are there", start .. found, start .. found, count, total)
  end
  local names = sorted(tensors)
  raise("none of its %d tensors has a name of the backbone (torchvision's, such as conv1.weight): %s", #names,
    listed(names))
end

local function has_negative(tensor)
  for _, value in ipairs(tensor:list()) do
    if value < 0 then return true end
  end
  return false
end

-- Raises if a tensor is missing, differs from the backbone's in shape or type, or cannot come from a trained
-- network.
local function check_present(tensors, expected, start, raise)
  local missing = {}
  for _, name in ipairs(sorted(expected)) do
    local tensor, own = tensors[name], expected[name]
    if not tensor then
      missing[#missing + 1] = start .. name
    elseif tensor:dtype() ~= "float32" or text_of(tensor:shape()) ~= text_of(own:shape()) then
      raise("tensor %s has shape %s%s, the backbone expects %s", start .. name, text_of(tensor:shape()),
        tensor:dtype() == "float32" and "" or " of " .. tensor:dtype(), text_of(own:shape()))
    elseif not tensor:finite() then
      raise("tensor %s holds NaN or an infinity: the file is damaged, or its training had diverged",
        start .. name)
    elseif name:find "running_var$" and has_negative(tensor) then
      raise("tensor %s holds a negative variance: the file is damaged, or was changed", start .. name)
    end
  end
  if #missing == 1 then raise("1 tensor of the backbone is missing: %s", missing[1]) end
  if #missing > 1 then raise("%d tensors of the backbone are missing: %s", #missing, listed(missing)) end
end

local function check_extra(tensors, expected, raise)
  local extra = {}
  for name in pairs(tensors) do
    if not expected[name] and not is_foreign(name) then extra[#extra + 1] = name end
  end
  if #extra > 0 then
    local one = #extra == 1
    raise("%s not the backbone's: %s; weights_extra = true passes over %s",
      one and "1 tensor is" or #extra .. " tensors are", listed(extra), one and "it" or "them")
  end
end

-- A line for the log: the unused tensors of the file that were learned with the others.
local function note_of(tensors, start, file)
  local unused = {}
  for _, name in ipairs(CLASSIFIER) do
    if tensors[name] then unused[#unused + 1] = start .. name end
  end
  if #unused == 0 then return {} end
  return { ("%s of %s %s not used"):format(table.concat(unused, ", "), core.sys.visible(file:match "[^/]*$"),
    #unused == 1 and "is" or "are") }
end

-- net: a ResNet in `module` under the names PREFIX.NAME, complete when this returns. → lines for the log
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
  local found = not tensors["conv1.weight"] and prefix_of(tensors, expected)
  if found then
    raise("its names begin with %s; weights_prefix = %q strips that", start .. found, start .. found)
  end
  check_form(tensors, expected, raise)
  check_names(tensors, expected, start, raise)
  check_present(tensors, expected, start, raise)
  if not o.weights_extra then check_extra(tensors, expected, raise) end
  local chosen = {}
  for name in pairs(expected) do chosen[name] = tensors[name] end
  net:load(chosen)
  return note_of(tensors, start, o.weights)
end

return backbone_weights
