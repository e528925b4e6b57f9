-- The training objective (METHOD §6) of one batch:
--   L = E‖target − output‖² + η MMD²(ε, ε̂) + μ_g L_prior(g) + μ_l L_prior(l)
-- Random numbers are addressed by (seed, purpose, step): a resumed run draws the same.
local core = require "aniso.core"

local ops, tensor = core.ops, core.tensor
local objective = {}

-- One-hot rows (B,K) of labels int64 (B).
local function one_hot(labels, K)
  return ops.embedding(objective.identity(K), labels)
end

local identities = {}
function objective.identity(K)
  if not identities[K] then
    local eye = tensor.zeros { K, K }
    for j = 1, K do eye:set(j, j, 1) end
    identities[K] = eye
  end
  return identities[K]
end

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

-- The priors' part: → loss or nil, and its numbers for the progress line.
function objective.prior_loss(self, prior, labels, progress)
  local weights, total, parts = self.config.loss, nil, {}
  for _, branch in ipairs { { "global", prior.g }, { "local", prior.l } } do
    local name, logits = branch[1], branch[2]
    if logits and weights[name] > 0 then
      local loss = self.prior_criterion(logits, labels, progress)
      parts["prior_" .. name] = loss
      loss = loss * weights[name]
      total = total and total + loss or loss
    end
  end
  return total, parts
end

-- What is drawn for a batch and does not depend on λ. In lock-step the first point that has
-- M draws makes it, and the others find it in `seen`.
local function draw(seen, labels, M, T, K, address)
  local known, key = seen and seen.drawn or {}, M .. " of " .. T
  if not known[key] then
    local rows = labels:size(1) * M
    known[key] = {
      y0 = one_hot(labels, K):repeat_rows(M),
      t = objective.times(labels:size(1), M, T, address.seed, address.step),
      epsilon = tensor.randn { shape = { rows, K }, seed = address.seed, stream = "noise",
        a = address.step },
    }
  end
  return known[key]
end

-- The diffusion's part for images seen as (features, prior).
function objective.diffusion_loss(self, features, prior, labels, address, seen)
  local model, config = self.model, self.config
  local s, M = model.schedule, config.train.draws
  local drawn = draw(seen, labels, M, s.T, model.K, address)
  local y0, t, epsilon = drawn.y0, drawn.t, drawn.epsilon
  local m = (config.prior.gradient and prior.m or prior.m:detach()):repeat_rows(M)
  local level = s.coupling == "sample" and s:levels_of_labels(labels):repeat_rows(M) or nil

  local a, sd = s:gather("signal", t, level), s:gather("noise", t, level)
  local z0 = y0 - m
  local y_t = m + a * z0 + sd * epsilon
  local context <close> = model:context(features, prior)
  local output = model.denoiser:forward(context, y_t, t)

  local loss
  local prediction, epsilon_hat = config.train.prediction, output
  if prediction == "epsilon" then
    loss = ops.mse(output, epsilon)
  elseif prediction == "y0" then
    loss, epsilon_hat = ops.mse(output, y0), (y_t - m - a * (output - m)) / sd
  else -- v = a ε − s z0, so ε = (a v + s z_t) / (a² + s²)
    loss = ops.mse(output, a * epsilon - sd * z0)
    epsilon_hat = (a * output + sd * (y_t - m)) / (a * a + sd * sd)
  end
  return loss, epsilon, epsilon_hat
end

-- The frozen net's output for a batch: several denoisers in lock-step share it.
function objective.encode_frozen(self, images)
  local features, prior = ops.no_grad(self.model.encode, self.model, images)
  return { features = features, prior = prior, drawn = {} }
end

-- → total loss and a table of its parts (scalar tensors). `stage` says which parts count:
-- "joint", "prior" or "denoiser", which wants the output of encode_frozen().
function objective.step(self, images, labels, address, seen)
  local weights, stage = self.config.loss, self.stage
  local features, prior
  if stage == "denoiser" then
    features, prior = seen.features, seen.prior
  else
    features, prior = self.model:encode(images)
  end
  local _ <close> = stage ~= "denoiser" and features -- the tape holds what it needs
  local total, parts
  if stage ~= "denoiser" then
    total, parts = objective.prior_loss(self, prior, labels, address.progress)
  end
  parts = parts or {}
  if stage ~= "prior" then
    local loss, epsilon, epsilon_hat = objective.diffusion_loss(self, features, prior, labels, address,
      seen)
    parts.denoising = loss
    loss = loss * weights.denoising
    total = total and total + loss or loss
    if weights.mmd > 0 then
      parts.mmd = self.mmd:loss(epsilon, epsilon_hat)
      total = total + parts.mmd * weights.mmd
    end
  end
  if not total then
    error("nothing to train: the prior is constant and this stage trains the prior only; "
      .. "use train.mode=joint", 0)
  end
  return total, parts
end

return objective
