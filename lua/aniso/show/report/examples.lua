-- Test images of the best configuration for a report, with the attention of its networks: the
-- windows of the prior and the denoiser's attention. The weights are the run's best ones, from its
-- folder; the chains and their noise are those of the run's evaluation.
--   examples.find(facts, count, missing) → { run, kind, list = {{position, true, pred, conf, …} …} }
--   | nil, why, code    "ENOTFOUND": a required file is not on this machine, and nothing failed
local calibrate = require "aniso.method.calibrate"
local core = require "aniso.core"
local data = require "aniso.method.data"
local bitmap = require "aniso.show.report.bitmap"
local checkpoint = require "aniso.train.checkpoint"
local db_error = require "aniso.store.db_error"
local errors = require "aniso.recipe.errors"
local final_evaluation = require "aniso.train.final_evaluation"
local predict = require "aniso.method.predict"
local trainer = require "aniso.train.run"

local examples = {}

local BANDS = { "many", "medium", "few" }

-- ── which ───────────────────────────────────────────────────────────────────────────────
-- The `count` most confident rows of a list, spread over as many classes as possible.
local function most_confident(rows, count)
  table.sort(rows, function(a, b)
    if a.conf ~= b.conf then return a.conf > b.conf end
    return a.position < b.position
  end)
  local out, class_seen, taken = {}, {}, {}
  for _, again in ipairs { false, true } do
    for _, row in ipairs(rows) do
      if #out < count and not taken[row] and (again or not class_seen[row["true"]]) then
        out[#out + 1], class_seen[row["true"]], taken[row] = row, true, true
      end
    end
  end
  return out
end

-- From each band, equal numbers of confident correct and wrong predictions; positions from 0, classes from 1.
function examples.choose(predictions, classes, count)
  local by_kind, out, present, bands = {}, {}, {}, 0
  for i, label in ipairs(predictions.true_idx) do
    local right = predictions.pred_idx[i] == label
    local kind = classes[label + 1].shot .. tostring(right)
    by_kind[kind] = by_kind[kind] or {}
    table.insert(by_kind[kind], { position = i - 1, ["true"] = label + 1, pred = predictions.pred_idx[i] + 1,
      conf = predictions.conf[i] or 0, right = right, shot = classes[label + 1].shot })
  end
  for _, class in ipairs(classes) do
    if not present[class.shot] then present[class.shot], bands = true, bands + 1 end
  end
  local each = math.max(1, count // (2 * bands))
  for _, shot in ipairs(BANDS) do
    for _, right in ipairs { true, false } do
      local rows = most_confident(by_kind[shot .. tostring(right)] or {}, each)
      table.move(rows, 1, #rows, #out + 1, out)
    end
  end
  return out
end

-- ── what they saw ───────────────────────────────────────────────────────────────────────
-- Mean attention of the predicted class's token over chains and steps, as a list over the image tokens;
-- and the probabilities from these chains.
local function attention_of(model, features, prior, how, one)
  local sum, steps = nil, 0
  local probability = predict.chains(model, features, prior, how, one.position, { see = function(map)
    local own = map:narrow(2, one.pred, 1):mean(1)
    sum, steps = sum and sum + own or own, steps + 1
  end })
  return (sum / steps):list(), probability:list()
end

-- how: the sampler options of the evaluation.
local function examine(session, how, one)
  local model, dataset = session.model, session.dataset
  local image = dataset:batch("test", one.position, 1, { normalise = model.normalise })
  local by = model.normalise or dataset
  local features, prior = model:encode(image)
  one.height, one.width = image:size(2), image:size(3)
  one.name = dataset:keys "test"[one.position + 1]
  one.uri = bitmap.uri(image:reshape(one.height, one.width, 3), by.mean, by.std)
  one.rows, one.columns = features:size(2), features:size(3)
  if prior.positions then
    one.crops, one.side = prior.positions:totable()[1], prior.side
    one.weights = prior.attention and prior.attention:totable()[1]
  end
  if model.denoiser and model.denoiser.kind == "cross_attention" then
    one.attention, one.probability = attention_of(model, features, prior, how, one)
  end
end

-- The first member whose weights still exist, as a row of db:runs().
local function stored_run(facts, group)
  local member_of = {}
  for _, member in ipairs(group.members) do
    for _, part in ipairs(member.parts or { member }) do member_of[part.run_id] = part end
  end
  for _, run in ipairs(facts.runs) do
    local path = facts.db:run_folder(run.uid) .. "/best.safetensors"
    if member_of[run.run_id] and core.sys.exists(path) then return run, member_of[run.run_id] end
  end
  return nil, ("the weights of %s are not in %s any more"):format(group.label, facts.db:folder())
end

-- Why a job has no images although nothing failed; nil if it has them.
local function absence(job)
  if job.config.data[1] == "features" then return "the data are features without pictures" end
  local path = data.missing_path(job.config.data, job.folder)
  return path and ("the data are not in %s any more"):format(path)
end

-- Fills out.list and out.kind.
local function examine_all(facts, run, job, out)
  local session = trainer.prepare(job)
  final_evaluation.same_data(session, facts.db, run)
  checkpoint.load_best(session, facts.db, run.uid)
  session.model:train(false)
  local how, chosen = session.config.sampler, db_error.unless_absent(facts.db:calibration(run))
  if chosen then how = calibrate.sampler_of(chosen, how) end
  for _, one in ipairs(out.list) do core.ops.no_grad(examine, session, how, one) end
  out.kind = session.model.denoiser and session.model.denoiser.kind or "none"
end

-- f(…), with an error returned as nil, why, code.
local function caught(f, ...)
  local results = table.pack(pcall(f, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  errors.pass_interrupts(results[2])
  return nil, errors.sentence(results[2]), "EIO"
end

-- missing [opt]: a function of the run that returns why its chains cannot run, or nil.
function examples.find(facts, count, missing)
  local group = facts.best or facts.base
  local run, member = stored_run(facts, group)
  if not run then return nil, member, "ENOTFOUND" end
  local lacking = missing and missing(run)
  if lacking then return nil, lacking, "ENOTFOUND" end
  local predictions, why, code = facts:predictions(member)
  if not predictions then return nil, why, code end
  return caught(function()
    local job = trainer.stored_job(facts.db, run)
    job.evaluation_only = true
    lacking = absence(job)
    if lacking then return nil, lacking, "ENOTFOUND" end
    local split = db_error.must(facts.db:split_of(run))
    local out = { run = run, group = group, classes = split.classes }
    out.list = examples.choose(predictions, out.classes, count)
    examine_all(facts, run, job, out)
    return out
  end)
end

return examples
