-- The imbalance-sensitive bound on the balanced error (METHOD §3):
--   E(λ) = 1/K Σ_j [ A / (λ_j^p √n_j) + Dn λ_j^q ]
-- The first term bounds the generalisation error: a class with few images needs a high level. The second is
-- the price of denoising at a high level. Each class has its own minimum.
local number = require("aniso.recipe.options").number

local bound = {}

-- The options of schedule.bound_constants, which the policy "bound" may override.
bound.constants = {
  A = number { default = 1, above = 0, text = "Weight of the generalisation term" },
  Dn = number { default = 1, above = 0, text = "Weight of the denoising term" },
  p = number { default = 1, above = 0, text = "Power of λ in the generalisation term" },
  q = number { default = 1, above = 0, text = "Power of λ in the denoising term" },
}

-- Raises unless every class has a training image; `who` names what needs the counts.
function bound.check_counts(counts, who)
  if not counts then error(who .. " needs the training images per class: give counts", 0) end
  for j, n in ipairs(counts) do
    if n < 1 then
      error(("class %d has counts[%d] = %d: %s needs at least one image of each class (merge or "
        .. 'drop the class, or use lambda = "isotropic" or "manual")'):format(j, j, n, who), 0)
    end
  end
end

-- Raises unless every level is finite and above 0.
function bound.check_levels(levels)
  for j, level in ipairs(levels) do
    if not (level > 0 and level < math.huge) then
      error(("class %d has lambda[%d] = %s: a noise level must be finite and above 0")
        :format(j, j, level ~= level and "nan" or ("%g"):format(level)), 0)
    end
  end
end

-- The level that minimises the term of a class of n images: dE/dλ = 0.
function bound.minimiser(n, c)
  return (c.p * c.A / (c.q * c.Dn * math.sqrt(n))) ^ (1 / (c.p + c.q))
end

-- E at `levels` (K), and per class {generalisation =, denoising =}, the terms before the factor 1/K.
-- c: {A, Dn, p, q}, counts: K training images per class.
function bound.value(c, counts, levels)
  bound.check_counts(counts, "the bound")
  bound.check_levels(levels)
  local sum, terms = 0, {}
  for j, level in ipairs(levels) do
    local generalisation = c.A / (level ^ c.p * math.sqrt(counts[j]))
    local denoising = c.Dn * level ^ c.q
    sum = sum + (generalisation + denoising)
    terms[j] = { generalisation = generalisation, denoising = denoising }
  end
  return sum / #levels, terms
end

return bound
