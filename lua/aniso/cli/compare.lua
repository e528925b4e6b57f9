-- aniso compare A B…: the first run is the baseline. Every metric with its difference, then
-- for each other run, on the same images, bootstrap intervals and McNemar's test.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local tables = require "aniso.table"

local compare = { summary = "what changed between runs, and whether it is luck" }

function compare.arguments(parser)
  parser:argument("runs", "two runs or more; the first is the baseline"):args "2+"
  common.db(parser)
  common.format(parser)
end

local function ask(db, query, ...)
  local rows, why, code = db:query(query, ...)
  return cli.need(rows, why, code)
end

-- Probabilities are stored as float32, one blob per image.
local function unpacked(blob, K)
  if not blob or #blob ~= 4 * K then return nil end
  local row = { string.unpack("<" .. ("f"):rep(K), blob) }
  row[K + 1] = nil
  return row
end

-- What aniso.compare wants of a run: labels and predictions of its primary test evaluation.
local function load_run(db, reference)
  local run = common.find(db, reference)
  local evaluations = ask(db, [[
    SELECT eval_id FROM evaluation WHERE run_id = ?1 AND is_primary = 1 AND part = 'test']], run.run_id)
  if not evaluations[1] then
    cli.fail(cli.NO_MATCH, ("run %s has no test evaluation (it is %s)"):format(run.uid, run.status))
  end
  local id = evaluations[1].eval_id
  local out = { label = ("%s %d"):format(run.label or run.name, run.seed), seed = run.seed, shot = {},
    confusion = {}, K = 0 }
  for i, class in ipairs(ask(db, "SELECT shot FROM v_class WHERE eval_id = ?1 ORDER BY class_idx", id)) do
    out.shot[i], out.K = class.shot, i
  end
  for i = 1, out.K do
    out.confusion[i] = {}
    for j = 1, out.K do out.confusion[i][j] = 0 end
  end
  for _, cell in ipairs(ask(db, "SELECT true_idx, pred_idx, n FROM confusion WHERE eval_id = ?1", id)) do
    out.confusion[cell.true_idx + 1][cell.pred_idx + 1] = cell.n
  end
  local rows = ask(db, [[
    SELECT sample_idx, true_idx, pred_idx, probs FROM prediction WHERE eval_id = ?1 ORDER BY sample_idx]], id)
  if #rows == 0 then return out end
  out.sample, out["true"], out.pred, out.probs = {}, {}, {}, {}
  for i, row in ipairs(rows) do
    out.sample[i], out["true"][i], out.pred[i] = row.sample_idx, row.true_idx, row.pred_idx
    if out.probs then
      out.probs[i] = unpacked(row.probs, out.K)
      if not out.probs[i] then out.probs = nil end
    end
  end
  return out
end

local function metrics_table(result)
  local columns, rows = { "metric" }, {}
  for k, label in ipairs(result.labels) do
    columns[#columns + 1] = { name = label, digits = 4 }
    if k > 1 then columns[#columns + 1] = "Δ" end
  end
  for i, metric in ipairs(result.metrics) do
    local row, best = { metric.name }, nil
    for k = 1, #result.labels do
      local value = metric.value[k] or nil
      local shown = value and { text = ("%.4f"):format(value), value = value }
      row[k == 1 and 2 or 2 * k - 1] = shown
      if k > 1 and metric.delta[k] then
        row[2 * k] = { text = ("%+.4f"):format(metric.delta[k]), value = metric.delta[k] }
      end
      local ahead = metric.higher and 1 or -1
      if shown and (not best or ahead * shown.value > ahead * best.value) then best = shown end
    end
    if best then best.bold = true end
    rows[i] = row
  end
  return columns, rows
end

local function interval(of)
  return ("%+.4f [%+.4f, %+.4f]"):format(of.value, of.lo, of.hi)
end

local function print_pairs(result)
  for k = 2, #result.labels do
    local pair = result.pairs[k]
    print()
    if pair.unpaired then
      print(("%s against %s: no paired test, %s"):format(pair.label, pair.baseline, pair.unpaired))
    else
      print(("%s against %s, %d images, %g %% intervals:"):format(pair.label, pair.baseline, pair.n,
        100 * pair.level))
      print("  accuracy " .. interval(pair.acc) .. "   macro F1 " .. interval(pair.macro_f1))
      print(("  McNemar: %d right only before, %d right only now, p = %.3g"):format(
        pair.mcnemar.b, pair.mcnemar.c, pair.mcnemar.p))
    end
  end
end

function compare.run(args)
  local db = common.open(args)
  local runs = {}
  for i, reference in ipairs(args.runs) do runs[i] = load_run(db, reference) end
  local result = cli.usage(require("aniso.compare").runs, runs)
  local columns, rows = metrics_table(result)
  tables.print(columns, rows, args.format)
  if args.format == "table" then print_pairs(result) end
end

return compare
