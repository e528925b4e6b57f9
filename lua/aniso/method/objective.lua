-- The training objective (METHOD §6) of one batch, its first term computed by method/prediction.lua:
--   L = w_d E[w_c ‖target − output‖²] + w_m MMD²(ε, ε̂) + w_g L_prior(g) + w_l L_prior(l)
-- Random numbers are addressed by (seed, purpose, step): a resumed run draws the same.
local core = require "aniso.core"
local mixup = require "aniso.method.mixup"
local prediction = require "aniso.method.prediction"

local ops, tensor = core.ops, core.tensor
local objective = {}

-- Times 1 … T for B images × M draws, antithetic: draw 2i+1 of an image is T + 1 − its
-- draw 2i, and without a second draw every other image mirrors its neighbour.
function objective.times(B, M, T, seed, step)
  local rows = B * M
  local drawn = core.rng.below(seed, "time", step, (rows + 1) // 2, T)
  local out = {}
  for r = 1, rows do
    local t = drawn[(r + 1) // 2]
    out[r] = r % 2 == 1 and t or T + 1 - t
  end
  return tensor.from(out, "int64")
end

-- The priors' part: → loss or nil, and its numbers for the progress line. mixed [opt]: the result of
-- mixup.batch() for the images; the loss is then that of two labels.
function objective.prior_loss(self, prior, labels, progress, mixed)
  local weights, total, parts = self.config.loss, nil, {}
  for _, branch in ipairs { { "global", prior.g }, { "local", prior.l } } do
    local name, logits = branch[1], branch[2]
    if logits and weights[name] > 0 then
      local loss = self.prior_criterion(logits, labels, progress)
      if mixed then
        loss = loss * mixed.lambda
          + self.prior_criterion(logits, mixed.labels, progress) * (1 - mixed.lambda)
      end
      parts["prior_" .. name] = loss
      loss = loss * weights[name]
      total = total and total + loss or loss
    end
  end
  return total, parts
end

local BELOW_1 = 1 - 2 ^ -24 -- the largest float32 below 1

-- How far each row's continuous time is before its step t, in [0, 1): mirrored like the times, so
-- that the continuous times of a pair add up to T.
local function before_step(rows, address)
  local drawn = tensor.rand { shape = { (rows + 1) // 2 }, seed = address.seed, stream = "within step",
    a = address.step }:list()
  local out = {}
  for r = 1, rows do
    local x = drawn[(r + 1) // 2]
    out[r] = r % 2 == 1 and x or math.min(1 - x, BELOW_1)
  end
  return tensor.from(out)
end

-- The steps at which the rows are noised, and their noise levels: here λ enters the couplings `class_speed`,
-- `sample` and `image`. m: the prior means of the images (B,K).
local function rows_of(s, labels, m, t, M, address)
  if s.coupling == "sample" then return t, s:levels_of_labels(labels):repeat_rows(M) end
  if s.coupling == "image" then return t, s:levels_of_images(m):repeat_rows(M) end
  if s.coupling ~= "class_speed" then return t, nil end
  return s:times_of_labels(labels:repeat_rows(M), t, before_step(labels:size(1) * M, address)), nil
end

-- What is drawn for a batch and does not depend on λ. In lock-step the first point with M draws
-- makes it, and the others take it from `frozen`, the output of encode_frozen().
local function draw(frozen, labels, M, T, K, address)
  local known, key = frozen and frozen.drawn or {}, M .. " of " .. T
  if not known[key] then
    local rows = labels:size(1) * M
    known[key] = {
      y0 = tensor.one_hot(labels, K):repeat_rows(M),
      t = objective.times(labels:size(1), M, T, address.seed, address.step),
      epsilon = tensor.randn { shape = { rows, K }, seed = address.seed, stream = "noise",
        a = address.step },
    }
  end
  return known[key]
end

-- 1 + α(1 − m_c) of each image, c its class: the less its prior expects the class, the more it weighs.
local function hardness(alpha, m, labels)
  local of_class = (m:detach() * tensor.one_hot(labels, m:size(2))):sum(2)
  return 1 + alpha - of_class:reshape { labels:size(1) } * alpha
end

-- The weight of each row: w_c, c its image's class, once the share `defer` of the training is done,
-- times the hardness; nil if all rows weigh 1. m: the prior means of the images (B,K).
local function row_weights(self, labels, m, M, progress)
  local loss, of_image = self.config.loss, nil
  if self.class_weights and progress >= (loss.class_weight.defer or 0) then
    local K = self.class_weights:numel()
    of_image = ops.embedding(self.class_weights:reshape { K, 1 }, labels):reshape { labels:size(1) }
  end
  if loss.hardness > 0 then
    local hard = hardness(loss.hardness, m, labels)
    of_image = of_image and of_image * hard or hard
  end
  return of_image and of_image:repeat_rows(M)
end

-- The diffusion's part → prediction.loss() with the weights w_c, ε, ε̂. Gradients reach the denoiser and,
-- with prior.gradient, the prior.
function objective.diffusion_loss(self, features, prior, labels, address, frozen)
  local model, config = self.model, self.config
  local s, M, kind = model.schedule, config.train.draws, config.train.prediction
  local drawn = draw(frozen, labels, M, s.T, model.K, address)
  local t, level = rows_of(s, labels, prior.m, drawn.t, M, address)
  local of = { y0 = drawn.y0, epsilon = drawn.epsilon,
    m = (config.prior.gradient and prior.m or prior.m:detach()):repeat_rows(M),
    signal = s:gather("signal", t, level), noise = s:gather("noise", t, level) }

  local y_t = ops.noised(of.y0, of.m, of.epsilon, of.signal, of.noise)
  local context <close> = model:context(features, prior)
  local output = model.denoiser:forward(context, y_t, t)
  local loss = prediction.loss(kind, output, of, row_weights(self, labels, prior.m, M, address.progress))
  return loss, of.epsilon, prediction.epsilon(kind, y_t, output, of)
end

-- The loss of learned levels (METHOD §3) on the draws of the model's own step, with the weights ω_c. If the
-- denoiser is frozen, only the coefficients receive gradients. seen: features and the prior's outputs
-- without gradient. → loss; its rows, as learned_levels.gradient() takes them.
function objective.levels_loss(self, seen, labels, address, frozen)
  local model, config = self.model, self.config
  local s, M = model.schedule, config.train.draws
  local drawn = draw(frozen, labels, M, s.T, model.K, address)
  local t, level = rows_of(s, labels, seen.prior.m, drawn.t, M, address)
  local rows = { labels = labels:repeat_rows(M), level = level, m = seen.prior.m:repeat_rows(M),
    y0 = drawn.y0, epsilon = drawn.epsilon }
  rows.signal, rows.noise = s:gather("signal", t, level):param(), s:gather("noise", t, level):param()
  local y_t = ops.noised(rows.y0, rows.m, rows.epsilon, rows.signal, rows.noise)
  local context <close> = model:context(seen.features, seen.prior)
  return prediction.loss(config.train.prediction, model.denoiser:forward(context, y_t, t), rows,
    model.levels:row_weights(labels, M)), rows
end

-- Features and the prior's outputs of a batch, for a <close> variable: Lua's collector counts them as a few
-- bytes.
local Seen = {}
function Seen:__close()
  self.features:close()
  for _, output in pairs(self.prior) do
    if type(output) == "userdata" then output:close() end
  end
end

local function seen(features, prior)
  return setmetatable({ features = features, prior = prior }, Seen)
end

-- The part of a batch that levels_loss() takes; it shares the elements.
local function detached(features, prior)
  local out = {}
  for _, name in ipairs { "m", "mg", "ml", "crops" } do out[name] = prior[name] and prior[name]:detach() end
  return seen(features:detach(), out)
end

-- The frozen net's output for a batch: several denoisers in lock-step share it.
function objective.encode_frozen(self, images)
  local features, prior = ops.no_grad(self.model.encode, self.model, images)
  return { features = features, prior = prior, drawn = {} }
end

-- The MMD of each granularity (2303.10610): the label, noised by the same draws around a single prior, is
-- denoised with that prior instead of both; the sum of the two discrepancies of ε and ε̂.
local function mmd_of_granularities(self, features, prior, labels, address, frozen)
  local model, config = self.model, self.config
  local s, M = model.schedule, config.train.draws
  local drawn = draw(frozen, labels, M, s.T, model.K, address)
  local t, level = rows_of(s, labels, prior.m, drawn.t, M, address)
  local signal, noise = s:gather("signal", t, level), s:gather("noise", t, level)
  local sum
  for _, one in ipairs { prior.mg, prior.ml } do
    local of = { m = (config.prior.gradient and one or one:detach()):repeat_rows(M), signal = signal,
      noise = noise }
    local y_t = ops.noised(drawn.y0, of.m, drawn.epsilon, signal, noise)
    local context <close> = model:context(features, { crops = prior.crops, mg = one, ml = one })
    local output = model.denoiser:forward(context, y_t, t)
    local loss = self.mmd:loss(drawn.epsilon,
      prediction.epsilon(config.train.prediction, y_t, output, of))
    sum = sum and sum + loss or loss
  end
  return sum
end

-- Cross-entropy of the classifier trained by post_hoc.
local function classifier_loss(self, labels, frozen)
  local logits = self.model.classifier.logits(frozen.features, frozen.prior)
  local loss = ops.cross_entropy(logits, labels)
  return loss, { classifier = loss }
end

-- → total loss and a table of its parts (scalar tensors). `stage` determines which parts count: "joint",
-- "prior", or "denoiser" and "classifier", which take `frozen`, the output of encode_frozen(). With learned
-- levels also the input of levels_loss(): `frozen`, or in "joint" the batch's own, for a <close> variable.
function objective.step(self, images, labels, address, frozen)
  local weights, stage = self.config.loss, self.stage
  if stage == "classifier" then return classifier_loss(self, labels, frozen) end
  local alpha = stage == "prior" and self.config.train.mixup or 0
  local mixed = alpha > 0 and mixup.batch(images, labels, alpha, address) or nil
  local features, prior
  if stage == "denoiser" then
    features, prior = frozen.features, frozen.prior
  else
    features, prior = self.model:encode(mixed and mixed.images or images)
  end
  local _ <close> = stage ~= "denoiser" and seen(features, prior) -- the tape holds what it needs
  local total, parts
  if stage ~= "denoiser" then
    total, parts = objective.prior_loss(self, prior, labels, address.progress, mixed)
  end
  parts = parts or {}
  if stage ~= "prior" then
    local loss, epsilon, epsilon_hat = objective.diffusion_loss(self, features, prior, labels, address,
      frozen)
    parts.denoising = loss
    loss = loss * weights.denoising
    total = total and total + loss or loss
    if weights.mmd > 0 then
      parts.mmd = weights.mmd_of == "granularities"
        and mmd_of_granularities(self, features, prior, labels, address, frozen)
        or self.mmd:loss(epsilon, epsilon_hat)
      total = total + parts.mmd * weights.mmd
    end
  end
  if not total then
    error("nothing to train: the prior is constant and this stage trains the prior only; "
      .. "use train.mode=joint", 0)
  end
  local joint = stage == "joint" and self.model.levels
  return total, parts, joint and detached(features, prior) or frozen
end

return objective
