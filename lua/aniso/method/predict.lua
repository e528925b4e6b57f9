-- Predictions for a whole part of a data set: the reverse chain's, the prior's own, and the scores of
-- post_hoc, which changes the prior after its training (post_hoc.lua).
-- Every image is encoded once (encoded.lua). The R chains of a batch run as one batch of B·R rows, or as
-- several if there are many. The noise of a chain is addressed by the image's position, so the batch size
-- affects only the time.
local core = require "aniso.core"
local encoded = require "aniso.method.encoded"
local metric = require "aniso.stats.metric"
local post_hoc = require "aniso.method.post_hoc"
local prediction = require "aniso.method.prediction"
local sampler = require "aniso.method.sampler"
local tilt = require "aniso.method.tilt"

-- most_rows: limit on the chains run at once, so that their memory does not grow with images × draws.
local predict = { most_rows = 65536 }

-- Adds the rows (or numbers) of a tensor to a list.
local function append(rows, tensor)
  for _, row in ipairs(tensor:totable()) do rows[#rows + 1] = row end
end

-- κ of a sampler's tilt if it applies at `where`, else nil.
local function kappa_at(where, model, how)
  local kappa, at = tilt.of(how.tilt, model.counts, model.schedule.levels)
  return at == where and kappa or nil
end

-- ŷ0 (B·R,K) at the ends of the chains of some images, the first of which has index `first` in its part.
-- options [opt]: see(map) receives the denoiser's attention at each step, (B·R,K,N); beat() is called before
-- each step; alike: every image uses the noise of index `first`.
local function run_chains(model, features, prior, how, first, options)
  local see, beat, kind = options.see, options.beat, model.config.train.prediction
  local R, K = how.draws, model.K
  local context <close> = model:context(features, prior)
  local m = prior.m:repeat_rows(R)
  return sampler.run {
    schedule = model.schedule, m = m, level = sampler.levels(model.schedule, m, how.level),
    kappa = kappa_at("chain", model, how), prediction = prediction.read_as(kind),
    denoise = function(y, t)
      if beat then beat() end
      if not see then return prediction.readable(kind, model.denoiser:forward(context, y, t)) end
      local output, map = model.denoiser:forward(context, y, t, { map = true })
      see(map)
      return prediction.readable(kind, output)
    end,
    kind = how, steps = how.steps, spacing = how.spacing, clip = how.clip,
    seed = how.seed, first = first * R * K, alike = options.alike and R or nil,
  }
end

-- The vote of the chains that ended at y0: class probabilities, interval width, agreement.
local function vote(model, y0, how)
  return sampler.probabilities(y0, how.probabilities, how.temperature, how.draws,
    kappa_at("vote", model, how))
end

-- Class probabilities, interval width and agreement of the chains of some images; see run_chains().
function predict.chains(model, features, prior, how, first, options)
  return vote(model, run_chains(model, features, prior, how, first, options or {}), how)
end

local function add_vote(out, model, y0, how)
  local probability, width, agreement = vote(model, y0, how)
  append(out.chain, probability)
  append(out.width, width)
  append(out.agreement, agreement)
end

-- Runs the chains of a batch, for as many images at once as predict.most_rows allows.
local function add_chains(out, model, batch, how, options)
  local n, began = batch.features:size(1), core.sys.monotonic()
  local most = math.max(1, predict.most_rows // how.draws)
  for start = 0, n - 1, most do
    local features, prior = batch.features, batch.prior
    if most < n then features, prior = encoded.some(batch, start, math.min(most, n - start)) end
    local y0 = run_chains(model, features, prior, how, batch.first + start, options)
    add_vote(out, model, y0, how)
    if out.ends then out.ends[#out.ends + 1] = y0 end
  end
  out.seconds = out.seconds + core.sys.monotonic() - began
end

-- Reads the same chains with another temperature or another tilt of the vote. predictions: made with
-- options.keep; how: the sampler options, which differ from the chains' only in these two.
function predict.read_again(predictions, model, how)
  local out = { ["true"] = predictions["true"], prior = predictions.prior, chain = {}, width = {},
    agreement = {}, seconds = predictions.seconds, encoding_s = predictions.encoding_s }
  for _, y0 in ipairs(predictions.ends) do add_vote(out, model, y0, how) end
  return out
end

local function unguarded(f)
  f()
  return true
end

-- Collects the predictions of a job. prior_rows: shared by all jobs.
local function collector(one, labels, prior_rows, chain, options)
  return { ["true"] = labels, prior = prior_rows, chain = chain and {} or nil, width = {}, agreement = {},
    scores = options.post_hoc and one.model.config.post_hoc and {} or nil, ends = options.keep and {} or nil,
    seconds = 0, encoding_s = 0 }
end

-- Predictions of several models that share one net, which encodes every image once; a run without a
-- denoiser is predicted by itself. jobs: a list of {model =, how =, guard [opt] = function(f) → whether f()
-- succeeded}; a model whose guard returns false is left out from there on. → a list as predict() gives.
function predict.predict_all(jobs, dataset, part, options)
  local n, lead, labels = dataset:n(part), jobs[1].model, dataset:labels(part):list()
  local chain = options.chain ~= false and lead.denoiser ~= nil
  local out, prior_rows, lost = {}, lead.learned_prior and {} or nil, {}
  for i, one in ipairs(jobs) do
    one.model:train(false)
    out[i] = collector(one, labels, prior_rows, chain, options)
  end
  local size = options.batch or encoded.images_at_once(dataset.height, dataset.width)
  for batch in encoded.batches(lead, dataset, part, size, options.cache) do
    core.ops.no_grad(function()
      if prior_rows then append(prior_rows, batch.prior.m) end
      if out[1].scores then
        append(out[1].scores, post_hoc.scores(lead.config.post_hoc, lead, batch.features, batch.prior))
      end
      for i, one in ipairs(chain and jobs or {}) do
        lost[i] = lost[i] or not (one.guard or unguarded)(function()
          add_chains(out[i], one.model, batch, one.how, options)
        end)
      end
    end)
    for _, own in ipairs(out) do own.encoding_s = own.encoding_s + batch.seconds end
    if options.tick then options.tick(math.min(batch.first + batch.features:size(1), n), n) end
  end
  return out
end

-- how: the configuration's sampler table with `seed`; options.batch: images at a time;
-- options.chain = false leaves the chain out; options.post_hoc = true adds the scores of the
-- configuration's post_hoc; options.keep keeps the chains' ends for read_again(), N·R·K floats;
-- options.tick(done, total) is called per batch, options.beat() before each step of a chain; options.cache
-- keeps what is encoded (encoded.lua).
-- → { true = labels, prior = rows or nil, chain = rows or nil, width, agreement, scores = rows or nil,
-- encoding_s and seconds = time of encoding and of the chains over all images }.
-- A constant prior carries no information about an image, so it has no predictions.
function predict.predict(model, dataset, part, how, options)
  return predict.predict_all({ { model = model, how = how } }, dataset, part, options or {})[1]
end

-- All metrics of METHOD §7 for predictions of `which` ("chain", "prior" or "post_hoc").
function predict.measure(predictions, which, dataset)
  local chain = which == "chain"
  return metric.evaluate { ["true"] = predictions["true"], probs = predictions[which],
    K = dataset.K, counts = dataset.counts, shot = dataset.split.shot,
    width = chain and predictions.width or nil,
    agreement = chain and predictions.agreement or nil }
end

return predict
