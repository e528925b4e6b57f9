-- Noise budgets as tests compute them: fixture.of(counts) → {counts_of, value_of, gradient} for the classes
-- with these training images.
local lu = require "luaunit"
local noise_budget = require "aniso.method.noise_budget"

local fixture = {}

function fixture.assert_near(got, expected, tolerance, what)
  lu.assertTrue(math.abs(got - expected) <= tolerance,
    ("%s: %.9g is not %.9g to %g"):format(what or "value", got, expected, tolerance))
end

function fixture.of(counts)
  local own = {}

  function own.counts_of(normalise)
    return noise_budget.kinds[normalise].needs_counts and counts or nil
  end

  -- What `normalise` brings to 1, of K levels.
  function own.value_of(normalise, levels)
    return noise_budget.kinds[normalise].of(levels, own.counts_of(normalise))
  end

  -- K numbers that look like gradients, without a pattern.
  function own.gradient(i)
    local out = {}
    for j = 1, #counts do out[j] = math.sin(3.7 * i + 11.3 * j * j) end
    return out
  end

  return own
end

return fixture
