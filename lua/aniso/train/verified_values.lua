-- Compares the values that a run has stored with those of its repetition: bit for bit, or within bounds if
-- another processor, library or version computed them.
--   verified_values.compare(stored, repeated, mode) → {{what =, n =, differ =, first = {name, stored,
--     repeated} or nil, compared = whether the mode compares these values}, …}, one per section of
--     stored_values.of()
-- mode: "bits"; "training", if the whole run was repeated elsewhere; "evaluation", if the stored
-- weights were evaluated elsewhere.
--
-- Reasons for the bounds. Elsewhere, products are summed in another order or without fused multiply-add,
-- which changes the seventh digit of a number. An evaluation passes that on: probabilities move by less than
-- 1e-3, and only images between two classes change their label. Training amplifies it from step to step. In
-- six epochs of a ResNet-8 without fused multiply-add, the training loss moved by 0.02 % in the first epoch
-- and by at most 0.7 % later, the gradient's norm by 10 %, validation rates by 0.04, and validation chose
-- another epoch, so that rates of rare classes moved as between two seeds. The bounds are several times as
-- large; rates on n images may also differ by three standard errors √(1/2n) of such a difference. These
-- bounds detect another seed's data, recipe or program, not a wrong digit.
local stored_values = require "aniso.store.stored_values"

local verified_values = {}

local PROBABILITY = 1e-3  -- of an image, evaluated elsewhere
local SHARE = 0.01        -- of the images of an evaluation that may differ more, and at least one
local METRICS = 0.05      -- of the metrics of a training elsewhere
local METRIC = 0.02       -- of an evaluation, absolute and relative
local FIRST_EPOCH = 0.01  -- of a training loss, relative
local LATER_EPOCHS = 0.1
local NORM = 0.5          -- of the gradient's norm, relative
local NOISE = 0.02        -- of a loss near 0, absolute
local LEVEL = 0.25        -- of a learned level, relative
local RATE = 0.2          -- of a rate and of a metric of validation or test, absolute and relative

local function is_number(value)
  return math.type(value) ~= nil
end

local function same_bits(a, b)
  if not (is_number(a) and is_number(b)) then return a == b end
  return ("<d"):pack(a) == ("<d"):pack(b)
end

local function within(a, b, absolute, relative)
  if not (is_number(a) and is_number(b)) then return a == b end
  return math.abs(a - b) <= absolute + relative * math.max(math.abs(a), math.abs(b))
end

local function standard_errors(n)
  return 3 * math.sqrt(1 / (2 * math.max(n or 1, 1)))
end

-- "0:12 3:4" → {[0] = 12, [3] = 4}, 16
local function counts_of(text)
  local out, sum = {}, 0
  for class, n in text:gmatch "(%d+):(%d+)" do
    out[tonumber(class)] = tonumber(n)
    sum = sum + tonumber(n)
  end
  return out, sum
end

-- The share of a class's images that moved to another predicted class, and their number.
local function moved(a, b)
  local x, n = counts_of(a)
  local y, m = counts_of(b)
  if n ~= m then return 1, math.max(n, m) end
  local sum = 0
  for class, count in pairs(x) do sum = sum + math.max(0, count - (y[class] or 0)) end
  return sum / math.max(n, 1), n
end

local function same_prediction(a, b)
  local true_a, pred_a, _, p = stored_values.unpack_prediction(a)
  local true_b, pred_b, _, q = stored_values.unpack_prediction(b)
  if true_a ~= true_b or pred_a ~= pred_b or #p ~= #q then return false end
  for k = 1, #p do
    if math.abs(p[k] - q[k]) > PROBABILITY then return false end
  end
  return true
end

-- close(a, b, entry) per section; a section that is missing is not compared in that mode.
local CLOSE = {
  training = {
    levels = function(a, b) return within(a, b, 0, LEVEL) end,
    curves = function(a, b, entry)
      if entry.metric == "lr" then return within(a, b, 0, 1e-9) end
      if entry.metric == "grad_norm" then return within(a, b, NOISE, NORM) end
      if entry.part ~= "train" then return within(a, b, RATE, RATE) end
      return within(a, b, NOISE, entry.epoch == 1 and FIRST_EPOCH or LATER_EPOCHS)
    end,
    metrics = function(a, b, entry)
      if type(a) == "string" then return type(b) == "string" end
      if entry.is_epoch then return true end -- validation may choose another one
      if entry.of_class then return true end -- a class may have one image; its counts are compared
      return within(a, b, math.max(RATE, standard_errors(entry.n)), RATE)
    end,
    confusion = function(a, b)
      local share, n = moved(a, b)
      return share <= math.max(RATE, standard_errors(n))
    end,
  },
  evaluation = {
    levels = same_bits,
    weights = same_bits,
    metrics = function(a, b)
      if type(a) == "string" then return type(b) == "string" end
      return within(a, b, METRIC, METRIC)
    end,
    confusion = function(a, b)
      local share, n = moved(a, b)
      return share * n <= math.max(1, SHARE * n)
    end,
    predictions = same_prediction,
  },
}

-- How many values of a section may exceed the bounds: images between two classes and, in another training,
-- metrics such as the precision of a class that is predicted once.
local function allowance(mode, stored)
  local share = mode == "evaluation" and stored.what == "predictions" and SHARE
    or mode == "training" and stored.what == "metrics" and METRICS
  return share and math.max(1, math.floor(share * #stored.names)) or 0
end

-- Values that only the repetition has are not compared, such as the curve of a first stage that the run took
-- from a file.
local function compare_section(stored, repeated, mode)
  local close = mode == "bits" and same_bits or CLOSE[mode] and CLOSE[mode][stored.what]
  local out = { what = stored.what, n = #stored.names, differ = 0, compared = close ~= nil }
  for _, name in ipairs(close and stored.names or {}) do
    local a, b = stored.values[name], repeated.values[name]
    if b == nil or not close(a, b, stored.entries[name]) then
      out.differ = out.differ + 1
      out.first = out.first or { name = name, stored = a, repeated = b }
    end
  end
  if out.differ <= allowance(mode, stored) then out.differ, out.first = 0, nil end
  return out
end

function verified_values.compare(stored, repeated, mode)
  local by_name, out = {}, {}
  for _, section in ipairs(repeated) do by_name[section.what] = section end
  for i, section in ipairs(stored) do
    out[i] = compare_section(section, by_name[section.what] or { values = {} }, mode)
  end
  return out
end

-- A value of a section as text, with all digits.
function verified_values.shown(what, value)
  if value == nil then return "missing" end
  if value == false then return "undefined" end
  if what == "predictions" then
    local _, pred, _, probs = stored_values.unpack_prediction(value)
    return ("class %d, probability %.9g"):format(pred + 1, probs[pred + 1] or 0 / 0)
  end
  if what == "confusion" and value == "" then return "none" end
  if math.type(value) == "float" then return ("%.17g"):format(value) end
  return tostring(value)
end

return verified_values
