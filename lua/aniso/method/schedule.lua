-- aniso.schedule{"cosine", T = 1000, counts = {…}, lambda = "bound", coupling = "variance"} → Schedule.
-- Checks the options, computes the K levels with the λ policy (lambda.lua) and passes the engine one
-- flat table of resolved values. lambda is a policy by name, {"power", gamma = 0.5, max = 3},
-- {"manual", 1, 1, 2} or a function; counts (training images per class) may be left out if K is
-- given and the policy does not need them. schedule.options is the same table's rules for a recipe.
local core = require "aniso.core"
local bound = require "aniso.method.bound"
local lambda = require "aniso.method.lambda"
local options = require "aniso.recipe.options"

local schedule = {}

local defaults = core.schedule.defaults
local number, one_of, optional = options.number, options.one_of, options.optional

schedule.policies = lambda.policies

local base = one_of { "cosine", "linear", "scaled_linear", "quadratic", "sigmoid", "constant" }
local named = options.custom(function(value) return base.check(value, "schedule.base") end,
  base.default, base)

schedule.options = {
  [1] = named, base = optional(base),                          -- {"linear"} or {base = "linear"}
  T = options.integer { default = defaults.T, min = 1 },
  beta_start = optional "number",                              -- default: the kind's own, scaled by 1000/T
  beta_end = optional "number",
  beta_max = number { default = defaults.beta_max, above = 0, below = 1 },
  offset = number { default = defaults.offset, min = 0, below = 1 },     -- of the cosine
  coupling = one_of { "variance", "speed", "sample", "class_speed", "image" },
  uncertainty_floor = optional(number { above = 0,
    text = "c of the coupling image, λ_j(x) ∝ λ_j √(m_j (1 − m_j) + c n_j^(−½)); 1 if left out" }),
  lambda = lambda.option,
  bound_constants = bound.constants,                           -- of E(λ), see schedule:bound()
  counts = optional(options.list(options.integer { min = 0 })),
  K = optional(options.integer { min = 1 }),
}

local MOST_CLASSES = 65536

local function classes(o)
  local values = o.lambda[1] == "manual" and o.lambda.values
  local K = o.K or o.counts and #o.counts or values and #values
  if not K or K == 0 then
    error("schedule: give counts = {images per class} or K = classes", 0)
  elseif K > MOST_CLASSES then
    error(("schedule: %d classes, at most %d are supported"):format(K, MOST_CLASSES), 0)
  elseif o.counts and #o.counts ~= K then
    error(("schedule: K = %d but counts has %d classes"):format(K, #o.counts), 0)
  elseif values and #values ~= K then
    error(("schedule: %d classes but lambda has %d levels"):format(K, #values), 0)
  end
  return K
end

local function base_of(o)
  if o.base and o[1] ~= base.default and o[1] ~= o.base then
    error(("schedule: both %s and base = %s are given"):format(o[1], o.base), 0)
  end
  return o.base or o[1]
end

local function made(process, levels, about)
  local of = options.copy(process)
  of.lambda, of.about = levels, about
  return core.schedule.new(of)
end

local DRAWS, SEED = 65536, 0 -- the defaults of s:share()

-- The estimate of share_levels.lua for the process with other levels.
local function image_needed_of(process)
  return function(levels)
    local s <close> = made(process, levels)
    return s:image_needed(DRAWS, SEED, 1)
  end
end

-- counts: those of the data set, used if the options give none. stored [opt]: the levels of a run (K). They
-- replace those of an own policy, which is then not needed, those that a study chose, and those at which the
-- training of a policy begins. groups [opt]: "many", "medium" or "few" per class.
function schedule.new(given, counts, stored, groups)
  local o = options.check(given, schedule.options, "schedule")
  o.counts = o.counts or counts
  local K, choice = classes(o), o.lambda
  local process = { K = K, counts = o.counts, coupling = o.coupling, base = base_of(o), T = o.T,
    beta_start = o.beta_start, beta_end = o.beta_end, beta_max = o.beta_max, offset = o.offset }
  lambda.check_coupling(choice, o.coupling)
  local known = stored and #stored == K and lambda.are_of_run(choice)
  local levels = known and stored
    or lambda.levels(choice, K, o.counts, o.bound_constants, image_needed_of(process), groups)
  local text, before = lambda.describe(choice, o.bound_constants), lambda.is_trained(choice) and not known
  if o.uncertainty_floor and o.coupling ~= "image" then
    error("option schedule.uncertainty_floor belongs to the coupling image", 0)
  end
  return made(process, levels, { policy = choice[1], normalise = choice.normalise, before_training = before,
    uncertainty_floor = o.uncertainty_floor or 1,
    bound_constants = lambda.constants(choice, o.bound_constants),
    text = before and text .. "; the levels before the training" or text })
end

local methods = core.schedule.methods

-- m: prior means (B,K) → the levels of the coupling `image` (B,K).
function methods.levels_of_images(s, m)
  return s:levels_of_uncertainty(m:detach(), s.uncertainty_floor)
end

-- K levels, a list or a tensor → E(λ), its terms per class. Anything else: the curve over γ, which
-- prompt/explore/schedule.lua adds.
function methods.bound(s, given)
  local levels = type(given) == "userdata" and given:list() or type(given) == "table" and given[1] and given
  if not levels then return s:bound_curve(given) end
  if #levels ~= s.K then error(("bound: %d levels for %d classes"):format(#levels, s.K), 2) end
  return bound.value(s.bound_constants, s.counts, levels)
end

return setmetatable(schedule, { __call = function(_, given) return schedule.new(given) end })
