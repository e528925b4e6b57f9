-- Everything a run has recorded that its configuration, seed and data determine, as named values: what
-- `aniso verify` compares. Times, seconds, paths, hosts and ids are left out.
--   stored_values.of(db, uid [, choice]) → sections in the order in which they arise during a run:
--     {what =, names = list, values = name → value}
-- choice [opt]: {until_epoch =: only the curves, up to that epoch; after_epoch =: the curves from there on;
-- without =: a set of labels of evaluations that are left out; untrained =: no curves}. A value is a number,
-- a string, or false for an undefined one. `entries` describes each name: {epoch =, part =, metric =} for a
-- curve, {label =, n =} for a value of an evaluation, with is_epoch for the epoch that was evaluated and
-- of_class for a class's score.
local must = require("aniso.store.db_error").must

local stored_values = {}

local RUN = "(SELECT run_id FROM run WHERE uid = ?1)"

local function section(what)
  return { what = what, names = {}, values = {}, entries = {} }
end

local function add(to, name, value, entry)
  if value == nil then value = false end
  to.names[#to.names + 1], to.values[name], to.entries[name] = name, value, entry
end

local function levels(db, uid)
  local out = section "levels"
  for _, row in ipairs(must(db:query("SELECT class_idx, value FROM lambda WHERE run_id = " .. RUN
    .. " ORDER BY 1", uid))) do
    add(out, "λ of class " .. row.class_idx + 1, row.value)
  end
  return out
end

local function curves(db, uid, choice)
  local out = section "curves"
  for _, row in ipairs(must(db:query([[
    SELECT v.part, m.name, v.step, v.value, v.kind FROM metric_value v JOIN metric m USING(metric_id)
     WHERE v.run_id = ]] .. RUN .. [[ AND v.step <= coalesce(?2, v.step) AND v.step > ?3
     ORDER BY v.step, v.part, m.name]], uid, choice.until_epoch, choice.after_epoch or 0))) do
    local value = row.kind == "finite" and row.value or row.kind
    add(out, ("epoch %d: %s %s"):format(row.step, row.part, row.name), value,
      { epoch = row.step, part = row.part, metric = row.name })
  end
  return out
end

local function weights(db, uid)
  local out = section "weights"
  for _, row in ipairs(must(db:query("SELECT kind, step, sha256 FROM checkpoint WHERE kind = 'best' "
    .. "AND run_id = " .. RUN, uid))) do
    add(out, "epoch of the kept weights", row.step)
    add(out, "SHA-256 of the kept weights", row.sha256)
  end
  return out
end

-- "test, ddim 5 × 16": unique among the evaluations of a run's kept weights.
local function label_of(row)
  local seed = row.seed ~= 0 and (", seed %d"):format(row.seed) or ""
  if row.sample_steps == 0 then return ("%s, %s%s"):format(row.part, row.sampler, seed) end
  return ("%s, %s %d × %d%s"):format(row.part, row.sampler, row.sample_steps, row.draws, seed)
end

-- The newest evaluation of each label: after a resume, an older one of another epoch does not count.
function stored_values.evaluations(db, uid)
  local out, at = {}, {}
  for _, row in ipairs(must(db:query("SELECT * FROM evaluation WHERE weights = 'best' AND run_id = " .. RUN
    .. " ORDER BY eval_id", uid))) do
    row.label = label_of(row)
    local i = at[row.label] or #out + 1
    out[i], at[row.label] = row, i
  end
  return out
end

local FACTS = { { "n", "images" }, { "step", "epoch of its weights" }, { "is_primary", "is primary" },
  { "selected_by", "rule" }, { "calibration", "calibration" }, { "passes", "passes" } }

local function metrics(db, out, row, entry)
  local of_class = { label = entry.label, n = entry.n, of_class = true }
  local function put(name, value, of) add(out, ("%s: %s"):format(row.label, name), value, of or entry) end
  for _, fact in ipairs(FACTS) do
    local of = fact[1] == "step" and { label = entry.label, n = entry.n, is_epoch = true } or entry
    add(out, ("%s: %s"):format(row.label, fact[2]), row[fact[1]], of)
  end
  for _, one in ipairs(must(db:query([[
    SELECT m.name, r.value, r.lo, r.hi FROM result r JOIN metric m USING(metric_id)
     WHERE r.eval_id = ?1 ORDER BY m.name]], row.eval_id))) do
    put(one.name, one.value)
    if one.lo or one.hi then
      put(one.name .. ", interval from", one.lo)
      put(one.name .. ", interval to", one.hi)
    end
  end
  for _, one in ipairs(must(db:query([[
    SELECT key, class_idx, value FROM class_score WHERE eval_id = ?1 ORDER BY key, class_idx]],
    row.eval_id))) do
    put(("%s of class %d"):format(one.key, one.class_idx + 1), one.value, of_class)
  end
  for _, one in ipairs(must(db:query([[
    SELECT bin, n, sum_conf, n_correct FROM calibration_bin WHERE eval_id = ?1 ORDER BY bin]],
    row.eval_id))) do
    put(("calibration bin %d"):format(one.bin + 1), ("%d images, confidence %.17g, %d correct"):format(one.n,
      one.sum_conf, one.n_correct))
  end
end

-- A value per true class: "0:12 3:4", the counts of the predicted classes that occur.
local function confusion(db, out, row, entry)
  local counts = {}
  for _, one in ipairs(must(db:query("SELECT class_idx FROM class_count WHERE eval_id = ?1", row.eval_id))) do
    counts[one.class_idx] = {}
  end
  for _, one in ipairs(must(db:query([[
    SELECT true_idx, pred_idx, n FROM confusion WHERE eval_id = ?1 ORDER BY true_idx, pred_idx]],
    row.eval_id))) do
    counts[one.true_idx] = counts[one.true_idx] or {}
    table.insert(counts[one.true_idx], ("%d:%d"):format(one.pred_idx + 1, one.n))
  end
  local classes = {}
  for class in pairs(counts) do classes[#classes + 1] = class end
  table.sort(classes)
  for _, class in ipairs(classes) do
    add(out, ("%s: counts of class %d"):format(row.label, class + 1), table.concat(counts[class], " "), entry)
  end
end

-- A value per image: the bytes of its class, its predicted class, its confidence and its probabilities.
local function predictions(db, out, row, entry)
  for _, one in ipairs(must(db:query([[
    SELECT sample_idx, true_idx, pred_idx, conf, probs FROM prediction WHERE eval_id = ?1
     ORDER BY sample_idx]], row.eval_id))) do
    add(out, ("%s: image %d"):format(row.label, one.sample_idx + 1), ("<i4i4d"):pack(one.true_idx,
      one.pred_idx, one.conf or -1) .. (one.probs or ""), entry)
  end
end

-- → true class, predicted class (from 0), confidence, list of probabilities, from a value of "predictions"
function stored_values.unpack_prediction(value)
  local true_idx, pred_idx, conf, at = ("<i4i4d"):unpack(value)
  local probs = {}
  while at <= #value do probs[#probs + 1], at = ("<f"):unpack(value, at) end
  return true_idx, pred_idx, conf, probs
end

function stored_values.of(db, uid, choice)
  choice = choice or {}
  if choice.until_epoch then return { curves(db, uid, choice) } end
  local of_metrics, of_counts, of_images = section "metrics", section "confusion", section "predictions"
  for _, row in ipairs(stored_values.evaluations(db, uid)) do
    if not (choice.without and choice.without[row.label]) then
      local entry = { label = row.label, n = row.n, eval_id = row.eval_id }
      metrics(db, of_metrics, row, entry)
      confusion(db, of_counts, row, entry)
      predictions(db, of_images, row, entry)
    end
  end
  local out = { levels(db, uid), curves(db, uid, choice), weights(db, uid), of_metrics, of_counts, of_images }
  if choice.untrained then table.remove(out, 2) end
  return out
end

return stored_values
