-- A finished run in the database as a model for new images: its best weights and their description. Its
-- training images are not needed, except for runs of versions that stored no normalisation.
local calibrate = require "aniso.method.calibrate"
local checkpoint = require "aniso.train.checkpoint"
local data = require "aniso.method.data"
local description = require "aniso.inference.description"
local final_evaluation = require "aniso.train.final_evaluation"
local latest_data = require "aniso.train.latest_data"
local must = require("aniso.store.db_error").must
local network_input = require "aniso.method.network_input"
local trainer = require "aniso.train.run"

local stored_run = {}

-- Opens a run's data; raises if they are not those of its training.
local function data_of(db, run, job)
  local given = data.seen_from(data.of_stored(job.config.data), job.folder)
  local dataset = latest_data.load(given, job.cross, job.classes)
  final_evaluation.same_data({ dataset = dataset, config = job.config }, db, run)
  return dataset
end

-- The names of the images of a part, in the order of the stored predictions.
function stored_run.keys(db, run, part)
  return data_of(db, run, trainer.stored_job(db, run)):keys(part)
end

-- The row of the primary test evaluation; nil if the run has none.
local function primary(db, run)
  for _, row in ipairs(must(db:evaluations(run))) do
    if row.part == "test" and row.is_primary == 1 then return row end
  end
end

-- The sampler with the options of the run's own evaluation.
local function sampler_of(db, run, config)
  local chosen = db:calibration(run)
  return chosen and calibrate.sampler_of(chosen, config.sampler) or config.sampler
end

local function provenance_of(run, split, meta, evaluation)
  return { uid = run.uid, study = run.study, label = run.label or run.name, seed = run.seed, fold = run.fold,
    epoch = meta.epoch, dataset = split.dataset, dataset_sha256 = split.dataset_sha256,
    split_sha256 = split.sha256, test = evaluation and { n = evaluation.n, acc = evaluation.acc,
      macro_f1 = evaluation.macro_f1 } or nil }
end

-- run: a row from db:find(). given [opt]: sampler options that replace the run's own.
-- → description, tensors by name, the precision in which they are stored
function stored_run.read(db, run, given)
  local job, split = trainer.stored_job(db, run), must(db:split_of(run))
  local evaluation = primary(db, run)
  if not evaluation then
    error(("run %s has no test evaluation (it is %s)"):format(run.uid, run.status), 0)
  end
  local tensors, meta = checkpoint.read_best(db, run.uid)
  for name in pairs(tensors) do
    if name:find "^levels%." then tensors[name] = nil end -- numbers of the schedule
  end
  local counts, groups = {}, {}
  for i, class in ipairs(split.classes) do counts[i], groups[i] = class.n_train, class.shot end
  local tau, sampler = evaluation.results.tau, sampler_of(db, run, job.config)
  if given then sampler = description.sampler_with(sampler, given, job.config.schedule.T) end
  local of = description.new { config = job.config, classes = job.classes, counts = counts, groups = groups,
    levels = job.levels, input = meta.input or network_input.of(data_of(db, run, job), job.config),
    sampler = sampler, tau = tau and tau.value,
    provenance = provenance_of(run, split, meta, evaluation) }
  return of, tensors, meta.precision or "float32"
end

return stored_run
