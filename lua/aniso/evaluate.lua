-- Predictions of a whole part of a data set: the reverse chain's and the prior's own.
-- Every image is encoded once; the R chains of a batch run as one batch of B·R rows; the
-- noise of a chain is addressed by the image's position, so the batch size changes nothing
-- but the time it takes.
local core = require "aniso.core"
local metric = require "aniso.metric"
local sampler = require "aniso.sampler"

local evaluate = {}

local function append(rows, tensor)
  for _, row in ipairs(tensor:totable()) do rows[#rows + 1] = row end
end

local function quantile(sorted, q)
  local at = 1 + q * (#sorted - 1)
  local low = math.floor(at)
  local high = math.min(low + 1, #sorted)
  return sorted[low] + (at - low) * (sorted[high] - sorted[low])
end

-- chains: R rows of probabilities per image, flat (B·R,K) → per image the 95 % interval
-- width of each class and the share of chains that name the same class as their mean.
local function spread(chains, mean, R, widths, agreement)
  for b, row in ipairs(mean) do
    local best, agree, width = 1, 0, {}
    for j = 2, #row do if row[j] > row[best] then best = j end end
    for j = 1, #row do
      local values = {}
      for r = 1, R do values[r] = chains[(b - 1) * R + r][j] end
      table.sort(values)
      width[j] = quantile(values, 0.975) - quantile(values, 0.025)
    end
    for r = 1, R do
      local chain, top = chains[(b - 1) * R + r], 1
      for j = 2, #chain do if chain[j] > chain[top] then top = j end end
      if top == best then agree = agree + 1 end
    end
    widths[#widths + 1] = width
    agreement[#agreement + 1] = agree / R
  end
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
  return prior, sampler.probabilities(y0, how.probabilities, how.temperature)
end

-- how: the configuration's sampler table with `seed`; options.batch images at a time,
-- options.chain = false leaves the chain out, options.tick(done, total) is called per batch.
-- → { true = labels, prior = rows or nil, chain = rows or nil, width, agreement, keys }
function evaluate.predict(model, dataset, part, how, options)
  options = options or {}
  local n, batch = dataset:n(part), options.batch or 256
  local out = { ["true"] = dataset:labels(part):list(), prior = {}, chain = {}, width = {},
    agreement = {} }
  model:train(false)
  for first = 0, n - 1, batch do
    core.ops.no_grad(function()
      local images = dataset:batch(part, first, math.min(batch, n - first))
      if options.chain == false then
        local _, prior = model:look(images)
        append(out.prior, prior.m)
        return
      end
      local prior, each = run_chains(model, images, how, first, model.config.train.predict)
      local rows = each:totable()
      local mean = sampler.mean_over_draws(each, how.draws):totable()
      append(out.prior, prior.m)
      spread(rows, mean, how.draws, out.width, out.agreement)
      for _, row in ipairs(mean) do out.chain[#out.chain + 1] = row end
    end)
    if options.tick then options.tick(math.min(first + batch, n), n) end
  end
  return out
end

-- Mean interval width of each class over all images.
local function mean_width(widths, K)
  local mean = {}
  for j = 1, K do
    local sum = 0
    for _, row in ipairs(widths) do sum = sum + row[j] end
    mean[j] = sum / #widths
  end
  return mean
end

-- All metrics of METHOD §7 for predictions of `which` ("chain" or "prior").
function evaluate.measure(predictions, which, dataset)
  local split, K = dataset.split, dataset.K
  local chain = which == "chain"
  local result = metric.evaluate { ["true"] = predictions["true"], probs = predictions[which],
    K = K, counts = dataset.counts, shot = split.shot,
    width = chain and mean_width(predictions.width, K) or nil }
  if chain then
    local sum = 0
    for _, share in ipairs(predictions.agreement) do sum = sum + share end
    result.agreement = sum / #predictions.agreement
  end
  return result
end

return evaluate
