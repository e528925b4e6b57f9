-- mixup: λ is Beta-distributed and addressed by the step, batches and losses are mixed as defined, and the
-- stage that trains the priors uses it alone.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local mixup = require "aniso.method.mixup"
local objective = require "aniso.method.objective"
local stage = require "aniso.train.stage"
local lock_step = dofile "tests/lua/lockstep_fixture.lua"

local T = {}

-- Of Beta(α, α): mean ½, variance 1 / (4 (2α + 1)), fourth central moment 3 v² (2α + 1) / (2α + 3).
function T.test_lambda_has_the_moments_of_beta()
  local n = 4000
  for _, alpha in ipairs { 0.2, 1, 4 } do
    local mean, second, fourth = 0, 0, 0
    for step = 1, n do
      local x = mixup.lambda(alpha, 11, step)
      lu.assertTrue(x >= 0 and x <= 1)
      mean, second, fourth = mean + x / n, second + (x - 0.5) ^ 2 / n, fourth + (x - 0.5) ^ 4 / n
    end
    local v = 1 / (4 * (2 * alpha + 1))
    local expected = 3 * v ^ 2 * (2 * alpha + 1) / (2 * alpha + 3)
    lu.assertAlmostEquals(mean, 0.5, 4 * math.sqrt(v / n))
    lu.assertAlmostEquals(second, v, 0.05 * v)
    lu.assertAlmostEquals(fourth, expected, 0.08 * expected)
  end
end

-- Beta(½, ½) is the arcsine law: P(λ ≤ x) = 2/π asin √x. Beta(1, 1) is uniform.
function T.test_lambda_has_the_distribution_of_beta()
  local n = 4000
  local laws = { [0.5] = function(x) return 2 / math.pi * math.asin(math.sqrt(x)) end,
    [1] = function(x) return x end }
  for alpha, law in pairs(laws) do
    local drawn, largest = {}, 0
    for step = 1, n do drawn[step] = mixup.lambda(alpha, 3, step) end
    table.sort(drawn)
    for i, x in ipairs(drawn) do largest = math.max(largest, math.abs(law(x) - (i - 0.5) / n)) end
    lu.assertTrue(largest < 1.95 / math.sqrt(n), "Kolmogorov–Smirnov distance " .. largest) -- p = 0.001
  end
end

function T.test_the_address_alone_decides()
  lu.assertEquals(mixup.lambda(0.3, 5, 9), mixup.lambda(0.3, 5, 9))
  lu.assertNotEquals(mixup.lambda(0.3, 5, 9), mixup.lambda(0.3, 5, 10))
  lu.assertNotEquals(mixup.lambda(0.3, 5, 9), mixup.lambda(0.3, 6, 9))
  lu.assertEquals(mixup.partners(20, 5, 9):list(), mixup.partners(20, 5, 9):list())
  lu.assertNotEquals(mixup.partners(20, 5, 9):list(), mixup.partners(20, 5, 10):list())
end

function T.test_partners_are_a_permutation()
  local first, n = {}, 600
  for step = 1, n do
    local seen, list = {}, mixup.partners(6, 1, step):list()
    for _, j in ipairs(list) do seen[j] = true end
    for j = 0, 5 do lu.assertTrue(seen[j]) end
    first[list[1]] = (first[list[1]] or 0) + 1
  end
  for j = 0, 5 do lu.assertAlmostEquals(first[j] / n, 1 / 6, 0.06) end
end

function T.test_a_batch_is_the_mixture_of_its_images()
  local images = core.tensor.randn { shape = { 5, 3, 2, 2 }, seed = 1, stream = "images" }
  local labels = core.tensor.from({ 0, 1, 2, 3, 4 }, "int64")
  local mixed = mixup.batch(images, labels, 1, { seed = 7, step = 3 })
  lu.assertEquals(mixed.lambda, mixup.lambda(1, 7, 3))
  local partners, own, out = mixup.partners(5, 7, 3):list(), images:list(), mixed.images:list()
  lu.assertEquals(mixed.labels:list(), partners)
  lu.assertEquals(mixed.images:shape(), { 5, 3, 2, 2 })
  for i = 1, 5 do
    for k = 1, 12 do
      local expected = mixed.lambda * own[(i - 1) * 12 + k] + (1 - mixed.lambda) * own[partners[i] * 12 + k]
      lu.assertAlmostEquals(out[(i - 1) * 12 + k], expected, 1e-6)
    end
  end
end

local function session(changes)
  local with = { ["loss.prior"] = "ce" }
  for key, value in pairs(changes or {}) do with[key] = value end
  local prepared = aniso.trainer.prepare { config = lock_step.complete(with), seed = 2 }
  stage.begin(prepared, 1)
  return prepared
end

-- Σ_j q_j (−log p_j) with soft labels q = λ e_y + (1−λ) e_y′, written out.
function T.test_the_loss_is_that_of_soft_labels()
  local s = session { ["prior.mode"] = "global", ["train.mixup"] = 1 }
  local images, labels = s.dataset:batch("train", 0, 28)
  local address = { seed = 2, step = 5, progress = 0 }
  s.model:train(false)
  local loss, mean = nil, 0
  core.ops.no_grad(function()
    loss = objective.step(s, images, labels, address):item()
    local mixed = mixup.batch(images, labels, 1, address)
    local _, prior = s.model:encode(mixed.images)
    local log_p, own, other = prior.g:log_softmax():totable(), labels:list(), mixed.labels:list()
    for i, row in ipairs(log_p) do
      mean = mean - (mixed.lambda * row[own[i] + 1] + (1 - mixed.lambda) * row[other[i] + 1]) / #log_p
    end
  end)
  lu.assertAlmostEquals(loss, mean, 1e-5)
end

function T.test_alpha_0_is_off_to_the_bit_and_the_denoiser_is_not_mixed()
  local function loss_of(changes, number)
    local s = session(changes)
    if number == 2 then stage.begin(s, 2) end
    s.model:train(true)
    local batch <close> = stage.batch(s, core.tensor.arange(28))
    local loss = objective.step(s, batch.images, batch.labels, { seed = 2, step = 1, progress = 0 },
      batch.frozen):item()
    core.ops.clear_tape()
    return loss
  end
  lu.assertEquals(loss_of({ ["train.mixup"] = 0 }, 1), loss_of({}, 1))
  lu.assertNotEquals(loss_of({ ["train.mixup"] = 1 }, 1), loss_of({}, 1))
  lu.assertEquals(loss_of({ ["train.mixup"] = 1 }, 2), loss_of({}, 2))
end

return T
