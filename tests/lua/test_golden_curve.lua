-- Ten training steps of the whole model replayed from PyTorch's file: backbone, prior,
-- forward process, denoiser, objective, AdamW. Times and noise come from the file. The loss
-- of each step may have a relative error of 1e-4; errors accumulate over the steps.

local aniso = require "aniso"
local core = require "aniso.core"
local golden = dofile "tests/lua/golden.lua"
local lu = require "luaunit"

local ops = core.ops
local TOLERANCE = 1e-4

local function build(case)
  local module = core.module.new { seed = 1 }
  local model = { module = module,
    backbone = core.resnet.new(module, "backbone", { depth = 8, width = 4, channels = 3 }),
    prior = core.prior.new(module, "prior", case.prior),
    denoiser = core.denoiser.new(module, "denoiser", case.denoiser),
    schedule = aniso.schedule { "cosine", T = case.T, counts = case.counts,
      lambda = case.schedule.lambda, coupling = case.schedule.coupling },
  }
  module:seal():train(true)
  golden.load_state(module, case)
  return model
end

-- METHOD §6 → {loss =, mse =, mmd =, g =, l =}, scalars; absent parts are nil.
local function losses(case, model, t, epsilon)
  local images, labels = case.tensor "images", case.tensor "labels"
  local features = model.backbone:forward(images)
  local prior = model.prior:forward(images, features)
  local y0 = core.tensor.one_hot(labels, #case.counts):repeat_rows(case.draws)
  local y = model.schedule:noised(y0, prior.m:detach():repeat_rows(case.draws), t, epsilon)
  local context = model.denoiser:encode { features = features, crops = prior.crops,
    mg = prior.mg, ml = prior.ml }
  local estimate = model.denoiser:forward(context, y, t)
  local parts = { mse = ops.mse(estimate, epsilon) }
  if case.mmd > 0 then
    parts.mmd = aniso.mmd { multipliers = case.multipliers }(epsilon, estimate) * case.mmd
  end
  parts.g = ops.cross_entropy(prior.g, labels) * case.prior_loss
  parts.l = prior.l and ops.cross_entropy(prior.l, labels) * case.prior_loss
  local loss = parts.mse
  for _, key in ipairs { "mmd", "g", "l" } do
    if parts[key] then loss = loss + parts[key] end
  end
  parts.loss = loss
  return parts
end

-- Matrix or vector number `step` of a stack.
local function slice(stack, step)
  local shape = stack:shape()
  table.remove(shape, 1)
  return stack:narrow(1, step, 1):reshape(shape)
end

local function int_row(stack, step)
  local all, n = stack:list(), stack:size(2)
  local out = {}
  for i = 1, n do out[i] = all[(step - 1) * n + i] end
  return core.tensor.from(out, "int64")
end

local function check(case)
  local model, o = build(case), case.optimizer
  local optimizer = aniso.optim.adamw { momentum = o.beta1, beta2 = o.beta2, eps = o.eps,
    weight_decay = o.decay }
  for step = 1, case.steps do
    local parts = losses(case, model, int_row(case.tensor "t", step),
      slice(case.tensor "epsilon", step))
    for column, key in ipairs(case.losses) do
      local got, expected = parts[key]:item(), case.tensor "losses":get(step, column)
      local off = math.abs(got - expected) / math.abs(expected)
      lu.assertTrue(off <= TOLERANCE, ("step %d, %s: %.9g, PyTorch %.9g (relative %.2g)")
        :format(step, key, got, expected, off))
    end
    model.module:zero_grad()
    parts.loss:backward()
    optimizer:step(model.module, o.lr)
  end
end

return { test_curve = golden.tests("curve", check) }
