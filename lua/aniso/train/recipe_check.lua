-- Checks a study before a long run, without training it or storing anything:
--   check.options(study, overrides, seeds [, official_folds]) → jobs, list of mistakes in its options
--   check.runs(jobs) → list of reports {labels, shapes, parameters, stages, …}, list of mistakes
-- A report is made once for all runs that cost the same; its times come from one step each. Every other
-- configuration takes one small step per stage: each of its parts is called once.
local core = require "aniso.core"
local calibrate = require "aniso.method.calibrate"
local config = require "aniso.method.config"
local errors = require "aniso.recipe.errors"
local options = require "aniso.recipe.options"
local study = require "aniso.recipe.study"
local predict = require "aniso.method.predict"
local first_stage = require "aniso.train.first_stage"
local Session = require "aniso.train.session"
local stage = require "aniso.train.stage"
local step_memory = require "aniso.train.step_memory"
local variant_labels = require "aniso.recipe.variant_labels"

local check = {}

local FEW = 32 -- images of a timed evaluation
local TINY = 4 -- images of a step that is not timed; batch statistics need two

-- An ordered set of strings.
local function new_list()
  local list, seen = {}, {}
  return list, function(text)
    text = errors.sentence(text)
    if not seen[text] then
      seen[text] = true
      list[#list + 1] = text
    end
  end
end

local function try(add, f, ...)
  local ok, result = pcall(f, ...)
  if ok then return result end
  core.ops.clear_tape()
  errors.pass_interrupts(result)
  add(result)
end

-- ── options ─────────────────────────────────────────────────────────────────────────────
-- One call per option, so that every mistake is found, not only the first.
local function check_section(value, default, where, add)
  if type(value) ~= "table" then
    return try(add, options.check, { [where] = value }, { [where] = default })
  end
  local kind, module = value[1], value.module
  try(add, options.check, { [where] = { kind, module = module } }, { [where] = default })
  for key, one in pairs(value) do
    if key ~= 1 and key ~= "module" then
      try(add, options.check, { [where] = { kind, module = module, [key] = one } }, { [where] = default })
    end
  end
end

local function check_config(given, add)
  for key, value in pairs(given) do
    local default = config.defaults[key]
    if default == nil then
      try(add, options.check, { [key] = value }, config.defaults)
    else
      check_section(value, default, key, add)
    end
  end
end

function check.options(of, overrides, seeds, official_folds)
  local mistakes, add = new_list()
  local jobs = try(add, study.expand, of, overrides, seeds, nil, official_folds) or {}
  for _, problem in ipairs(variant_labels.problems(of, jobs, overrides)) do add(problem) end
  try(add, study.check_overrides, jobs, overrides)
  for _, job in ipairs(jobs) do
    require("aniso.recipe.data_paths").in_config(job.config, of.folder)
    check_config(job.config, add)
    local ok, complete = pcall(config.complete, job.config)
    if not ok then errors.pass_interrupts(complete) end
    job.config = ok and complete or job.config
    for _, conflict in ipairs(ok and config.conflicts(complete) or {}) do add(conflict) end
    if not ok and #mistakes == 0 then add(complete) end
  end
  table.sort(mistakes)
  return jobs, mistakes
end

-- ── a dry pass ──────────────────────────────────────────────────────────────────────────
local function shapes_of(session)
  local model, dataset, out = session.model, session.dataset, {}
  local function add_shape(what, tensor)
    if tensor then out[#out + 1] = { what, "(" .. table.concat(tensor:shape(), ", ") .. ")" } end
  end
  model:train(false)
  core.ops.no_grad(function()
    local images = dataset:batch("train", 0, math.min(2, dataset:n "train"), { normalise = model.normalise })
    local features, prior = model:encode(images)
    local R = session.config.sampler.draws
    add_shape("images", images)
    add_shape("features", features)
    add_shape("saliency", prior.saliency)
    add_shape("crops", prior.crops)
    add_shape("prior mean", prior.m)
    if not model.denoiser then return end
    local y = core.tensor.randn { shape = { images:size(1) * R, model.K } }
    local t = core.tensor.full({ y:size(1) }, model.schedule.T, "int64")
    add_shape(("output, %d draws"):format(R), model.denoiser:forward(model:context(features, prior), y, t))
  end)
  return out
end

-- ── costs ───────────────────────────────────────────────────────────────────────────────
local function seconds(f, ...)
  local start = core.sys.monotonic()
  f(...)
  return core.sys.monotonic() - start
end

-- A function that takes a step of the current stage on the first `count` images of the training part.
local function step_of(session, count)
  session.model:train(true)
  local positions = core.tensor.arange(math.min(count, session.dataset:n "train"))
  return function() stage.step(session, positions, 1000) end
end

-- Seconds of a step of the current stage, and the bytes of the tensors of the step and of those to
-- come. The first step also allocates memory, so a second one is timed unless steps are slow.
local function step_cost(session)
  local step, state = step_of(session, session.config.train.batch), step_memory.state_to_come(session)
  core.sys.tensor_peak()
  local first = seconds(step)
  local took = first > 5 and first or seconds(step)
  return took, core.sys.tensor_peak() + (first > 5 and state or 0)
end

-- Seconds per image of an evaluation with S = steps, R = draws; steps = nil: without a chain.
local function image_seconds(session, steps, draws)
  local dataset, how = session.dataset, options.copy(session.config.sampler)
  local n = math.min(FEW, dataset:n "val")
  how.steps, how.draws = math.min(steps or 1, session.model.schedule.T), draws or 1
  local few = { K = dataset.K, height = dataset.height, width = dataset.width, n = function() return n end,
    labels = function(_, part) return dataset:labels(part):narrow(1, 1, n) end,
    batch = function(_, ...) return dataset:batch(...) end }
  return seconds(predict.predict, session.model, few, "val", how, { chain = steps ~= nil }) / n
end

local function stages_of(session)
  local out, choice = {}, session.config.select
  local dataset = session.dataset
  for i, plan in ipairs(session.plan) do
    stage.begin(session, i)
    local one = { name = plan.name, epochs = plan.epochs, steps = stage.steps_per_epoch(session) }
    one.chosen = step_memory.choose(session)
    one.step, one.bytes = step_cost(session)
    local chain = plan.name == "joint" or plan.name == "denoiser"
    one.validation = dataset:n "val" / choice.every
      * image_seconds(session, chain and choice.steps or nil, choice.draws)
    one.epoch = one.steps * one.step + one.validation
    out[i] = one
  end
  return out
end

local function report_on(job)
  local session = Session.new(job)
  local model = session.model
  local report = { dataset = session.dataset, labels = {}, runs = 0, repeats = 0, shapes = shapes_of(session),
    parameters = model:count(), net = model.net:count(), den = model.den and model.den:count(),
    stages = stages_of(session), run = 0 }
  report.kept, report.most = require("aniso.train.checkpoint_size").of(session)
  for _, one in ipairs(report.stages) do report.run = report.run + one.epochs * one.epoch end
  local sampler, images = session.config.sampler, calibrate.images(session.config, session.dataset)
  report.evaluation = images * image_seconds(session, sampler.steps, sampler.draws)
  report.run = report.run + report.evaluation
  return report
end

-- Calls each part of a configuration that has no report of its own: the shapes, a small step of each stage
-- and a chain of one step.
function check.call_once(job)
  local session = Session.new(job)
  shapes_of(session)
  for i in ipairs(session.plan) do
    stage.begin(session, i)
    step_of(session, TINY)()
  end
  image_seconds(session, 1, 1)
end

-- The options that determine the cost of a run, as a string.
local function cost_of(complete)
  local same = options.copy(complete)
  same.schedule.lambda = same.schedule.lambda[1] == "learned" and "learned" or nil -- a second pass per step
  same.schedule.bound_constants, same.loss = nil, nil
  return core.json.encode(same)
end

function check.runs(jobs)
  local mistakes, add = new_list()
  local reports, by_cost, called, repeats = {}, {}, {}, first_stage.repeats()
  for _, job in ipairs(jobs) do
    local cost, configuration = cost_of(job.config), core.json.encode(job.config)
    if not called[configuration] and not by_cost[cost] then
      by_cost[cost] = try(add, report_on, job)
      reports[#reports + 1] = by_cost[cost]
    elseif not called[configuration] then -- another λ or loss: it costs the same and may fail
      try(add, check.call_once, job)
    end
    called[configuration] = true
    local report = by_cost[cost]
    if report then
      report.runs = report.runs + 1
      report.repeats = report.repeats + (repeats(job) and 1 or 0)
      if not report.labels[job.label] then report.labels[#report.labels + 1] = job.label end
      report.labels[job.label] = true
    end
  end
  return reports, mistakes
end

return check
