-- Writes one evaluation with all its rows; call inside a transaction. An evaluation that is repeated (after a
-- resume) replaces the earlier one and is primary if that was. A new primary evaluation of a part makes the
-- earlier primary one secondary.
local core = require "aniso.core"
local must = require("aniso.store.db_error").must

-- Rates that the views derive from the counts: stored only when they carry an interval.
local DERIVED = { acc = true, bacc = true, macro_f1 = true, worst_class = true, many = true,
  medium = true, few = true, kappa = true }

local function sums(confusion)
  local K, support, predicted, n = #confusion, {}, {}, 0
  for i = 1, K do support[i], predicted[i] = 0, 0 end
  for i = 1, K do
    for j = 1, K do
      support[i] = support[i] + confusion[i][j]
      predicted[j] = predicted[j] + confusion[i][j]
      n = n + confusion[i][j]
    end
  end
  return support, predicted, n
end

local function add_counts(connection, eval_id, confusion, n)
  local support, predicted, counted = sums(confusion)
  if counted ~= n then
    error(("the confusion matrix counts %d images, the evaluation has %d"):format(counted, n), 0)
  end
  for i, row in ipairs(confusion) do
    for j, count in ipairs(row) do
      if count > 0 then
        must(connection:exec("INSERT INTO confusion(eval_id, true_idx, pred_idx, n) VALUES(?1, ?2, ?3, ?4)",
          eval_id, i - 1, j - 1, count))
      end
    end
    must(connection:exec([[
      INSERT INTO class_count(eval_id, class_idx, support, predicted, tp) VALUES(?1, ?2, ?3, ?4, ?5)]],
      eval_id, i - 1, support[i], predicted[i], row[i]))
  end
end

-- NaN is stored as NULL: undefined.
local function add_results(connection, eval_id, results, counted)
  for name, value in pairs(results) do
    local interval = type(value) == "table" and value or { value }
    if type(value) == "table" or not (counted and DERIVED[name]) then
      must(connection:exec("INSERT INTO metric(name) VALUES(?1) ON CONFLICT DO NOTHING", name))
      must(connection:exec([[
        INSERT INTO result(eval_id, metric_id, value, lo, hi)
        SELECT ?1, metric_id, ?3, ?4, ?5 FROM metric WHERE name = ?2]],
        eval_id, name, interval.value or interval[1], interval.lo or interval[2],
        interval.hi or interval[3]))
    end
  end
end

local function add_class_scores(connection, eval_id, scores, K)
  for key, values in pairs(scores) do
    for j = 1, K do
      must(connection:exec("INSERT INTO class_score(eval_id, key, class_idx, value) VALUES(?1, ?2, ?3, ?4)",
        eval_id, key, j - 1, values[j] or nil))
    end
  end
end

local function add_bins(connection, eval_id, bins)
  for i, bin in ipairs(bins) do
    must(connection:exec([[
      INSERT INTO calibration_bin(eval_id, bin, n, sum_conf, n_correct) VALUES(?1, ?2, ?3, ?4, ?5)]],
      eval_id, i - 1, bin.n, bin.sum_conf, bin.n_correct))
  end
end

-- probs: a tensor (N, K), stored as K float32 per image.
local function add_predictions(connection, eval_id, predictions)
  local true_idx, probs = predictions.true_idx, predictions.probs
  local values = probs and probs:list()
  local K = values and #values // #true_idx
  local format = K and "<" .. ("f"):rep(K)
  for i = 1, #true_idx do
    local blob = K and format:pack(table.unpack(values, (i - 1) * K + 1, i * K))
    must(connection:exec([[
      INSERT INTO prediction(eval_id, sample_idx, true_idx, pred_idx, conf, probs)
      VALUES(?1, ?2, ?3, ?4, ?5, CAST(?6 AS BLOB))]],
      eval_id, i - 1, true_idx[i], predictions.pred_idx[i],
      predictions.conf and predictions.conf[i], blob))
  end
end

local SAME = [[run_id = ?1 AND part = ?2 AND weights = ?3 AND step = ?4
       AND sampler = ?5 AND sample_steps = ?6 AND draws = ?7 AND seed = ?8]]

-- Deletes an earlier copy of the evaluation. → whether the new one is primary.
local function make_room(connection, run_id, e)
  local key = { run_id, e.part, e.weights, e.step, e.sampler or "", e.steps or 0, e.draws or 1, e.seed or 0 }
  local former = must(connection:query("SELECT is_primary FROM evaluation WHERE " .. SAME,
    table.unpack(key)))[1]
  must(connection:exec("DELETE FROM evaluation WHERE " .. SAME, table.unpack(key)))
  local primary = e.primary or former ~= nil and former.is_primary == 1
  if primary then
    must(connection:exec("UPDATE evaluation SET is_primary = 0 WHERE run_id = ?1 AND part = ?2",
      run_id, e.part))
  end
  return primary
end

-- → eval_id
return function(connection, run_id, e)
  local primary = make_room(connection, run_id, e)
  local _, eval_id = must(connection:exec([[
    INSERT INTO evaluation(run_id, part, weights, step, is_primary, selected_by, sampler,
                           sample_steps, draws, seed, n, calibration, passes, image_s, at)
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,
           strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))]],
    run_id, e.part, e.weights, e.step, primary, e.selected_by, e.sampler or "",
    e.steps or 0, e.draws or 1, e.seed or 0, e.n, e.calibration and core.json.encode(e.calibration),
    e.passes, e.image_s))
  if e.confusion then add_counts(connection, eval_id, e.confusion, e.n) end
  add_results(connection, eval_id, e.results or {}, e.confusion ~= nil)
  add_class_scores(connection, eval_id, e.class_scores or {}, e.confusion and #e.confusion or 0)
  add_bins(connection, eval_id, e.bins or {})
  if e.predictions then add_predictions(connection, eval_id, e.predictions) end
  return eval_id
end
