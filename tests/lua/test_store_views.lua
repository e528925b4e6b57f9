-- The views against numbers computed by hand, finding runs, and the README's queries.
local lu = require "luaunit"
local fixture = dofile "tests/lua/store_fixture.lua"
local description, evaluation, new = fixture.description, fixture.evaluation, fixture.new

local Statistics = {}

-- Three seeds of one configuration, two of them counted twice (an older attempt each).
local function study()
  local db = new()
  local tables = { { { 8, 2 }, { 2, 2 } }, { { 9, 1 }, { 1, 3 } }, { { 10, 0 }, { 4, 0 } } }
  for seed, confusion in ipairs(tables) do
    local old = db:start_run(description { seed = seed })
    old:evaluation(evaluation { { 0, 10 }, { 4, 0 } })
    if seed < 3 then old:finish() else old:fail "x" end
    local run = db:start_run(description { seed = seed, lambda = { seed, 1 } })
    run:metric("train", 1, { loss = seed })
    run:evaluation(evaluation(confusion, { results = { nll = seed },
      predictions = { true_idx = { 0, 1 }, pred_idx = { 0, 0 } } }))
    run:evaluation(evaluation({ { 10, 0 }, { 0, 4 } }, { sampler = "prior", primary = false,
      predictions = { true_idx = { 0, 1 }, pred_idx = { 1, 1 } } }))
    run:evaluation(evaluation({ { 0, 10 }, { 4, 0 } }, { step = 1, primary = false }))
    run:finish()
  end
  return db
end

-- Per seed: accuracies 10/14, 12/14, 10/14; recalls (.8, .5), (.9, .75), (1, 0).
function Statistics.test_v_eval_and_v_class()
  local db = study()
  local e = db:query("SELECT * FROM v_eval WHERE seed = 1 AND is_primary = 1 ORDER BY eval_id DESC")[1]
  lu.assertAlmostEquals(e.acc, 10 / 14, 1e-12)
  lu.assertAlmostEquals(e.bacc, 0.65, 1e-12)
  lu.assertAlmostEquals(e.macro_f1, (16 / 20 + 4 / 8) / 2, 1e-12)
  lu.assertAlmostEquals(e.worst_class, 0.5, 1e-12)
  lu.assertAlmostEquals(e.many, 0.8, 1e-12)
  lu.assertAlmostEquals(e.few, 0.5, 1e-12)
  lu.assertNil(e.medium)
  local pe = (10 * 10 + 4 * 4) / 14 ^ 2
  lu.assertAlmostEquals(e.kappa, (10 / 14 - pe) / (1 - pe), 1e-12)
  local c = db:query("SELECT * FROM v_class WHERE eval_id = ?1 ORDER BY class_idx", e.eval_id)
  lu.assertEquals({ c[1].class, c[1].n_train, c[1].support, c[1].predicted, c[1].tp },
    { "a", 100, 10, 10, 8 })
  lu.assertAlmostEquals(c[2].precision, 0.5, 1e-12)
  local f = db:query("SELECT * FROM v_confusion WHERE eval_id = ?1 ORDER BY true_idx, pred_idx", e.eval_id)
  lu.assertEquals({ f[2].true_class, f[2].pred_class, f[2].n }, { "a", "b", 2 })
  lu.assertAlmostEquals(f[2].row_share, 0.2, 1e-12)
  -- a class that is never predicted and never right has precision NULL and F1 0
  local none = db:query("SELECT * FROM v_class WHERE is_primary = 1 AND predicted = 0 AND class_idx = 1")[1]
  lu.assertNil(none.precision)
  lu.assertEquals(none.f1, 0)
  db:close()
end

function Statistics.test_v_group_counts_each_seed_once()
  local db = study()
  local function group(metric, sampler)
    local rows = db:query("SELECT * FROM v_group WHERE metric = ?1 AND sampler = ?2", metric, sampler)
    lu.assertEquals(#rows, 1)
    return rows[1]
  end
  local acc = group("acc", "ddim")
  local mean = (10 + 12 + 10) / 14 / 3
  lu.assertEquals({ acc.n, acc.study, acc.label, acc.is_primary }, { 3, "lambda", "λ=bound", 1 })
  lu.assertAlmostEquals(acc.mean, mean, 1e-12)
  lu.assertAlmostEquals(acc.variance, (2 * (10 / 14 - mean) ^ 2 + (12 / 14 - mean) ^ 2) / 2, 1e-12)
  lu.assertAlmostEquals(acc.hi, 12 / 14, 1e-12)
  lu.assertAlmostEquals(group("nll", "ddim").mean, 2, 1e-12)
  local prior = group("acc", "prior")
  lu.assertEquals({ prior.n, prior.mean, prior.variance, prior.is_primary }, { 3, 1, 0, 0 })
  lu.assertEquals(group("medium", "ddim").n, 0)
  db:close()
end

function Statistics.test_v_lambda()
  local db = study()
  local rows = db:query "SELECT * FROM v_lambda ORDER BY class_idx"
  lu.assertEquals(#rows, 2)
  lu.assertEquals({ rows[1].lambda, rows[1].n, rows[1].class, rows[2].lambda }, { 2, 3, "a", 1 })
  lu.assertAlmostEquals(rows[1].recall, 0.9, 1e-12)
  lu.assertAlmostEquals(rows[2].recall, (0.5 + 0.75 + 0) / 3, 1e-12)
  db:close()
end

function Statistics.test_find()
  local db = study()
  lu.assertEquals(db:find("@last").run_id, 6)
  lu.assertEquals(db:find("@best:acc").run_id, 4)
  lu.assertEquals(db:find("@best:nll").run_id, 2)
  lu.assertEquals(db:find(3).run_id, 3)
  local uid = db:find(3).uid
  lu.assertEquals(db:find(uid:lower()).run_id, 3)
  lu.assertEquals(db:find(uid:sub(1, 25)).run_id, 3)
  for _, reference in ipairs { "absent", "@best:nothing", "999", "@what", "" } do
    local row, message, code = db:find(reference)
    lu.assertNil(row)
    lu.assertEquals(code, "ENOTFOUND")
    lu.assertStrContains(message, db.path)
  end
  local row, message, code = db:find "adpm"
  lu.assertNil(row)
  lu.assertEquals(code, "ENOTFOUND")
  lu.assertStrContains(message, "adpm matches 6 runs")
  lu.assertEquals(#db:runs(), 6)
  lu.assertEquals(#db:runs { status = "failed" }, 1)
  lu.assertEquals(#db:runs { text = "LAMBDA" }, 6)
  lu.assertEquals(db:runs({ limit = 1 })[1].run_id, 6)
  lu.assertEquals(#db:runs { study = "other" }, 0)
  db:close()
end

-- Every query of the README returns rows on a database with all kinds of records.
function Statistics.test_the_queries_of_the_readme()
  local db = study()
  local text = assert(io.open "store/README.md"):read "a"
  local n = 0
  for query in text:gmatch "```sql\n(.-)```" do
    local rows, message = db:query(query)
    lu.assertNotNil(rows, message)
    lu.assertTrue(#rows > 0, query)
    n = n + 1
  end
  lu.assertEquals(n, 10)
  db:close()
end

return { Statistics = Statistics }
