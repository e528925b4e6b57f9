-- Predictions of a whole part of a data set: the reverse chain's and the prior's own.
-- Every image is encoded once; the R chains of a batch run as one batch of B·R rows; the
-- noise of a chain is addressed by the image's position, so the batch size changes nothing
-- but the time it takes.
local core = require "aniso.core"
local metric = require "aniso.metric"
local sampler = require "aniso.sampler"

local evaluate = {}

-- Adds the rows (or numbers) of a tensor to a list.
local function append(rows, tensor)
  for _, row in ipairs(tensor:totable()) do rows[#rows + 1] = row end
end

local function run_chains(model, images, how, first, predict)
  local features, prior = model:look(images)
  local R, K = how.draws, model.K
  local context = model:context(features, prior)
  local m = prior.m:repeat_rows(R)
  local level = model.schedule.coupling == "sample" and model.schedule:levels_of_priors(m) or nil
  local y0 = sampler.run {
    schedule = model.schedule, m = m, level = level, parameterisation = predict,
    denoise = function(y, t) return model.denoiser:forward(context, y, t) end,
    kind = how[1], eta = how.eta, steps = how.steps, spacing = how.spacing, clip = how.clip,
    seed = how.seed, first = first * R * K,
  }
  return prior, sampler.probabilities(y0, how.probabilities, how.temperature, R)
end

-- how: the configuration's sampler table with `seed`; options.batch images at a time,
-- options.chain = false leaves the chain out, options.tick(done, total) is called per batch.
-- → { true = labels, prior = rows or nil, chain = rows or nil, width, agreement }. A constant
-- prior says nothing about an image, so it has no predictions.
function evaluate.predict(model, dataset, part, how, options)
  options = options or {}
  local n, batch = dataset:n(part), options.batch or 256
  local chain = options.chain ~= false
  local out = { ["true"] = dataset:labels(part):list(), prior = model.learned_prior and {} or nil,
    chain = chain and {} or nil, width = {}, agreement = {} }
  model:train(false)
  for first = 0, n - 1, batch do
    core.ops.no_grad(function()
      local images = dataset:batch(part, first, math.min(batch, n - first))
      local prior, probability, width, agreement
      if chain then
        prior, probability, width, agreement =
          run_chains(model, images, how, first, model.config.train.predict)
      else
        local _
        _, prior = model:look(images)
      end
      if out.prior then append(out.prior, prior.m) end
      if not chain then return end
      append(out.chain, probability)
      append(out.width, width)
      append(out.agreement, agreement)
    end)
    if options.tick then options.tick(math.min(first + batch, n), n) end
  end
  return out
end

-- All metrics of METHOD §7 for predictions of `which` ("chain" or "prior").
function evaluate.measure(predictions, which, dataset)
  local chain = which == "chain"
  return metric.evaluate { ["true"] = predictions["true"], probs = predictions[which],
    K = dataset.K, counts = dataset.counts, shot = dataset.split.shot,
    width = chain and predictions.width or nil,
    agreement = chain and predictions.agreement or nil }
end

return evaluate
