-- The losses of the priors against their formulas, written out in double, and their gradients against
-- central differences of those formulas.
local lu = require "luaunit"
local core = require "aniso.core"
local config = require "aniso.method.config"
local prior_loss = require "aniso.method.prior_loss"

local COUNTS = { 900, 120, 40, 7 }
local K, B = 4, 6
local LABELS = { 0, 3, 1, 2, 3, 0 }

local function logits()
  local x = core.tensor.randn { shape = { B, K }, seed = 4, stream = "logits" }
  return (x * 1.5):totable()
end

-- ── the formulas, for one row z of logits and its label y (from 1) ─────────────────────────────
local function log_p(z, y)
  local top, sum = math.max(table.unpack(z)), 0
  for _, v in ipairs(z) do sum = sum + math.exp(v - top) end
  return z[y] - top - math.log(sum)
end

local function shifted(z, f)
  local out = {}
  for j, v in ipairs(z) do out[j] = f(v, j) end
  return out
end

local function total(list)
  local sum = 0
  for _, v in ipairs(list) do sum = sum + v end
  return sum
end

-- Σ_b w_y row(z_b, y_b) / Σ_b w_y, PyTorch's mean with class weights; weight nil: all 1.
local function mean_of(row, weight)
  return function(rows)
    local sum, mass = 0, 0
    for b, z in ipairs(rows) do
      local y = LABELS[b] + 1
      local w = weight and weight[y] or 1
      sum, mass = sum + w * row(z, y), mass + w
    end
    return sum / mass
  end
end

local function with_mean_one(list)
  local sum = total(list)
  return shifted(list, function(v) return v * K / sum end)
end

-- 1901.05555, eq. 3: α_j ∝ 1/E_{n_j}, Σ α = K, with E_n = (1 − β^n)/(1 − β).
local function class_balanced(beta)
  return with_mean_one(shifted(COUNTS, function(n) return (1 - beta) / (1 - beta ^ n) end))
end

local function ce(z, y) return -log_p(z, y) end

local function focal(gamma)
  return function(z, y) return -(1 - math.exp(log_p(z, y))) ^ gamma * log_p(z, y) end
end

-- 1906.07413, eq. 13: Δ_j = C/n_j^¼ with the largest Δ given, logits times s.
local function ldam(z, y)
  local largest = 7 ^ -0.25
  local margin = 0.4 * COUNTS[y] ^ -0.25 / largest
  return -log_p(shifted(z, function(v, j) return 10 * (j == y and v - margin or v) end), y)
end

local CASES = {
  { "ce", { "ce" }, mean_of(ce) },
  { "smoothing", { "ce", smoothing = 0.2 }, mean_of(function(z, y)
    local even = 0
    for j = 1, K do even = even - log_p(z, j) / K end
    return 0.8 * ce(z, y) + 0.2 * even
  end) },
  { "weighted", { "weighted", power = 0.5 },
    mean_of(ce, with_mean_one(shifted(COUNTS, function(n) return 1 / math.sqrt(n) end))) },
  { "focal", { "focal", gamma = 1.5 }, mean_of(focal(1.5)) },
  { "class_balanced", { "class_balanced", beta = 0.99 }, mean_of(ce, class_balanced(0.99)) },
  { "class_balanced focal", { "class_balanced", beta = 0.99, gamma = 2 },
    mean_of(focal(2), class_balanced(0.99)) },
  { "ldam before", { "ldam", margin = 0.4, scale = 10, defer = 0.8 }, mean_of(ldam), 0.8 },
  { "ldam after", { "ldam", margin = 0.4, scale = 10, defer = 0.8 },
    mean_of(ldam, class_balanced(0.9999)), 0.801 },
  -- 2007.10740, eq. 4: softmax over n_j e^z.
  { "balanced_softmax", { "balanced_softmax" }, mean_of(function(z, y)
    local sum = 0
    for j, v in ipairs(z) do sum = sum + COUNTS[j] * math.exp(v) end
    return math.log(sum) - math.log(COUNTS[y]) - z[y]
  end) },
  -- 2007.07314, eq. 10: ln(1 + Σ_{j≠y} (π_j/π_y)^τ e^(z_j − z_y)).
  { "logit_adjustment", { "logit_adjustment", tau = 1.3 }, mean_of(function(z, y)
    local sum = 1
    for j, v in ipairs(z) do
      if j ~= y then sum = sum + (COUNTS[j] / COUNTS[y]) ^ 1.3 * math.exp(v - z[y]) end
    end
    return math.log(sum)
  end) },
}

-- The loss and its gradient (B, K) as trained.
local function trained(choice, rows, progress)
  local complete = config.complete { loss = { prior = choice } }.loss.prior
  local x = core.tensor.from(rows)
  x:param()
  local loss = prior_loss.new(complete, COUNTS)(x, core.tensor.from(LABELS, "int64"), progress)
  loss:backward()
  return loss:item(), x.grad:totable()
end

local T = {}

for _, case in ipairs(CASES) do
  local name, choice, formula, progress = table.unpack(case, 1, 4)
  T["test_" .. name:gsub(" ", "_")] = function()
    local rows = logits()
    local value, gradient = trained(choice, rows, progress or 0.5)
    lu.assertAlmostEquals(value, formula(rows), 2e-6 * math.max(1, value))
    local h, largest = 1e-5, 0
    for b = 1, B do
      for j = 1, K do
        local at = rows[b][j]
        rows[b][j] = at + h
        local above = formula(rows)
        rows[b][j] = at - h
        local below = formula(rows)
        rows[b][j] = at
        lu.assertAlmostEquals(gradient[b][j], (above - below) / (2 * h), 1e-5, name)
        largest = math.max(largest, math.abs(gradient[b][j]))
      end
    end
    lu.assertTrue(largest > 0.01, "no gradient to speak of")
  end
end

function T.test_every_kind_is_covered()
  local seen = {}
  for _, case in ipairs(CASES) do seen[case[2][1]] = true end
  for kind in pairs(prior_loss.kinds) do lu.assertTrue(seen[kind], kind) end
end

-- The first 80 % of the steps are without weights, as in LDAM-DRW's 160 of 200 epochs.
function T.test_deferred_weights_begin_with_the_step_after_the_share()
  local complete = config.complete { loss = { prior = { "ldam", defer = 0.8 } } }.loss.prior
  local arguments = prior_loss.kinds.ldam.make(COUNTS, complete)
  local weighted = 0
  for step = 1, 200 do weighted = weighted + (arguments(step / 200).weight and 1 or 0) end
  lu.assertEquals(weighted, 40)
  complete.defer = 1
  lu.assertNil(prior_loss.kinds.ldam.make(COUNTS, complete)(1).weight)
  complete.defer = 0
  lu.assertNotNil(prior_loss.kinds.ldam.make(COUNTS, complete)(1 / 200).weight)
end

-- LDAM's loss has a factor on the logits; the prior's probabilities have it too.
function T.test_the_scale_of_ldam_is_part_of_the_prior()
  local aniso = require "aniso"
  local dataset = aniso.data { "lesions", n = 70, size = 16 }
  for _, case in ipairs { { "ce", 1 }, { "ldam", 30 }, { { "ldam", scale = 4 }, 4 } } do
    for _, cosine in ipairs { false, true } do
      local model = aniso.model(config.complete { backbone = { "resnet", width = 4 }, denoiser = "none",
        prior = { mode = "global", cosine = cosine, top_percent = 100 },
        loss = { prior = case[1] } }, dataset, 0)
      core.ops.no_grad(function()
        local _, prior = model:encode((dataset:batch("train", 0, 4)))
        local expected, m = (prior.g * case[2]):softmax():list(), prior.m:list()
        for i, p in ipairs(expected) do lu.assertAlmostEquals(m[i], p, 1e-6) end
        for _, g in ipairs(cosine and prior.g:list() or {}) do lu.assertTrue(math.abs(g) <= 1 + 1e-5) end
      end)
    end
  end
end

return T
