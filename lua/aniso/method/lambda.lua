-- The λ policies (METHOD §3): each is one entry that derives the class noise levels from
-- the training images per class. Its help text, completion, checks, `--set` and the printed
-- schedule all come from that entry; to add a policy, add an entry.
--   levels(counts, o, K, image_needed, constants, groups)   raw levels (K), finite and above 0, before
--                          normalisation and clipping; counts: training images n_j per class, or nil; o: the
--                          complete options; image_needed: see share_levels.lua; constants:
--                          schedule.bound_constants; groups: see lambda.levels
--   text, options          what it is, with its source, and its own options (recipe/options.lua)
--   needs_counts           every class must have a training image
--   chosen                 the levels are not computed but chosen: a run uses those stored with it
--   takes_constants        options A, Dn, p, q default to those of schedule.bound_constants
--   trained                levels() is where the training starts; a stored run has levels of its own
--   check_coupling         function(coupling) that raises if the policy does not support it
-- A recipe may bring a policy of its own: function(counts, o) (recipe/own_part.lua).
local bound = require "aniso.method.bound"
local effective_number = require "aniso.method.effective_number"
local learned_levels = require "aniso.method.learned_levels"
local manual_levels = require "aniso.method.manual_levels"
local noise_budget = require "aniso.method.noise_budget"
local options = require "aniso.recipe.options"
local own_part = require "aniso.recipe.own_part"
local search = require "aniso.method.search"
local share_levels = require "aniso.method.share_levels"

local number, optional = options.number, options.optional

local lambda = {}

-- f(n_j) for every class.
local function each(counts, f)
  local out = {}
  for j, n in ipairs(counts) do out[j] = f(n) end
  return out
end

local function constant()
  return optional(number { above = 0, text = "That of schedule.bound_constants if left out" })
end

local function equal(K, level)
  local out = {}
  for j = 1, K do out[j] = level end
  return out
end

-- Another value of schedule.lambda, whose levels are known before any training.
local function policy_of(text, default)
  return options.custom(function(given, where)
    if own_part.is(given) then
      error(("option %s: name one of the program's policies; the levels of a function may be given as "
        .. '{"manual", …}'):format(where), 0)
    end
    local choice = lambda.option.check(given, where)
    if lambda.are_of_run(choice) then
      error(("option %s: the levels of %s are known after a training only: name another policy")
        :format(where, choice[1]), 0)
    end
    return choice
  end, default, { about = { type = "aniso.option.lambda|string", text = text } })
end

local learned_options = options.copy(learned_levels.options)
learned_options.start = policy_of("The policy of the levels at the start, brought to the budget and the "
  .. "limits of these options", "isotropic")

lambda.policies = {
  isotropic = {
    text = "λ_j = 1: the isotropic process; with share_of the same level for all classes.",
    options = { share_of = optional(policy_of("A policy: all classes then have one level, with the mean "
      .. "image-needed share of that policy")) },
    levels = function(counts, o, K, image_needed, constants, groups)
      if not o.share_of then return equal(K, 1) end
      local other = lambda.levels(o.share_of, K, counts, constants, image_needed, groups)
      local level = share_levels.matched(image_needed(other).mean, K, image_needed)
      if level < o.min or o.max and level > o.max then
        error(("lambda share_of: the level of equal share is %.4g, outside min and max"):format(level), 0)
      end
      return equal(K, level)
    end,
  },

  share = require "aniso.method.share_policy",

  power = {
    text = "λ_j ∝ n_j^(−gamma).",
    options = { gamma = number { default = 0.25, text = "γ; below 0 head classes get the larger level" } },
    needs_counts = true,
    levels = function(counts, o)
      return each(counts, function(n) return n ^ -o.gamma end)
    end,
  },

  bound = {
    text = "The minimiser of the bound, λ_j ∝ n_j^(−1/(2(p+q))).",
    options = { A = constant(), Dn = constant(), p = constant(), q = constant() },
    needs_counts = true,
    takes_constants = true,
    levels = function(counts, o)
      return each(counts, function(n) return bound.minimiser(n, o) end)
    end,
  },

  effective = {
    text = "Square root of 1 over the effective number of samples (1901.05555).",
    options = { beta = number { default = 0.999, min = 0, below = 1, text = "β of (1−β)/(1−β^n)" } },
    needs_counts = true,
    levels = function(counts, o)
      return each(counts, function(n) return math.sqrt(effective_number.weight(n, o.beta)) end)
    end,
  },

  groups = require "aniso.method.group_levels",

  search = {
    text = "Chosen on the validation part among candidates, by successive halving over seeds.",
    options = search.options,
    chosen = true,
    levels = function()
      error("schedule.lambda = search: the levels are chosen on the validation part when aniso run carries "
        .. "out a study; there are none before", 0)
    end,
  },

  learned = {
    text = "Trained with the model, on the denoising error through the forward process; the budget is kept.",
    options = learned_options,
    trained = true,
    check_coupling = learned_levels.check_coupling,
    levels = function(counts, o, K, image_needed, constants, groups)
      return lambda.levels(o.start, K, counts, constants, image_needed, groups)
    end,
  },

  manual = manual_levels.policy,
}

local DEFAULT = "isotropic"
local rule = options.registry(lambda.policies, DEFAULT, noise_budget.options)

-- A share determines the scale of the levels, so there is no budget to normalise.
local function without_budget(given, where)
  if type(given) ~= "table" and given ~= "share" then return given end
  given = type(given) == "table" and options.copy(given) or { given }
  if given[1] ~= "share" and not given.share_of then return given end
  if given.normalise == nil then given.normalise = "none" end
  if given.normalise ~= "none" then
    error(("option %s.normalise: the image-needed share determines the scale of the levels: leave it out")
      :format(where), 0)
  end
  return given
end

-- The rule for the option schedule.lambda.
lambda.option = options.custom(function(given, where)
  local gathered = manual_levels.gather(own_part.is(given) and given or without_budget(given, where))
  manual_levels.check(gathered, where)
  local choice = rule.check(gathered, where)
  if choice[1] == "search" then search.check(choice) end
  return choice
end, DEFAULT, rule)

-- The complete options; constants that are left out are the bound's.
local function with_constants(choice, constants)
  local policy = lambda.policies[choice[1]]
  if not policy or not policy.takes_constants then return choice end
  local out = options.copy(choice)
  for name, value in pairs(constants) do out[name] = out[name] or value end
  return out
end

-- The constants A, Dn, p, q of the bound for the choice.
function lambda.constants(choice, constants)
  local all, out = with_constants(choice, constants), {}
  local policy = lambda.policies[choice[1]]
  for name, value in pairs(constants) do
    out[name] = policy and policy.takes_constants and all[name] or value
  end
  return out
end

-- The levels in force (K doubles). choice: a complete value of schedule.lambda; constants: those
-- of schedule.bound_constants; counts: training images per class, or nil; image_needed(levels): the
-- estimate for this process, which the shares need; groups: "many", "medium" or "few" per class, or nil.
function lambda.levels(choice, K, counts, constants, image_needed, groups)
  local raw
  if own_part.is(choice) then
    raw = own_part.numbers(choice, "schedule.lambda", K, counts)
  else
    local policy = lambda.policies[choice[1]]
    if policy.needs_counts then bound.check_counts(counts, choice[1]) end
    raw = policy.levels(counts, with_constants(choice, constants), K, image_needed, constants, groups)
  end
  return noise_budget.apply(raw, choice, counts)
end

-- Whether training changes the levels.
function lambda.is_trained(choice)
  local policy = lambda.policies[choice[1]]
  return policy and policy.trained or false
end

-- Whether a policy's levels are known only once a study has chosen them.
local function is_chosen(choice)
  local policy = lambda.policies[choice[1]]
  return policy and policy.chosen or false
end

-- Whether a stored run's levels are its own: found by training, chosen by a study, or given by a recipe's
-- function, which is then not needed again.
function lambda.are_of_run(choice)
  return own_part.is(choice) or lambda.is_trained(choice) or is_chosen(choice)
end

-- Raises if a policy has no levels in the coupling.
function lambda.check_coupling(choice, coupling)
  local policy = lambda.policies[choice[1]]
  if policy and policy.check_coupling then policy.check_coupling(coupling) end
end

-- "power (gamma 0.25)"
local named
function named(choice, constants)
  local shown, names = with_constants(choice, constants), {}
  for name, value in pairs(shown) do
    if type(value) == "number" and not noise_budget.options[name] then names[#names + 1] = name end
  end
  table.sort(names)
  for i, name in ipairs(names) do names[i] = ("%s %g"):format(name, shown[name]) end
  if choice.start then names[#names + 1] = "start " .. named(choice.start, constants) end
  return ("%s%s"):format(choice[1], #names > 0 and (" (%s)"):format(table.concat(names, ", ")) or "")
end

-- "power (gamma 0.25), mean normalised to 1": the choice as print(schedule) shows it.
function lambda.describe(choice, constants)
  if choice.share_of then
    return ("%s, the mean image-needed share of %s"):format(choice[1],
      lambda.describe(choice.share_of, constants))
  end
  return ("%s, %s"):format(named(choice, constants), noise_budget.describe(choice))
end

return lambda
