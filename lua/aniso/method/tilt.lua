-- The option sampler.tilt (METHOD §2): each kind is one entry that derives κ_k. `where` selects
-- what is tilted: the probabilities of the vote, or the estimate of y0 at every step of the chain.
--   kappa(o, counts, levels)   K numbers; o: the complete options; counts: training images per class;
--                              levels: the λ_k in force
--   text, options              what it is, with its source, and its options
local core = require "aniso.core"
local options = require "aniso.recipe.options"
local shift = require "aniso.stats.tilt"

local number, one_of = options.number, options.one_of

local tilt = {}

local where = one_of { "vote", "chain",
  text = "The probabilities of the vote, or the estimate of y0 at each step" }

tilt.kinds = {
  none = { text = "No tilt." },

  prior = {
    text = "κ_k = −tau ln π_k: logit adjustment, 2007.07314.",
    options = { tau = number { default = 1, text = "τ; 1 removes the training shares" }, where = where },
    kappa = function(o, counts) return shift.prior(counts, o.tau) end,
  },

  lambda = {
    text = "κ_k = kappa ln λ_k.",
    options = { kappa = number { default = 1, text = "Factor on ln λ" }, where = where },
    kappa = function(o, _, levels) return shift.lambda(levels, o.kappa) end,
  },

  manual = {
    text = "κ_k as given.",
    options = { values = options.list("number", {}, "K numbers"), where = where },
    kappa = function(o, counts)
      if #o.values ~= #counts then
        error(("option sampler.tilt.values has %d numbers for %d classes"):format(#o.values, #counts), 0)
      end
      return o.values
    end,
  },
}

-- The rule for the option sampler.tilt.
tilt.option = options.registry(tilt.kinds, "none", {}, { class = "aniso.option.tilt",
  text = "Shifts the class probabilities, q̃_k ∝ q_k exp(κ_k)" })

-- κ (K) and where it applies, "vote" or "chain"; nil without a tilt. choice: a complete value of the
-- option, or nil.
function tilt.of(choice, counts, levels)
  if not choice or choice[1] == "none" then return nil end
  return tilt.kinds[choice[1]].kappa(choice, counts, levels), choice.where
end

local SHOWN = 8 -- values listed in a description; longer lists are shortened to a digest

-- "0 1 -0.5", or "100 values 1a2b3c": different lists have different texts.
local function values_text(values)
  local texts = {}
  for k, value in ipairs(values) do texts[k] = ("%.14g"):format(value) end
  local text = table.concat(texts, " ")
  if #values <= SHOWN then return text end
  return ("%d values %s"):format(#values, core.sha256.text(text):sub(1, 6))
end

-- "tilt prior (tau 0.5, vote)"
function tilt.describe(choice)
  if choice[1] == "none" then return "no tilt" end
  local size = choice.tau and ("tau %g"):format(choice.tau)
    or choice.kappa and ("kappa %g"):format(choice.kappa) or values_text(choice.values)
  return ("tilt %s (%s, %s)"):format(choice[1], size, choice.where)
end

return tilt
