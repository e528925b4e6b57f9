-- One stage of training: epochs over the training part, each followed by a validation and
-- a checkpoint. "joint" trains everything, "prior" the backbone and the priors,
-- "denoiser" the denoiser on frozen features, several of them in lock-step (lockstep.lua).
local core = require "aniso.core"
local evaluate = require "aniso.method.predict"
local objective = require "aniso.method.objective"
local optim = require "aniso.method.optim"
local rate = require "aniso.method.lr_schedule"
local average = require "aniso.train.ema"
local looks = require "aniso.train.feature_cache"
local state = require "aniso.train.checkpoint"
local together = require "aniso.train.lockstep"

local stage = {}

-- The stages of a configuration: { {name, modules trained, epochs} … }.
function stage.plan(config)
  local train = config.train
  if train.mode == "joint" then
    return { { name = "joint", trains = { net = true, den = true }, epochs = train.epochs } }
  end
  local first = train.prior_epochs > 0 and train.prior_epochs or train.epochs
  return { { name = "prior", trains = { net = true }, epochs = first },
    { name = "denoiser", trains = { den = true }, epochs = train.epochs } }
end

-- Prepares session fields for stage number i: what is trained, optimisers, averages.
function stage.begin(session, i)
  local plan, train = session.plan[i], session.config.train
  session.stage_number, session.stage, session.stage_epochs = i, plan.name, plan.epochs
  session.first_epoch = i == 1 and 0 or session.plan[1].epochs
  session.trained, session.optimisers, session.averages = {}, {}, {}
  for _, part in ipairs(session.model.modules) do
    local trains = plan.trains[part.name]
    part.module:freeze(not trains)
    if trains and part.module:count() > 0 then
      local n = #session.trained + 1
      session.trained[n] = part
      session.optimisers[n] = optim[train.optimiser] { weight_decay = train.weight_decay,
        momentum = train.momentum }
      if train.ema_decay > 0 then
        session.averages[n] = average.new(part.module, train.ema_decay)
      end
    end
  end
  session.epoch, session.step, session.best = session.first_epoch, 0, { epoch = 0 }
end

-- Steps of an epoch. A remainder too small for batch statistics is left for another epoch
-- (the order changes each time).
function stage.steps_per_epoch(session)
  local n, batch = session.dataset:n "train", session.config.train.batch
  local full, rest = n // batch, n % batch
  return full == 0 and 1 or rest >= math.max(2, batch // 4) and full + 1 or full
end

-- The joint norm of all gradients.
local function gradient_norm(session)
  local sum = 0
  for _, part in ipairs(session.trained) do
    local _, gradient = part.module:flat()
    sum = sum + core.step.grad_norm(gradient) ^ 2
  end
  return math.sqrt(sum)
end

-- Steps every module that is trained, its gradient scaled so that their joint norm is at most
-- `limit` (0: as it is), and its average with it.
local function update(session, lr, norm, limit)
  local with = { scale = limit > 0 and norm > limit and limit / norm or 1 }
  for i, part in ipairs(session.trained) do
    local follower = session.averages[i]
    if follower then with.average, with.keep = follower:advance() end
    session.optimisers[i]:step(part.module, lr, with)
    part.module:zero_grad()
  end
end

local function check_finite(session, value, epoch)
  if value == value and math.abs(value) < math.huge then return end
  core.ops.clear_tape()
  error(("the loss became %s in epoch %d, step %d; the checkpoint before it is kept. "
    .. "A lower train.lr or a train.clip above 0 usually helps"):format(value, epoch, session.step), 0)
end

-- One session's step on a stage.batch(); returns the numbers of the loss's parts.
function stage.step_on(session, batch, total_steps)
  local config, epoch = session.config.train, session.epoch + 1
  session.step = session.step + 1
  local loss, parts = objective.step(session, batch.images, batch.labels, { seed = session.seed,
    step = session.step + session.stage_number * 1000000000, progress = session.step / total_steps },
    batch.seen)
  local value = loss:item()
  check_finite(session, value, epoch)
  loss:backward()
  local norm = gradient_norm(session)
  check_finite(session, norm, epoch)
  local lr = config.lr * session.rate(session.step, total_steps)
  update(session, lr, norm, config.clip)
  local numbers = { loss = value, grad_norm = norm, lr = lr }
  for name, part in pairs(parts) do numbers["loss_" .. name] = part:item() end
  return numbers
end

-- What a batch holds of images goes at once, not when Lua's collector comes by: it sees a few
-- bytes where there are megabytes.
local Batch = {}
function Batch:__close()
  if self.images then self.images:close() end
  if self.seen then self.seen.features:close() end
end

-- For a <close> variable: the images at `positions`, and what a frozen net sees in them; of the
-- latter alone where it is kept (looks.of).
function stage.batch(session, positions, kept)
  if kept then
    local labels, seen = kept(positions)
    return setmetatable({ labels = labels, seen = seen }, Batch)
  end
  local images, labels = session.dataset:batch("train", positions,
    { augment = session.config.train.augment, seed = session.seed, epoch = session.epoch + 1 })
  return setmetatable({ images = images, labels = labels,
    seen = session.stage == "denoiser" and objective.look(session, images) or nil }, Batch)
end

-- One step of one session.
function stage.step(session, positions, total_steps)
  local batch <close> = stage.batch(session, positions)
  return stage.step_on(session, batch, total_steps)
end

local function add(sums, numbers)
  for name, value in pairs(numbers) do sums[name] = (sums[name] or 0) + value end
end

-- An epoch of sessions that stand at the same one; → per session the means of its numbers.
local function train_epoch(sessions, kept)
  local lead, sums = sessions[1], {}
  local config, dataset = lead.config.train, lead.dataset
  local n, epoch = dataset:n "train", lead.epoch + 1
  local steps = stage.steps_per_epoch(lead)
  local order = dataset:order("train", { sampling = config.sampling, seed = lead.seed,
    epoch = epoch, epochs = lead.first_epoch + lead.stage_epochs })
  for _, session in ipairs(sessions) do
    session.model:train(true)
    sums[session] = {}
  end
  for i = 1, steps do
    if #together.living(sessions) == 0 then break end
    local first = (i - 1) * config.batch
    local positions = order:narrow(1, first + 1, math.min(config.batch, n - first))
    local batch <close> = stage.batch(lead, positions, kept)
    together.each(sessions, function(session)
      local numbers = stage.step_on(session, batch, steps * session.stage_epochs)
      add(sums[session], numbers)
      session.tick(lead.first_epoch * steps + (epoch - 1 - lead.first_epoch) * steps + i, numbers.loss)
    end)
  end
  for _, sum in pairs(sums) do
    for name, value in pairs(sum) do sum[name] = value / steps end
  end
  return sums
end

-- A validation's metrics; the selection's value.
local function measure(session, predictions)
  local config = session.config
  local fields, chosen = {}, nil
  local of = session.stage == "prior" and "prior" or config.select.of
  for _, which in ipairs { "prior", "chain" } do
    local measured = predictions[which] and evaluate.measure(predictions, which, session.dataset)
    if measured then
      local prefix = which == "prior" and "prior_" or ""
      for _, name in ipairs { "acc", "bacc", "macro_f1", "nll" } do
        fields[prefix .. name] = measured[name]
      end
      if which == of then chosen = measured[config.select.metric] end
    end
  end
  if chosen == nil then
    error(("the validation part has no %s of the %s, so no epoch can be chosen by it; see "
      .. "select.metric and select.of"):format(config.select.metric, of), 0)
  end
  return fields, chosen
end

local LOWER_IS_BETTER = { nll = true, brier = true, ece = true }

local function select_best(session, predictions)
  local fields, value = measure(session, predictions)
  session.record:metric("val", session.epoch, fields)
  local sign = LOWER_IS_BETTER[session.config.select.metric] and -1 or 1
  local best = session.best.value
  if session.config.select.keep == "last" or best == nil or sign * value > sign * best then
    session.best = { epoch = session.epoch, value = value }
    state.save_best(session)
  end
  session.validated = fields
end

-- The validation part with the weights in force, once for all sessions.
local function validate(sessions)
  local lead = sessions[1]
  local predictions = together.predict(sessions, "val", function(session)
    local config, how = session.config, {}
    for key, value in pairs(config.sampler) do how[key] = value end
    how.steps = math.min(config.select.steps, session.model.schedule.T)
    how.draws = config.select.draws
    return how
  end, { chain = lead.stage ~= "prior" })
  together.each(sessions, function(session) select_best(session, predictions[session]) end)
end

local function run_epoch(sessions, last, kept)
  local sums = train_epoch(sessions, kept)
  local lead = sessions[1]
  local validates = (lead.epoch + 1) % lead.config.select.every == 0 or lead.epoch + 1 == last
  together.each(sessions, function(session)
    session.epoch, session.validated = session.epoch + 1, nil
    session.record:metric("train", session.epoch, sums[session])
  end)
  local living = together.living(sessions)
  if validates and #living > 0 then state.with_averages(living, validate) end
  together.each(living, function(session)
    state.save_last(session)
    session.report(session, sums[session], session.validated)
  end)
  lead.poll()
end

-- Runs the stage from where the sessions stand to its end. Those that are behind, after a
-- kill between two checkpoints, come first until all stand at the same epoch.
function stage.run(sessions)
  for _, session in ipairs(sessions) do
    session.rate = rate[session.config.train.lr_schedule] { warmup = session.config.train.warmup }
  end
  local last, kept = sessions[1].first_epoch + sessions[1].stage_epochs, nil
  while true do
    local behind = together.behind(sessions, last)
    if #behind == 0 then return end
    if kept == nil then kept = behind[1].stage == "denoiser" and looks.of(behind[1]) or false end
    run_epoch(behind, last, kept)
  end
end

return stage
