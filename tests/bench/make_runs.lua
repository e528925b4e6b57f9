-- A large run database for timing questions: aniso exec tests/bench/make_runs.lua FILE [RUNS].
-- RUNS (1,000) runs in studies of a hundred: twenty configurations of five seeds each, 20 classes in a long
-- tail, 100 epochs of nine curves, and per run three evaluations with confusion matrices, of
-- which those of the chain keep their predictions, of 500 images of the test and of the validation part each.
-- Numbers are pseudo-random, the same each time.
local store = require "aniso.store"

local file, runs = assert(arg[1], "give a FILE"), math.tointeger(arg[2] or 1000)
local K, IMAGES, EPOCHS = 20, 500, 100

local db <close> = assert(store.open(file))
local function exec(sql, ...) return assert(db:exec(sql, ...)) end

-- 0 … 1 from two integers, the same on each machine.
local CHANCE = "(((%s) * 2654435761 + (%s) * 40503 + 12345) %% 1000003 * 7919 %% 1000003 / 1000003.0)"
local function chance(a, b) return CHANCE:format(a, b) end

local function shared()
  local n_train, shot, n_test = {}, {}, {}
  for j = 1, K do
    n_train[j] = math.max(5, math.floor(2000 * 0.72 ^ (j - 1)))
    shot[j] = n_train[j] > 100 and "many" or n_train[j] >= 20 and "medium" or "few"
    n_test[j] = 25
  end
  return n_train, shot, n_test
end

-- The table `drawn`: for each class, probabilities of which its own is the largest, and their confidence.
local DRAWN = 97
local function draw_probabilities()
  exec "CREATE TEMP TABLE drawn(class, i, conf, probs, PRIMARY KEY(class, i)) WITHOUT ROWID"
  math.randomseed(1)
  for class = 0, K - 1 do
    for i = 0, DRAWN - 1 do
      local row, sum = {}, 0
      for k = 1, K do row[k] = math.exp(4 * math.random() + (k == class + 1 and 4 or 0)) end
      for k = 1, K do sum = sum + row[k] end
      for k = 1, K do row[k] = row[k] / sum end
      exec("INSERT INTO drawn VALUES(?1, ?2, ?3, CAST(?4 AS BLOB))", class, i, row[class + 1],
        ("<" .. ("f"):rep(K)):pack(table.unpack(row)))
    end
  end
end

local function start(i)
  local n_train, shot, n_test = shared()
  local study, config, seed = (i - 1) // 100 + 1, (i - 1) // 5 % 20 + 1, (i - 1) % 5
  local classes, lambda = {}, {}
  for j = 1, K do classes[j], lambda[j] = ("class %02d"):format(j), 1 + config / 100 end
  local run = db:start_run {
    name = ("gamma=%.2f"):format(config / 20), label = ("gamma=%.2f"):format(config / 20),
    study = ("study %02d"):format(study), seed = seed, lambda = lambda,
    config = { data = { "folder", size = 32 }, train = { epochs = EPOCHS, lr = 1e-3 * study },
      schedule = { "cosine", T = 1000, lambda = { "power", gamma = config / 20 } },
      backbone = { "resnet", depth = 8, width = 32 }, prior = { crops = 4, mode = "both" },
      denoiser = { "cross_attention", dim = 128, blocks = 2 }, sampler = { "ddim", steps = 20, draws = 8 } },
    dataset = { name = "made up", sha256 = "bench", classes = classes, height = 32, width = 32,
      channels = 3 },
    split = { name = "made up", sha256 = "bench", seed = 0, n_train = n_train, n_val = n_test,
      n_test = n_test, shot = shot },
    threads = 2, tool_version = "0.1.0", argv = { "run", "bench.lua" },
  }
  return run
end

-- What a run stores of an evaluation, besides the counts.
local RESULTS = { "nll", "brier", "ece", "auc", "mcc", "macro_precision", "kappa_quadratic", "auprc",
  "auprc_many", "auprc_medium", "auprc_few", "agreement", "interval_width" }

local function evaluation(run_id, part, sampler, primary)
  local steps, draws = 20, 8
  if sampler == "prior" then steps, draws = 0, 1 end
  local _, id = exec([[
    INSERT INTO evaluation(run_id, part, weights, step, is_primary, sampler, sample_steps, draws, passes,
      n, at)
    VALUES(?1, ?2, 'best', 100, ?3, ?4, ?6, ?7, ?6 * ?7, ?5, '2026-01-01T00:00:00.000Z')]],
    run_id, part, primary, sampler, IMAGES, steps, draws)
  exec([[
    WITH RECURSIVE image(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM image WHERE i < ?2 - 1),
      called(i, class) AS (
        SELECT i, CASE WHEN ]] .. chance("?1", "i") .. [[ < 0.6 + 0.4 * (1 - i % ?3 * 1.0 / ?3)
                  THEN i % ?3 ELSE (i * 7 + ?1) % ?3 END FROM image)
    INSERT INTO prediction(eval_id, sample_idx, true_idx, pred_idx, conf, probs)
    SELECT ?1, c.i, c.i % ?3, c.class, d.conf, d.probs
      FROM called c JOIN drawn d ON d.class = c.class AND d.i = (?1 * 31 + c.i * 7) % ?4]],
    id, IMAGES, K, DRAWN)
  exec([[
    INSERT INTO confusion(eval_id, true_idx, pred_idx, n)
    SELECT eval_id, true_idx, pred_idx, count(*) FROM prediction WHERE eval_id = ?1 GROUP BY 2, 3]], id)
  exec([[
    WITH RECURSIVE class(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM class WHERE j < ?2 - 1)
    INSERT INTO class_count(eval_id, class_idx, support, predicted, tp)
    SELECT ?1, j, (SELECT count(*) FROM prediction WHERE eval_id = ?1 AND true_idx = j),
           (SELECT count(*) FROM prediction WHERE eval_id = ?1 AND pred_idx = j),
           (SELECT count(*) FROM prediction WHERE eval_id = ?1 AND true_idx = j AND pred_idx = j)
      FROM class]], id, K)
  exec([[
    WITH RECURSIVE bin(b) AS (SELECT 0 UNION ALL SELECT b + 1 FROM bin WHERE b < 14)
    INSERT INTO calibration_bin(eval_id, bin, n, sum_conf, n_correct)
    SELECT ?1, b, 34, 34 * (b + 0.5) / 15, 17 FROM bin]], id)
  exec([[
    INSERT INTO class_score(eval_id, key, class_idx, value) SELECT ?1, column1, class_idx, ]]
    .. chance("?1", "class_idx") .. [[ FROM class_count, (VALUES('auc'), ('auprc'), ('interval_width'))
     WHERE eval_id = ?1]], id)
  for i, name in ipairs(RESULTS) do
    exec("INSERT INTO metric(name) VALUES(?1) ON CONFLICT DO NOTHING", name)
    exec("INSERT INTO result(eval_id, metric_id, value) SELECT ?1, metric_id, " .. chance("?1", "?3")
      .. " FROM metric WHERE name = ?2", id, name, i)
  end
  if not primary then exec("DELETE FROM prediction WHERE eval_id = ?1", id) end
end

local CURVES = { train = { "loss", "loss_denoising", "loss_mmd", "grad_norm", "lr" },
  val = { "acc", "bacc", "macro_f1", "nll" } }

local function curves(run_id)
  for part, names in pairs(CURVES) do
    for i, name in ipairs(names) do
      exec("INSERT INTO metric(name) VALUES(?1) ON CONFLICT DO NOTHING", name)
      exec([[
        WITH RECURSIVE epoch(e) AS (SELECT 1 UNION ALL SELECT e + 1 FROM epoch WHERE e < ?3)
        INSERT INTO metric_value(run_id, metric_id, part, step, value)
        SELECT ?1, metric_id, ?4, e, ]] .. chance("?1", "e + ?5") .. [[ + 1.0 / e FROM epoch, metric
         WHERE name = ?2]], run_id, name, EPOCHS, part, i)
    end
  end
end

exec "PRAGMA synchronous = OFF" -- a file that can be made again need not survive a power cut
draw_probabilities()
for i = 1, runs do
  local run = start(i)
  assert(db:transaction(function()
    curves(run.id)
    evaluation(run.id, "val", "ddim", true)
    evaluation(run.id, "test", "ddim", true)
    evaluation(run.id, "test", "prior", false)
  end))
  run:finish()
end
