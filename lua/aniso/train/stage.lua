-- One stage of training: epochs over the training part, each followed by a validation and a
-- checkpoint. "joint" trains everything, "prior" the backbone and the priors, "denoiser" the
-- denoiser on frozen features, several of them in lock-step (lockstep.lua), "classifier" the classifier
-- of post_hoc on frozen features.
local core = require "aniso.core"
local lr_schedule = require "aniso.method.lr_schedule"
local objective = require "aniso.method.objective"
local optim = require "aniso.method.optim"
local checkpoint = require "aniso.train.checkpoint"
local early_stop = require "aniso.train.early_stop"
local ema = require "aniso.train.ema"
local feature_cache = require "aniso.train.feature_cache"
local levels = require "aniso.train.levels"
local lockstep = require "aniso.train.lockstep"
local parameter_groups = require "aniso.train.parameter_groups"
local precision = require "aniso.train.precision"
local step_memory = require "aniso.train.step_memory"
local training_batch = require "aniso.train.training_batch"
local validation = require "aniso.train.validation"

-- Random numbers are addressed by the step, and stage i has the addresses from i · STEPS_OF_A_STAGE:
-- more steps than any stage takes. Stored runs resume to the same bits as long as it is not changed.
local STEPS_OF_A_STAGE = 1000000000

local stage = { batch = training_batch }

-- The stages of a configuration: { {name, modules trained, epochs} … }.
function stage.plan(config)
  local train = config.train
  if train.mode == "joint" then
    return { { name = "joint", trains = { net = true, den = true, levels = true }, epochs = train.epochs } }
  end
  local first = train.prior_epochs > 0 and train.prior_epochs or train.epochs
  local plan = { { name = "prior", trains = { net = true }, epochs = first } }
  if config.denoiser[1] ~= "none" then
    plan[2] = { name = "denoiser", trains = { den = true, levels = true }, epochs = train.epochs }
  elseif config.post_hoc and config.post_hoc.epochs then
    plan[2] = { name = "classifier", trains = { head = true }, epochs = config.post_hoc.epochs }
  end
  return plan
end

local function train_module(session, part)
  local train, n = session.config.train, #session.trained + 1
  session.trained[n] = part
  if train.ema_decay > 0 then session.emas[n] = ema.new(part.module, train.ema_decay) end
  session.groups[n] = parameter_groups.new(part, session.config, session.emas[n], part.optimiser or function()
    return optim[train.optimiser] { weight_decay = train.weight_decay, momentum = train.momentum }
  end)
end

-- Sets the session's fields for stage number i: what is trained, optimisers, averages, position.
function stage.begin(session, i)
  local plan, train = session.plan[i], session.config.train
  session.stage_number, session.stage, session.stage_epochs = i, plan.name, plan.epochs
  session.first_epoch = i == 1 and 0 or session.plan[1].epochs
  session.trained, session.groups, session.emas = {}, {}, {}
  for _, part in ipairs(session.model.modules) do
    local trains = plan.trains[part.name]
    part.module:freeze(not trains)
    if trains and part.module:count() > 0 then train_module(session, part) end
  end
  session.lr_schedule = lr_schedule[train.lr_schedule] { warmup = train.warmup }
  session.epoch, session.step, session.best = session.first_epoch, 0, { epoch = 0 }
  parameter_groups.follow(session)
end

-- Steps of an epoch. A remainder too small for batch statistics is left for another epoch
-- (the order changes each time).
function stage.steps_per_epoch(session)
  local n, batch = session.dataset:n "train", session.config.train.batch
  local full, rest = n // batch, n % batch
  return full == 0 and 1 or rest >= math.max(2, batch // 4) and full + 1 or full
end

-- ── a step ──────────────────────────────────────────────────────────────────────────────
-- The joint norm of all gradients.
local function gradient_norm(session)
  local sum = 0
  for _, part in ipairs(session.trained) do
    local _, gradient = part.module:flat()
    sum = sum + core.step.grad_norm(gradient) ^ 2
  end
  return math.sqrt(sum)
end

-- Steps every trained module without an optimiser of its own, and its averages, with the gradients scaled so
-- that their joint norm is at most `limit` (0: unlimited).
local function update(session, lr, norm, limit)
  local with = { scale = limit > 0 and norm > limit and limit / norm or 1 }
  for i, part in ipairs(session.trained) do
    if not part.optimiser then
      local averages, groups = session.emas[i], session.groups[i]
      if averages then with.keep = select(2, averages:advance(parameter_groups.buffers(groups))) end
      for _, group in ipairs(groups) do group:step(lr, with) end
      part.module:zero_grad()
    end
  end
end

local function check_finite(session, value, epoch)
  if value == value and math.abs(value) < math.huge then return end
  core.ops.clear_tape()
  error(("the loss became %s in epoch %d, step %d; the checkpoint before it is kept. "
    .. "A lower train.lr or a train.clip above 0 usually helps"):format(value, epoch, session.step), 0)
end

-- One session's step on a stage.batch(). → name → value: the loss, its parts, the norm, the rate.
function stage.step_on(session, batch, total_steps)
  local train, epoch = session.config.train, session.epoch + 1
  local _ <close> = precision.of_steps(session.config)
  session.step = session.step + 1
  local address = { seed = session.seed, progress = session.step / total_steps,
    step = session.step + session.stage_number * STEPS_OF_A_STAGE }
  local loss, parts, seen = objective.step(session, batch.images, batch.labels, address, batch.frozen)
  local _ <close> = seen ~= batch.frozen and seen
  local value = loss:item()
  check_finite(session, value, epoch)
  loss:backward()
  local norm = gradient_norm(session)
  check_finite(session, norm, epoch)
  local own = session.stage == "classifier" and session.config.post_hoc.lr
  local factor = session.lr_schedule(session.step, total_steps)
  local lr = (own or train.lr) * factor
  update(session, lr, norm, train.clip)
  local values = { loss = value, grad_norm = norm, lr = lr }
  values.loss_levels = levels.step(session, seen, batch.labels, address, factor)
  check_finite(session, values.loss_levels or 0, epoch)
  for name, part in pairs(parts) do values["loss_" .. name] = part:item() end
  return values
end

-- One step of one session.
function stage.step(session, positions, total_steps)
  local batch <close> = stage.batch(session, positions)
  return stage.step_on(session, batch, total_steps)
end

-- ── an epoch ────────────────────────────────────────────────────────────────────────────
-- sums: name → {sum, count}
local function add(sums, values)
  for name, value in pairs(values) do
    local sum = sums[name] or { 0, 0 }
    sums[name] = { sum[1] + value, sum[2] + 1 }
  end
end

-- Freezes what is frozen in this epoch, and logs a change.
local function follow_freezing(session)
  local first = parameter_groups.follow(session)
  if first and session.epoch > session.first_epoch then
    session.record:log("info", ("epoch %d: the backbone is trained from %s on"):format(session.epoch + 1,
      first))
  end
end

-- An epoch of sessions at the same epoch. → session → the means of its steps' values, over the steps that
-- have them.
local function train_epoch(sessions, cached)
  local lead, sums = sessions[1], {}
  local train, dataset = lead.config.train, lead.dataset
  local n, steps = dataset:n "train", stage.steps_per_epoch(lead)
  local sampling = lead.stage == "classifier" and "class_balanced" or train.sampling
  local order = dataset:order("train", { sampling = sampling, seed = lead.seed,
    epoch = lead.epoch + 1, first = lead.first_epoch + 1, epochs = lead.stage_epochs })
  local done = lead.epoch * steps
  for _, session in ipairs(sessions) do
    session.model:train(true)
    follow_freezing(session)
    sums[session] = {}
  end
  for i = 1, steps do
    if #lockstep.running(sessions) == 0 then break end
    local first = (i - 1) * train.batch
    local positions = order:narrow(1, first + 1, math.min(train.batch, n - first))
    local batch <close> = stage.batch(lead, positions, cached)
    lockstep.each(sessions, function(session)
      local values = stage.step_on(session, batch, steps * session.stage_epochs)
      add(sums[session], values)
      session:show_step(done + i, values.loss)
    end)
  end
  for _, sum in pairs(sums) do
    for name, of in pairs(sum) do sum[name] = of[1] / of[2] end
  end
  return sums
end

local function run_epoch(sessions, last, cached)
  local means = train_epoch(sessions, cached)
  local lead = sessions[1]
  local validates = (lead.epoch + 1) % lead.config.select.every == 0 or lead.epoch + 1 == last
  lockstep.each(sessions, function(session)
    session.epoch, session.validated = session.epoch + 1, nil
    levels.add(session, means[session])
    session.record:metric("train", session.epoch, means[session])
  end)
  local running = lockstep.running(sessions)
  if validates and #running > 0 then checkpoint.with_averages(running, validation.run) end
  lockstep.each(running, function(session)
    checkpoint.save_last(session)
    session:show_epoch(means[session], session.validated)
    if session.epoch < last and early_stop.is_over(session) then session:report(early_stop.line(session)) end
  end)
  lead:stop_if_interrupted()
end

-- Runs the stage from the sessions' positions to its end. After a kill between two checkpoints the
-- sessions may differ by an epoch: those at the lowest epoch train first.
function stage.run(sessions)
  local last, cached = sessions[1].first_epoch + sessions[1].stage_epochs, nil
  local until_epoch = math.min(sessions[1].until_epoch or last, last)
  while true do
    local next_up = lockstep.at_lowest_epoch(sessions, until_epoch)
    if #next_up == 0 then return end
    if cached == nil then
      step_memory.fit(next_up[1])
      cached = feature_cache.new(next_up[1]) or false
    end
    run_epoch(next_up, last, cached)
  end
end

return stage
