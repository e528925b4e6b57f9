-- aniso.schedule{beta = "cosine", T = 1000, counts = {…}, lambda = "bound", coupling = "variance"}
-- → Schedule. Names every option, fills in the defaults and hands the engine one flat table
-- of resolved values. lambda is a policy by name, {"power", gamma = 0.5, max = 3} or
-- {"manual", 1, 1, 2}; counts (training images per class) may be left out if K is given and
-- lambda is isotropic or manual. schedule.options is the same table's rules for a recipe.
local core = require "aniso.core"
local options = require "aniso.recipe.options"

local schedule = {}

local number, one_of, optional = options.number, options.one_of, options.optional

-- What every policy takes: the budget is kept at 1, then the levels are clipped.
local function policy(fields)
  fields.normalise = one_of { "mean", "geometric", "prior", "max", "none" }
  fields.min = number { default = 0, min = 0 }
  fields.max = optional(number { above = 0 })
  return fields
end

schedule.policies = {
  isotropic = policy {},
  power = policy { gamma = number { default = 0.25 } },
  bound = policy { A = optional "number", Dn = optional "number",
                   p = optional "number", q = optional "number" },
  effective = policy { beta = number { default = 0.999, min = 0, below = 1 } },
  manual = policy { values = options.list "number" },
}

-- {"manual", 1, 1, 2, max = 3} → {"manual", values = {1, 1, 2}, max = 3}
local function gather_values(lambda)
  if type(lambda) ~= "table" or lambda[1] ~= "manual" or lambda.values then return lambda end
  local out = options.copy(lambda)
  out.values = {}
  for i = 2, #lambda do out.values[i - 1], out[i] = lambda[i], nil end
  return out
end

local known_policy = options.kinds(schedule.policies)

local function check_lambda(given, where)
  local lambda = gather_values(given)
  local values = type(lambda) == "table" and lambda.values
  for j, level in ipairs(type(values) == "table" and values or {}) do
    if not (type(level) == "number" and level > 0 and level < math.huge) then
      error(("option %s: class %d has the level %s: a noise level must be finite and above 0")
        :format(where, j, level ~= level and "nan" or level), 0)
    end
  end
  return known_policy.check(lambda, where)
end

local base = one_of { "cosine", "linear", "scaled_linear", "quadratic", "sigmoid", "constant" }
local named = options.custom(function(value) return base.check(value, "schedule.beta") end,
  base.default, base)

schedule.options = {
  [1] = named, beta = optional(base),                          -- {"linear"} or {beta = "linear"}
  T = options.integer { default = 1000, min = 1 },
  beta_start = optional "number",                              -- default: the kind's own, by 1000/T
  beta_end = optional "number",
  beta_max = number { default = 0.999, above = 0, below = 1 },
  offset = number { default = 0.008, min = 0, below = 1 },     -- of the cosine
  coupling = one_of { "variance", "speed", "sample" },
  lambda = options.custom(check_lambda, "isotropic", known_policy),
  bound = { A = 1, Dn = 1, p = 1, q = 1 },                     -- E(λ), see schedule:bound()
  counts = optional(options.list(options.integer { min = 0 })),
  K = optional(options.integer { min = 1 }),
}

local function classes(o)
  local values = o.lambda.values
  local K = o.K or o.counts and #o.counts or values and #values
  if not K or K == 0 then
    error("schedule: give counts = {images per class} or K = classes", 0)
  elseif o.counts and #o.counts ~= K then
    error(("schedule: K = %d but counts has %d classes"):format(K, #o.counts), 0)
  elseif values and #values ~= K then
    error(("schedule: %d classes but lambda has %d levels"):format(K, #values), 0)
  end
  return K
end

local function base_of(o)
  if o.beta and o[1] ~= base.default and o[1] ~= o.beta then
    error(("schedule: both %s and beta = %s are given"):format(o[1], o.beta), 0)
  end
  return o.beta or o[1]
end

-- counts: those of the data set, where the options give none.
function schedule.new(given, counts)
  local o = options.check(given, schedule.options, "schedule")
  local lambda, bound = o.lambda, o.bound
  o.counts = o.counts or counts
  return core.schedule.new {
    K = classes(o), counts = o.counts, coupling = o.coupling,
    beta = base_of(o), T = o.T, beta_start = o.beta_start, beta_end = o.beta_end,
    beta_max = o.beta_max, offset = o.offset,
    policy = lambda[1], gamma = lambda.gamma, effective_beta = lambda.beta,
    manual = lambda.values, normalise = lambda.normalise, min = lambda.min, max = lambda.max,
    A = lambda.A or bound.A, Dn = lambda.Dn or bound.Dn,
    p = lambda.p or bound.p, q = lambda.q or bound.q,
  }
end

-- Methods that are there for exploring; their files are loaded when they are first called.
local methods = core.schedule.methods
for _, name in ipairs { "plot", "simulate" } do
  methods[name] = function(...) return require("aniso.prompt.explore." .. name)(...) end
end

-- Of the engine's bound, s:bound(λ), and the curve over γ where no λ is given.
local at = methods.bound
function methods.bound(...) return require "aniso.prompt.explore.bound"(at)(...) end

return setmetatable(schedule, { __call = function(_, given) return schedule.new(given) end })
