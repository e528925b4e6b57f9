-- Repeats a stored run in a scratch database and compares what both have recorded (store/stored_values.lua):
-- bit for bit where bits are expected to repeat, else within the bounds of verified_values.lua. The run's own
-- database and folder are only read.
--   verification.verify(db, row, scratch, options) → {mode = "bits", "training" or "evaluation", why = list
--     of what differs from the circumstances of the run, sections = as from verified_values.compare(),
--     left_out = labels of evaluations whose options cannot be read back}
-- options: {evaluation = whether the stored weights are evaluated and nothing is trained, until_epoch = only
-- the first epochs, first_stage = whether a first stage next to the database is taken instead of trained,
-- board}
-- Raises if the data have changed, or a part of the recipe is missing; an interruption is raised too.
local checkpoint = require "aniso.train.checkpoint"
local circumstances = require "aniso.train.circumstances"
local core = require "aniso.core"
local own_part = require "aniso.recipe.own_part"
local stage = require "aniso.train.stage"
local stored_values = require "aniso.store.stored_values"
local trainer = require "aniso.train.run"
local verified_values = require "aniso.train.verified_values"

local verification = {}

-- The stored levels that the repetition takes: those that other runs chose, and those of a function that is
-- not loaded. Any other policy computes its levels again.
local function levels_of(job)
  local choice = job.config.schedule.lambda
  local is_missing = own_part.is(choice) and not own_part.find(choice)
  return (choice[1] == "search" or is_missing) and job.levels or nil
end

-- The last epoch of the first stage, if the run has its own curve of it; nil for a run without a first
-- stage or with one that was taken from a file.
local function own_first_stage(job, stored)
  if job.config.train.mode ~= "staged" then return nil end
  local last = stage.plan(job.config)[1].epochs
  for _, section in ipairs(stored) do
    local first = section.what == "curves" and section.entries[section.names[1]]
    if first and first.epoch <= last then return last end
  end
end

local function train_again(db, job, scratch, options, choice)
  job.levels, job.until_epoch = levels_of(job), options.until_epoch
  local last = own_first_stage(job, stored_values.of(db, job.run.uid, choice))
  local needed = job.until_epoch == nil or job.until_epoch > stage.plan(job.config)[1].epochs
  if options.first_stage and needed then
    job.first_stage_from = db:first_stage_folder()
  elseif last then
    scratch:forget_first_stages() -- its curve is compared, so it is trained here
  end
  trainer.repeat_in(job)
  if job.first_stage_taken then choice.after_epoch = last end
end

-- Adds the hash of the run's best.safetensors, which eval and predict use, to the values that are compared,
-- unless the run does not have the file.
local function add_file(db, uid, stored, repeated)
  local tensors, meta, sha256 = core.checkpoint.load(db:run_folder(uid) .. "/best.safetensors")
  if not tensors and sha256 == "ENOTFOUND" then return end
  for _, tensor in pairs(tensors or {}) do tensor:close() end
  local name = "SHA-256 of best.safetensors"
  for i, section in ipairs(stored) do
    if section.what == "weights" then
      section.names[#section.names + 1] = name
      section.values[name] = tensors and sha256 or ("unknown (%s)"):format(meta)
      repeated[i].values[name] = repeated[i].values["SHA-256 of the kept weights"]
    end
  end
end

-- Repeats the evaluations that were added after the run's end → the set of labels of those left out.
local function evaluate_further(db, row, scratch, board)
  local again, without = assert(scratch.db:find(row.uid)), {}
  local function is_done(label)
    for _, one in ipairs(stored_values.evaluations(scratch.db, row.uid)) do
      if one.label == label then return true end
    end
    return false
  end
  for _, one in ipairs(stored_values.evaluations(db, row.uid)) do
    if not is_done(one.label) then
      local rule = one.calibration and core.json.decode(one.calibration).rule or nil
      local how, with = trainer.options_of_evaluation(db, row, one, rule)
      if how then
        trainer.evaluate_all(scratch.db, again, { how }, { rule = with, board = board })
      else
        without[one.label] = true
      end
    end
  end
  return without
end

local function sorted(set)
  local out = {}
  for label in pairs(set) do out[#out + 1] = label end
  table.sort(out)
  return out
end

function verification.verify(db, row, scratch, options)
  local job = trainer.stored_job(db, row)
  job.db, job.source, job.board = scratch.db, db, options.board
  local choice = { until_epoch = options.until_epoch, untrained = options.evaluation }
  local why = circumstances.differences(db, row)
  if options.evaluation then
    local tensors, meta = checkpoint.read_best(db, row.uid, true)
    trainer.evaluate_in(job, tensors, meta)
  else
    train_again(db, job, scratch, options, choice)
  end
  if not options.until_epoch then choice.without = evaluate_further(db, row, scratch, options.board) end
  local mode = #why == 0 and "bits" or options.evaluation and "evaluation" or "training"
  local stored = stored_values.of(db, row.uid, choice)
  local repeated = stored_values.of(scratch.db, row.uid, choice)
  if not options.evaluation then add_file(db, row.uid, stored, repeated) end
  return { mode = mode, why = why, left_out = sorted(choice.without or {}),
    sections = verified_values.compare(stored, repeated, mode) }
end

return verification
