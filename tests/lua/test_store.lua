-- The run database: recording, reading back, replacing, resuming.
local lu = require "luaunit"
local core = require "aniso.core"
local metric = require "aniso.stats.metric"
local store = require "aniso.store"
local fixture = dofile "tests/lua/store_fixture.lua"
local description, evaluation, new, one = fixture.description, fixture.evaluation, fixture.new, fixture.one

local Recording = {}

-- The form of a ULID in Lua and the constraint of the schema permit the same texts.
function Recording.test_a_uid_has_the_form_of_a_ulid()
  local form = require "aniso.recipe.ulid_form"
  local db = new()
  local good = db:start_run(description()).uid
  local texts = { good, good:lower(), good .. "0", good:sub(2), "../" .. good:sub(4), good:sub(1, 25) .. "\0",
    good:sub(1, 25) .. "\n", good:sub(1, 24) .. "é", "" }
  for byte = 32, 126 do texts[#texts + 1] = good:sub(1, 25) .. string.char(byte) end
  local permitted = 0
  for _, text in ipairs(texts) do
    local stored = db:exec("UPDATE run SET uid = ?1", text) ~= nil
    lu.assertEquals(form(text), stored, ("%q"):format(text))
    permitted = permitted + (stored and 1 or 0)
  end
  lu.assertEquals(permitted, 1 + 32)
end

function Recording.test_a_run_round_trips()
  local db = new()
  local run = db:start_run(description())
  lu.assertEquals(#run.uid, 26)
  lu.assertStrMatches(run.uid, "[0-9A-HJKMNP-TV-Z]+")
  lu.assertEquals(db:find(run.uid).status, "running")
  run:metric("train", 1, { loss = 0.5 })
  run:metric("train", 2, { loss = 0 / 0, acc = 0.25 })
  run:metric("train", 3, { loss = math.huge })
  run:metric("train", 4, { loss = -math.huge })
  run:log("info", "it's \"on\"; DROP TABLE run;")
  run:checkpoint { kind = "last", step = 1, path = "p", sha256 = "x", bytes = 7 }
  run:checkpoint { kind = "last", step = 2, path = "p", sha256 = "y", bytes = 8 }
  run:finish()
  local row = assert(db:find "adpm")
  lu.assertEquals(row.status, "finished")
  lu.assertEquals({ row.study, row.study_kind, row.label, row.seed, row.attempt, row.threads },
    { "lambda", "grid", "λ=bound", 0, 1, 2 })
  lu.assertEquals({ row.git_commit, row.git_dirty, row.tool_version }, { "abc", 1, "0.1" })
  lu.assertEquals(db:config(row), description().config)
  lu.assertEquals(db:lambda(row), { 0.5, 1.5 })
  local split = db:split_of(row)
  lu.assertEquals({ split.sha256, split.dataset, split.content }, { "s1", "two", "c1" })
  lu.assertEquals({ split.classes[2].name, split.classes[2].n_test }, { "b", 4 })
  lu.assertEquals({ row.dataset, row.content }, { "two", "c1" })
  local origin = db:origin(row)
  lu.assertEquals({ origin.recipe_text, origin.argv[2], origin.hostname }, { "return 1", "x.lua", "h" })
  local loss = db:curves(row.uid).train.loss
  lu.assertEquals(loss.step, { 1, 2, 3, 4 })
  lu.assertEquals(loss.value[1], 0.5)
  lu.assertNaN(loss.value[2])
  lu.assertEquals({ loss.value[3], loss.value[4] }, { math.huge, -math.huge })
  lu.assertEquals(db:curves(row, { "acc", "none" }), { train = { acc = { step = { 2 }, value = { 0.25 } } } })
  lu.assertEquals({ db:curve(row, "train", "loss") }, { { 1, 2, 3, 4 }, { 0.5 } }) -- NaN and ±inf are nil
  lu.assertEquals({ db:curve(row.uid, "val", "loss") }, { {}, {} })
  lu.assertEquals(db:log_of(row)[1].message, "it's \"on\"; DROP TABLE run;")
  local checkpoints = db:checkpoints(row)
  lu.assertEquals({ #checkpoints, checkpoints[1].sha256, checkpoints[1].step }, { 1, "y", 2 })
  lu.assertEquals(one(db, "PRAGMA foreign_key_check"), nil)
  lu.assertEquals(one(db, "PRAGMA integrity_check"), "ok")
  db:close()
end

function Recording.test_configuration_as_typed_rows()
  local db = new()
  db:start_run(description()):finish()
  local rows = {}
  for _, row in ipairs(db:query "SELECT key, num, txt FROM config_param") do rows[row.key] = row end
  lu.assertEquals(rows["train.epochs"].num, 30)
  lu.assertEquals(rows["train.lr"].txt, "0.001")
  lu.assertEquals(rows.sampler.txt, "ddim")
  lu.assertEquals(rows["sampler.steps"].num, 20)
  lu.assertEquals(rows.list.txt, "[1,2,3]")
  lu.assertNil(rows.list.num)
  db:close()
end

function Recording.test_repeating_a_run_is_the_next_attempt()
  local db = new()
  local names = { "o'neil\"; DROP TABLE run; --", "b", "c" }
  for i, name in ipairs(names) do
    db:start_run(description { name = name }):finish()
    lu.assertEquals(one(db, "SELECT attempt FROM run WHERE name = ?1", name), i)
  end
  db:start_run(description { seed = 1 }):finish()
  lu.assertEquals(one(db, "SELECT attempt FROM run WHERE seed = 1"), 1)
  lu.assertEquals(one(db, "SELECT count(*) FROM config"), 1)
  lu.assertEquals(one(db, "SELECT count(*) FROM source"), 1)
  lu.assertEquals(db:find(names[1]).run_id, 1)
  db:close()
end

function Recording.test_endings()
  local db, path = new()
  local failed = db:start_run(description { name = "f" })
  assert(failed:fail "no convergence")
  assert(db:start_run(description { name = "i" }):interrupt())
  db:start_run(description { name = "c" })
  lu.assertEquals(db:find("f").status, "failed")
  lu.assertEquals(db:find("f").error, "no convergence")
  lu.assertEquals(db:find("i").status, "interrupted")
  lu.assertEquals(db:find("c").status, "running")
  lu.assertEquals(one(db, "SELECT status FROM run WHERE name = 'c'"), "crashed")
  db:close()
  local reader <close> = assert(store.open(path, { readonly = true }))
  lu.assertTrue(reader.core:readonly())
  lu.assertEquals(reader:find("c").status, "crashed")
  lu.assertEquals(one(reader, "SELECT status FROM v_run WHERE name = 'c'"), "crashed")
end

function Recording.test_evaluation_round_trip()
  local db = new()
  local run = db:start_run(description())
  local id = run:evaluation(evaluation({ { 3, 1 }, { 0, 2 } }, {
    results = { nll = { 0.5, 0.4, 0.6 }, auc = 0 / 0, acc = 0.1 },
    class_scores = { auc = { 0.9, 0 / 0 } },
    bins = { { n = 2, sum_conf = 1.5, n_correct = 1 }, { n = 4, sum_conf = 3.5, n_correct = 4 } },
    predictions = { true_idx = { 0, 0, 0, 0, 1, 1 }, pred_idx = { 0, 0, 0, 1, 1, 1 },
      conf = { 0.5, 0.5, 0.75, 0.5, 1, 1 },
      probs = core.tensor.from {
        { 0.5, 0.5 }, { 0.5, 0.5 }, { 0.75, 0.25 }, { 0.5, 0.5 }, { 0, 1 }, { 0, 1 } } },
  }))
  local matrix = db:confusion(id)
  lu.assertEquals(matrix:totable(), { { 3, 1 }, { 0, 2 } })
  lu.assertEquals((matrix - db:confusion(run.uid)):totable(), { { 0, 0 }, { 0, 0 } })
  lu.assertEquals(metric.from_confusion(matrix, { "many", "few" }).few, 1)
  lu.assertEquals(db:confusion(db:find(run.uid)):sum(2):list(), { 4, 2 })
  local stored = db:evaluations(run.uid)[1]
  lu.assertAlmostEquals(stored.acc, 5 / 6, 1e-12)
  local nll = stored.results.nll
  lu.assertEquals({ nll.value, nll.lo, nll.hi }, { 0.5, 0.4, 0.6 })
  lu.assertNil(stored.results.auc.value)
  lu.assertNil(stored.results.acc)
  local classes = db:classes(stored)
  lu.assertEquals({ classes[1].scores.auc, classes[2].scores.auc, classes[2].class }, { 0.9, nil, "b" })
  local without = db:classes(stored, false)
  lu.assertEquals({ without[2].class, without[2].recall, without[1].scores }, { "b", classes[2].recall })
  local predictions = db:predictions(id)
  lu.assertEquals(predictions.pred_idx, { 0, 0, 0, 1, 1, 1 })
  lu.assertEquals(predictions.probs[3], { 0.75, 0.25 })
  local labels = db:predictions(id, false)
  lu.assertEquals({ labels.true_idx, labels.pred_idx, labels.conf }, { predictions.true_idx,
    predictions.pred_idx, predictions.conf })
  lu.assertNil(labels.probs)
  lu.assertEquals(("<ff"):unpack(db:predictions(id, "packed").probs, 17), 0.75)
  lu.assertEquals(db:predictions(id, "alone"), { true_idx = predictions.true_idx,
    probs = db:predictions(id, "packed").probs })
  lu.assertAlmostEquals(one(db, "SELECT ece FROM v_ece WHERE eval_id = ?1", id), (0.5 + 0.5) / 6, 1e-12)
  lu.assertEquals(one(db, "SELECT length(probs) FROM prediction LIMIT 1"), 8)
  lu.assertErrorMsgContains("counts 6 images, the evaluation has 7", function()
    run:evaluation(evaluation({ { 3, 1 }, { 0, 2 } }, { n = 7, step = 9 }))
  end)
  lu.assertEquals(one(db, "SELECT count(*) FROM evaluation"), 1)
  db:close()
end

function Recording.test_columns_of_a_query()
  local db <close> = new()
  local rows = "SELECT column1, column2, column3 FROM (VALUES (1, 'a', ?1), (2, NULL, 0.5))"
  local first, second, third = db.core:columns(rows, 7)
  lu.assertEquals({ first, second, third }, { { 1, 2 }, { "a" }, { 7, 0.5 } })
  lu.assertEquals(db.core:columns "SELECT run_id FROM run", {})
  local none, message, code = db.core:columns "SELECT run_id FROM runs"
  lu.assertNil(none)
  lu.assertStrContains(message, "no such table")
  lu.assertEquals(code, "EDB")
end

function Recording.test_a_column_that_is_joined()
  local db <close> = new()
  local function joined(values) return db.core:joined(("SELECT * FROM (VALUES %s)"):format(values)) end
  lu.assertEquals({ joined "(1, x'616263'), (NULL, x'006465'), (3, 'xyz')" }, { { 1, nil, 3 }, "abc\0dexyz" })
  lu.assertEquals({ joined "(1, NULL), (2, NULL)" }, { { 1, 2 } })
  lu.assertEquals({ joined "(x'6162'), (x'6364')" }, { "abcd" })
  lu.assertEquals({ db.core:joined "SELECT run_id, uid FROM run" }, { {} })
  for _, unequal in ipairs { "(1, x'6162'), (2, x'61')", "(1, NULL), (2, x'61')", "(1, x'61'), (2, NULL)" } do
    local none, message, code = joined(unequal)
    lu.assertEquals({ none, message:match "^row 2 of a", code }, { nil, "row 2 of a", "EFORMAT" })
  end
  lu.assertErrorMsgContains("is a table; the database takes", db.core.joined, db.core, "SELECT ?1", {})
end

function Recording.test_repeating_an_evaluation_replaces_it_and_moves_primary()
  local db = new()
  local run = db:start_run(description())
  run:evaluation(evaluation { { 1, 1 }, { 1, 1 } })
  run:evaluation(evaluation { { 2, 0 }, { 1, 1 } })
  lu.assertEquals(one(db, "SELECT count(*) FROM evaluation"), 1)
  lu.assertEquals(one(db, "SELECT count(*) FROM class_count"), 2)
  run:evaluation(evaluation({ { 2, 0 }, { 0, 2 } }, { step = 4 }))
  lu.assertEquals(one(db, "SELECT step FROM evaluation WHERE is_primary = 1"), 4)
  lu.assertEquals(one(db, "SELECT count(*) FROM evaluation"), 2)
  run:evaluation(evaluation({ { 1, 1 }, { 0, 2 } }, { step = 4, primary = false })) -- primary, as the former
  lu.assertEquals(one(db, "SELECT step FROM evaluation WHERE is_primary = 1"), 4)
  lu.assertEquals(one(db, "SELECT count(*) FROM evaluation"), 2)
  db:close()
end

function Recording.test_resume_deletes_what_follows_the_checkpoint()
  local db, path = new()
  local run = db:start_run(description())
  for step = 1, 5 do run:metric("train", step, { loss = step }) end
  run:evaluation(evaluation({ { 1, 0 }, { 0, 1 } }, { part = "val", step = 5 }))
  db:close()
  db = assert(store.open(path))
  lu.assertEquals(db:find("@last").status, "crashed")
  local again = db:resume_run(run.uid, 3)
  lu.assertEquals(db:find("@last").status, "running")
  lu.assertEquals(db:curves(run.uid).train.loss.step, { 1, 2, 3 })
  lu.assertEquals(one(db, "SELECT count(*) FROM evaluation"), 0)
  again:metric("train", 4, { loss = 40 })
  again:finish()
  lu.assertEquals(db:curves(run.uid).train.loss.value, { 1, 2, 3, 40 })
  lu.assertEquals(db:find("@last").resumes, 1)
  lu.assertErrorMsgContains("nothing to resume", function() db:resume_run(run.uid, 3) end)
  local added = db:record_of(run.uid)
  added:evaluation(evaluation({ { 1, 0 }, { 0, 1 } }, { primary = false, draws = 32 }))
  lu.assertEquals(db:find("@last").status, "finished")
  lu.assertErrorMsgContains("record_of", function() added:finish() end)
  db:close()
end

function Recording.test_transactions_are_all_or_nothing()
  local db = new()
  local got, message, code = db:transaction(function()
    assert(db:exec "INSERT INTO metric(name) VALUES('x')")
    require("aniso.store.db_error").must(db:exec "INSERT INTO metric(name) VALUES('x')")
  end)
  lu.assertNil(got)
  lu.assertStrContains(message, "UNIQUE")
  lu.assertEquals(code, "EDB")
  lu.assertErrorMsgContains("mine", function()
    db:transaction(function()
      assert(db:exec "INSERT INTO metric(name) VALUES('x')")
      error "mine"
    end)
  end)
  lu.assertEquals(one(db, "SELECT count(*) FROM metric WHERE name = 'x'"), 0)
  lu.assertEquals({ db:transaction(function() return 1, nil, 3 end) }, { 1, nil, 3 })
  db:close()
end

return { Recording = Recording }
