-- What is stored about a run and about an evaluation, as plain tables. A run is a row of
-- find() or runs(), its number or its uid; an evaluation is a row of evaluations() or its
-- number, or a run's row or name, which means its primary test evaluation. All return nil,
-- message, code when the database fails.
local core = require "aniso.core"

local read = {}

local function run_id(run)
  if type(run) == "table" then return run.run_id end
  return run
end

-- The evaluation's number | nil, message, code.
local function eval_id(db, of)
  if type(of) == "string" then
    local run, message, code = db:find(of)
    if not run then return nil, message, code end
    of = run
  end
  if type(of) ~= "table" then return of end
  if of.eval_id then return of.eval_id end
  local rows, message, code = db.core:query([[
    SELECT eval_id FROM evaluation WHERE run_id = ?1 AND is_primary = 1 AND part = 'test']], of.run_id)
  if not rows then return nil, message, code end
  if rows[1] then return rows[1].eval_id end
  return nil, ("run %s has no test evaluation (it is %s)"):format(of.uid, of.status), "ENOTFOUND"
end

local RUN = "(SELECT run_id FROM run WHERE run_id = ?1 OR uid = ?1)"
-- SQL with the run as ?1, by number or uid, and further values.
local function of_run(db, run, sql, ...)
  return db.core:query((sql:gsub("%$RUN", RUN)), run_id(run), ...)
end

local function first(rows, ...)
  if not rows then return nil, ... end
  return rows[1]
end

-- The configuration as it was given to start_run.
function read.config(db, run)
  local row, message, code = first(of_run(db, run,
    "SELECT c.json FROM run r JOIN config c USING(config_id) WHERE r.run_id = $RUN"))
  if not row then return nil, message, code end
  return core.json.decode(row.json)
end

-- {dataset, content, name, sha256, seed, …, classes = {{class_idx, name, n_train, n_val, n_test, shot}}}
function read.split_of(db, run)
  local content = db.core:version() >= 6 and "d.content" or "NULL"
  local split, message, code = first(of_run(db, run, ([[
    SELECT p.*, d.name AS dataset, %s AS content, d.sha256 AS dataset_sha256, d.source, d.n_classes,
           d.height, d.width, d.channels
      FROM run r JOIN data_split p USING(split_id) JOIN dataset d USING(dataset_id)
     WHERE r.run_id = $RUN]]):format(content)))
  if not split then return nil, message, code end
  split.classes, message, code = db.core:query([[
    SELECT c.class_idx, d.name, c.n_train, c.n_val, c.n_test, c.shot
      FROM split_class c JOIN data_split p USING(split_id)
      JOIN dataset_class d ON d.dataset_id = p.dataset_id AND d.class_idx = c.class_idx
     WHERE split_id = ?1 ORDER BY c.class_idx]], split.split_id)
  if not split.classes then return nil, message, code end
  return split
end

-- How many images a run was trained on.
function read.training_images(db, run)
  local row, message, code = first(of_run(db, run, [[
    SELECT sum(c.n_train) AS n FROM split_class c JOIN run r USING(split_id) WHERE r.run_id = $RUN]]))
  if not row then return nil, message, code end
  return row.n
end

-- What the policy `search` compared for a run and chose: {metric, chosen, rungs = {{seeds, candidates =
-- {{name, mean, delta, se, state}, …}}, …}}; nil for a run without a search.
function read.search_of(db, run)
  local row, message, code = first(of_run(db, run, [[
    SELECT message FROM log WHERE run_id = $RUN AND level = 'debug' AND message LIKE '{"search":%'
     ORDER BY seq LIMIT 1]]))
  if not row then return nil, message, code end
  local record
  record, message, code = core.json.decode(row.message)
  if not record then return nil, message, code end
  return record.search
end

-- The λ_j in force: a list in class order, empty where there are none.
function read.lambda(db, run)
  local rows, message, code = of_run(db, run,
    "SELECT value FROM lambda WHERE run_id = $RUN ORDER BY class_idx")
  if not rows then return nil, message, code end
  local list = {}
  for i, row in ipairs(rows) do list[i] = row.value end
  return list
end

-- What v_run leaves out: host, argv, env, recipe {path, text}.
function read.origin(db, run)
  local row, message, code = first(of_run(db, run, [[
    SELECT h.hostname, h.os, h.arch, h.cpu, h.cores, h.ram_bytes, h.blas, r.argv, r.env,
           s.path AS recipe_path, s.content AS recipe_text
      FROM run r JOIN host h USING(host_id) LEFT JOIN source s ON s.source_id = r.recipe_id
     WHERE r.run_id = $RUN]]))
  if not row then return nil, message, code end
  row.argv = row.argv and core.json.decode(row.argv)
  row.env = row.env and core.json.decode(row.env)
  return row
end

function read.checkpoints(db, run)
  return of_run(db, run, "SELECT * FROM checkpoint WHERE run_id = $RUN ORDER BY step")
end

function read.log_of(db, run)
  return of_run(db, run, "SELECT at, level, message FROM log WHERE run_id = $RUN ORDER BY seq")
end

-- The rows of v_eval, with what does not follow from the counts in `results`: name → {value, lo, hi}.
function read.evaluations(db, run)
  local rows, message, code = of_run(db, run, [[
    SELECT v.*, e.selected_by, e.seed AS sampler_seed, e.at
      FROM evaluation e JOIN v_eval v USING(eval_id) WHERE e.run_id = $RUN ORDER BY e.eval_id]])
  if not rows then return nil, message, code end
  for _, row in ipairs(rows) do
    local results
    results, message, code = db.core:query([[
      SELECT m.name, r.value, r.lo, r.hi FROM result r JOIN metric m USING(metric_id)
       WHERE r.eval_id = ?1]], row.eval_id)
    if not results then return nil, message, code end
    row.results = {}
    for _, result in ipairs(results) do row.results[result.name] = result end
  end
  return rows
end

-- Whether a run's best weights have a test evaluation. of: {sampler, steps, draws, seed, primary [opt] =
-- whether it has to be the primary one}.
function read.is_evaluated(db, run, of)
  local rows, message, code = of_run(db, run, ([[
    SELECT 1 FROM evaluation WHERE run_id = $RUN AND part = 'test' AND weights = 'best' AND sampler = ?2
       AND sample_steps = ?3 AND draws = ?4 AND seed = ?5%s]]):format(of.primary and " AND is_primary" or ""),
    of.sampler, of.steps, of.draws, of.seed)
  if not rows then return nil, message, code end
  return rows[1] ~= nil
end

-- The rows of v_class, in class order, with scores = {key = value}; scores [opt]: false to leave these out.
function read.classes(db, evaluation, scores)
  local id, message, code = eval_id(db, evaluation)
  if not id then return nil, message, code end
  local rows
  rows, message, code = db.core:query("SELECT * FROM v_class WHERE eval_id = ?1 ORDER BY class_idx", id)
  if not rows or scores == false then return rows, message, code end
  local values
  values, message, code = db.core:query(
    "SELECT key, class_idx, value FROM class_score WHERE eval_id = ?1", id)
  if not values then return nil, message, code end
  for _, row in ipairs(rows) do row.scores = {} end
  for _, score in ipairs(values) do rows[score.class_idx + 1].scores[score.key] = score.value end
  return rows
end

local MOST_CLASSES = 4096 -- of a matrix, which then takes 64 MB

-- A tensor (K, K), float32 so that it can be used in arithmetic: true classes are rows, predicted ones
-- columns. Counts are exact up to 2^24.
function read.confusion(db, evaluation)
  local id, message, code = eval_id(db, evaluation)
  if not id then return nil, message, code end
  local size
  size, message, code = first(db.core:query(
    "SELECT count(*) AS K FROM class_count WHERE eval_id = ?1", id))
  if not size then return nil, message, code end
  if size.K == 0 then return nil, ("evaluation %s has no confusion matrix"):format(id), "ENOTFOUND" end
  if size.K > MOST_CLASSES then
    return nil, ("evaluation %s has %d classes; a matrix is read for at most %d"):format(id, size.K,
      MOST_CLASSES), "EINVAL"
  end
  local cells
  cells, message, code = db.core:query(
    "SELECT true_idx, pred_idx, n FROM confusion WHERE eval_id = ?1", id)
  if not cells then return nil, message, code end
  local matrix = core.tensor.zeros { size.K, size.K }
  for _, cell in ipairs(cells) do matrix:set(cell.true_idx + 1, cell.pred_idx + 1, cell.n) end
  return matrix
end

-- What select.calibrate chose for an evaluation (train/final_evaluation.lua); nil if it was not calibrated.
function read.calibration(db, evaluation)
  local id, message, code = eval_id(db, evaluation)
  if not id then return nil, message, code end
  if db.core:version() < 6 then return nil end
  local row
  row, message, code = first(db.core:query(
    "SELECT calibration AS json FROM evaluation WHERE eval_id = ?1", id))
  if not row then return nil, message, code end
  return row.json and core.json.decode(row.json)
end

function read.bins(db, evaluation)
  local id, message, code = eval_id(db, evaluation)
  if not id then return nil, message, code end
  return db.core:query("SELECT n, sum_conf, n_correct FROM calibration_bin WHERE eval_id = ?1 ORDER BY bin",
    id)
end

-- N rows of K numbers from one string of float32.
local function unpacked(packed, n)
  local K = #packed // (4 * n)
  local format, rows = "<" .. ("f"):rep(K), {}
  for i = 1, n do
    rows[i] = { format:unpack(packed, (i - 1) * 4 * K + 1) }
    rows[i][K + 1] = nil -- unpack's position
  end
  return rows
end

local PREDICTION = { all = { "true_idx", "pred_idx", "conf", "probs" }, alone = { "true_idx", "probs" },
  without = { "true_idx", "pred_idx", "conf" } }

-- {true_idx =, pred_idx =, conf =, probs = {{K numbers}, …} or nil}; nil if none were stored. probs [opt]:
-- "packed" for one string of N K float32 as they are stored, "alone" for only this and true_idx, false to
-- leave them out; all three are faster.
function read.predictions(db, evaluation, probs)
  local id, message, code = eval_id(db, evaluation)
  if not id then return nil, message, code end
  local names = PREDICTION[probs == false and "without" or probs == "alone" and "alone" or "all"]
  local sql = "SELECT %s FROM prediction WHERE eval_id = ?1 ORDER BY sample_idx"
  sql = sql:format(table.concat(names, ", "))
  local found = table.pack(db.core[probs == false and "columns" or "joined"](db.core, sql, id))
  local out, n = {}, found[1] and #found[1]
  if not n then return table.unpack(found, 1, 3) end -- nil, message, code
  if n == 0 then return nil, "no predictions are stored with this evaluation", "ENOTFOUND" end
  for i, name in ipairs(names) do out[name] = found[i] end
  if out.probs and probs == nil then out.probs = unpacked(out.probs, n) end
  return out
end

return read
