-- The λ policy `search`: its options and the candidates among which a study chooses (METHOD §3).
-- train/search.lua runs the trials, and stats/halving.lua holds the rule of the choice.
--   search.candidates(choice) → list of {name = "γ 0.25", lambda = a value of schedule.lambda}
local metric_name = require "aniso.stats.metric_name"
local options = require "aniso.recipe.options"

local search = {}

local MOST = 100 -- candidates, and seeds of a rung

local function raise(where, text, ...)
  error(("option %s: %s"):format(where, text:format(...)), 0)
end

local function is_finite(value)
  return type(value) == "number" and value == value and math.abs(value) < math.huge
end

-- A rule for a list; check_item(value, name of the element) raises on a mistake.
local function list(default, about, check_item)
  return options.custom(function(given, where)
    if type(given) ~= "table" then raise(where, "expected a list, got %s", tostring(given)) end
    local out, count = {}, 0
    for _ in pairs(given) do count = count + 1 end
    if count ~= #given then raise(where, "expected a list without names") end
    if count > MOST then raise(where, "%d elements, expected at most %d", count, MOST) end
    for i, one in ipairs(given) do
      check_item(one, ("%s.%d"):format(where, i))
      out[i] = options.copy(one)
    end
    return out
  end, default, { about = about })
end

local function check_gamma(value, where)
  if not is_finite(value) then raise(where, "expected a finite number, got %s", tostring(value)) end
end

local function check_group_levels(value, where)
  local ok = type(value) == "table" and #value == 3
  for key, level in pairs(ok and value or {}) do
    ok = ok and math.type(key) == "integer" and is_finite(level) and level > 0
  end
  if not ok then
    raise(where, "expected three levels above 0, those of head, medium and tail: {1, 1.25, 2}")
  end
end

local function check_seed_count(value, where)
  if not (math.type(value) == "integer" and value >= 1 and value <= MOST) then
    raise(where, "expected how many seeds the rung has, a whole number from 1 to %d, got %s", MOST,
      tostring(value))
  end
end

local metric_option = options.custom(function(value, where)
  return metric_name.entry(value, where).name
end, "macro_f1", { about = { type = "string", default = "macro_f1",
  text = "What is compared on the validation part: any metric that tables have, tail@head=0.9 too" } })

search.options = {
  gamma = list({ -0.5, 0, 0.25, 0.5, 1 }, { type = "number[]",
    text = "Candidates λ_j ∝ n_j^(−γ); γ = 0 is the isotropic process, which always takes part "
      .. "(default {-0.5, 0, 0.25, 0.5, 1})" }, check_gamma),
  groups = list({}, { type = "number[][]",
    text = "Candidates with one level each for head, medium and tail classes: {{1, 1.25, 2}, …}" },
    check_group_levels),
  metric = metric_option,
  eta = options.number { default = 3, above = 1, text = "η: one in η candidates continues after a rung" },
  seeds = list({ 1, 3 }, { type = "integer[]",
    text = "How many seeds each rung has, counted from seed 0 (default {1, 3})" },
    check_seed_count),
}

local ISOTROPIC = { name = "isotropic", lambda = { "isotropic" } }

-- The budget and the limits of the choice, which apply to its candidates too.
local function with_budget(choice, lambda)
  lambda.normalise, lambda.min, lambda.max = choice.normalise, choice.min, choice.max
  return lambda
end

-- The candidates in their order, the isotropic one first. Raises if two are the same.
function search.candidates(choice)
  local out, seen = { ISOTROPIC }, {}
  local function add(name, lambda)
    if seen[name] then raise("schedule.lambda", "search: %s is given twice", name) end
    seen[name] = true
    out[#out + 1] = { name = name, lambda = with_budget(choice, lambda) }
  end
  for _, gamma in ipairs(choice.gamma) do
    if gamma ~= 0 then add(("γ %.14g"):format(gamma), { "power", gamma = gamma }) end
  end
  for _, levels in ipairs(choice.groups) do
    local head, medium, tail = table.unpack(levels)
    if head == medium and medium == tail then
      raise("schedule.lambda.groups", "{%g, %g, %g} is the isotropic process, which always takes part", head,
        medium, tail)
    end
    add(("groups %.14g/%.14g/%.14g"):format(head, medium, tail),
      { "groups", head = head, medium = medium, tail = tail })
  end
  return out
end

-- Raises if the options of a complete choice conflict.
function search.check(choice)
  local seeds = choice.seeds
  if #seeds == 0 then raise("schedule.lambda.seeds", "give at least one rung: {1, 3}") end
  for r = 2, #seeds do
    if seeds[r] < seeds[r - 1] then
      raise("schedule.lambda.seeds", "a rung has at least the seeds of the one before, got %d after %d",
        seeds[r], seeds[r - 1])
    end
  end
  local count = #search.candidates(choice)
  if count < 2 then
    raise("schedule.lambda", "search has only the isotropic candidate: give gamma = {…} or groups = {…}")
  elseif count > MOST then
    raise("schedule.lambda", "search has %d candidates, expected at most %d", count, MOST)
  elseif choice.min > 1 or choice.max and choice.max < 1 then
    raise("schedule.lambda", "search: min and max must admit 1, the level of the isotropic candidate")
  end
end

-- {name, higher} of the metric that a complete choice compares.
function search.metric(choice)
  return metric_name.entry(choice.metric, "schedule.lambda.metric")
end

-- Whether a search must choose a complete configuration's levels. Without a denoiser there are none.
function search.is_needed(config)
  return config.schedule.lambda[1] == "search" and config.denoiser[1] ~= "none"
end

return search
