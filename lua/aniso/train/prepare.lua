-- Begins and continues runs: the session of a job, and the record of the session's run.
--   prepare.begin(job, sharing)      prepare.record_begun(session, job)
--   prepare.continue(job, sharing)      prepare.record_continued(session, job)
--   prepare.continue_or_begin(job, sharing)      job.run: the run that is continued, a row of db:find()
local checkpoint = require "aniso.train.checkpoint"
local class_orders = require "aniso.train.class_orders"
local config = require "aniso.method.config"
local core = require "aniso.core"
local errors = require "aniso.recipe.errors"
local final_evaluation = require "aniso.train.final_evaluation"
local flatten = require("aniso.recipe.options").flatten
local provenance = require "aniso.train.provenance"
local run_folder = require "aniso.store.run_folder"
local Session = require "aniso.train.session"

local prepare = {}

-- Refuses links among the folders to which a run writes, before the run has a row.
local function refuse_linked_folders(db, uid)
  run_folder.refuse_links(db:folder(), db:first_stage_folder(), uid and db:run_folder(uid))
end

-- Paths may have any bytes, but other programs can only read UTF-8 from a database.
local function check_texts(of)
  for _, one in ipairs(flatten(of)) do
    if type(one.value) == "string" and not utf8.len(one.value) then
      error(("option %s: '%s' is not UTF-8; rename the file or folder"):format(one.key,
        core.sys.visible(one.value)), 0)
    end
  end
end

function prepare.begin(job, sharing)
  job.config = config.complete(job.config)
  refuse_linked_folders(job.db)
  check_texts(job.config)
  local session = Session.new(job, sharing)
  if job.chosen_from then final_evaluation.same_data(session, job.db, job.chosen_from) end
  class_orders.check(session, job.db)
  return session
end

function prepare.record_begun(session, job)
  local record = job.db:start_run(provenance.describe(job, session))
  for _, line in ipairs(session.dataset.facts.warnings) do record:log("warn", line) end
  for _, line in ipairs(session.model.notes) do record:log("info", line) end
  return record
end

function prepare.continue(job, sharing)
  refuse_linked_folders(job.db, job.run.uid)
  local session = Session.new(job, sharing)
  final_evaluation.same_data(session, job.db, job.run)
  session.saved = checkpoint.of_run(job.db, job.run.uid)
  return session
end

function prepare.record_continued(session, job)
  local saved = session.saved
  local meta = saved and saved.meta or { epoch = 0 }
  local record = job.db:resume_run(job.run.uid, meta.epoch, meta.unwritten)
  if saved then checkpoint.record_loaded(record, saved) end
  if saved and saved.fallback then record:log("warn", saved.fallback) end
  return record
end

-- A run that cannot be continued, such as after a change of its data, begins again as the next attempt.
function prepare.continue_or_begin(job, sharing)
  local ok, session = pcall(prepare.continue, job, sharing)
  if ok then return session end
  errors.pass_interrupts(session)
  local line = ("run %s cannot be resumed and begins again: %s"):format(job.run.uid, errors.sentence(session))
  if job.board then job.board:print(line) else io.stderr:write("aniso: ", core.sys.visible(line), "\n") end
  job.run, job.levels = nil, job.chosen_levels
  return prepare.begin(job, sharing)
end

return prepare
