-- The option `folds` of a study: a cross-validation, all of whose folds are run for every seed.
--   folds = 5             a stratified split into five by data.seed that keeps lesions and patients whole
--   folds = "official"    the folds that come with the data
-- A run of fold f is tested on fold f. From the other folds, data.val of all images is cut for validation;
-- the rest is for training. A job's `cross` is {folds, fold, official}, as in aniso.data.
local literal = require "aniso.recipe.literal"

local folds = {}

local MOST = 100

-- Whether a study's folds come with the data; the data set then gives their number.
function folds.are_official(given)
  return given == "official"
end

local function count_of(given, official_count)
  if given == "official" then return assert(official_count, "the number of official folds is missing") end
  local n = math.tointeger(given)
  if type(given) ~= "number" or not n or n < 2 or n > MOST then
    error(("folds must be a number from 2 to %d or \"official\", got %s"):format(MOST,
      literal.describe(given)), 0)
  end
  return n
end

-- "0,2" or "0..2" as typed → list of numbers, each once. Raises if one is not a fold, or none is given.
function folds.chosen(text, count)
  local out, known = {}, {}
  for part in text:gmatch "[^,]+" do
    local first, last = part:match "^(%d+)%.%.(%d+)$"
    first = math.tointeger(tonumber(first or part))
    last = math.tointeger(tonumber(last)) or first
    if not first or first < 0 or last >= count or first > last then
      error(("--fold takes folds from 0 to %d, such as 0,2 or 0..2; got %s"):format(count - 1, text), 0)
    end
    for fold = first, last do
      if not known[fold] then known[fold], out[#out + 1] = true, fold end
    end
  end
  if #out == 0 then
    error(("--fold takes folds from 0 to %d, such as 0,2 or 0..2; got none"):format(count - 1), 0)
  end
  return out
end

-- of(given, only, official_count) → list of a job's `cross`; {false} without folds. only [opt]: the folds
-- to run, as typed; official_count: that of the data set, if are_official(given).
function folds.of(given, only, official_count)
  if given == nil then
    if only then error("--fold selects folds, and the study has none: add folds = 5 to the recipe", 0) end
    return { false }
  end
  local count, list, out = count_of(given, official_count), nil, {}
  if only then list = folds.chosen(only, count) end
  for i = 1, list and #list or count do
    out[i] = { folds = count, fold = list and list[i] or i - 1, official = given == "official" or nil }
  end
  return out
end

-- The name of a run among several: "ddpm seed 0", "ddpm seed 0 fold 2".
function folds.name(label, seed, fold)
  return ("%s seed %d%s"):format(label, seed, fold and (" fold %d"):format(fold) or "")
end

return folds
