-- The run database: recording, reading back, views against numbers worked out by hand,
-- kills, second writers, foreign and damaged files, full disks.
local lu = require "luaunit"
local core = require "aniso.core"
local store = require "aniso.store"

local sys = core.sys

local function folder()
  return assert(sys.mkdtemp())
end

local function description(changes)
  local of = {
    name = "adpm", label = "λ=bound", study = "lambda", study_kind = "grid",
    config = { train = { epochs = 30, lr = 1e-3 }, sampler = { "ddim", steps = 20 },
      schedule = { "cosine", lambda = { "manual", 1, 2 } }, prior = { crops = 0 }, list = { 1, 2, 3 } },
    lambda = { 0.5, 1.5 }, seed = 0, threads = 2, argv = { "run", "x.lua" },
    dataset = { name = "two", sha256 = "d1", source = "here", classes = { "a", "b" }, height = 8,
      width = 8, channels = 3 },
    split = { name = "70/10/20", profile = "natural", imbalance_factor = 10, seed = 1,
      test_is_val = false, sha256 = "s1", n_train = { 100, 10 }, n_val = { 10, 2 },
      n_test = { 10, 4 }, shot = { "many", "few" } },
    host = { hostname = "h", os = "Linux", cpu = "c", cores = 2, ram_bytes = 1 },
    git = { commit = "abc", dirty = true }, recipe = { path = "x.lua", text = "return 1" },
    tool_version = "0.1", env = {},
  }
  for key, value in pairs(changes or {}) do of[key] = value end
  return of
end

local function evaluation(confusion, changes)
  local n = 0
  for _, row in ipairs(confusion) do for _, c in ipairs(row) do n = n + c end end
  local of = { part = "test", weights = "best", step = 3, primary = true, selected_by = "val",
    sampler = "ddim", steps = 20, draws = 8, seed = 0, n = n, confusion = confusion, results = {} }
  for key, value in pairs(changes or {}) do of[key] = value end
  return of
end

local function new()
  local path = folder() .. "/runs.db"
  return assert(store.open(path)), path
end

local function one(db, sql, ...)
  local rows, columns = assert(db:query(sql, ...))
  return rows[1] and rows[1][columns[1]]
end

local Recording, Refusing, Statistics = {}, {}, {}

function Recording.test_a_run_is_read_back_as_it_was_given()
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
  lu.assertEquals({ split.sha256, split.dataset, split.classes[2].name, split.classes[2].n_test },
    { "s1", "two", "b", 4 })
  local origin = db:origin(row)
  lu.assertEquals({ origin.recipe_text, origin.argv[2], origin.hostname }, { "return 1", "x.lua", "h" })
  local loss = db:curves(row.uid).train.loss
  lu.assertEquals(loss.step, { 1, 2, 3, 4 })
  lu.assertEquals(loss.value[1], 0.5)
  lu.assertNaN(loss.value[2])
  lu.assertEquals({ loss.value[3], loss.value[4] }, { math.huge, -math.huge })
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

function Recording.test_asking_again_makes_the_next_attempt()
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
      probs = core.tensor.from { { 0.5, 0.5 }, { 0.5, 0.5 }, { 0.75, 0.25 }, { 0.5, 0.5 }, { 0, 1 }, { 0, 1 } } },
  }))
  lu.assertEquals(db:confusion(id), { { 3, 1 }, { 0, 2 } })
  local stored = db:evaluations(run.uid)[1]
  lu.assertAlmostEquals(stored.acc, 5 / 6, 1e-12)
  lu.assertEquals({ stored.results.nll.value, stored.results.nll.lo, stored.results.nll.hi }, { 0.5, 0.4, 0.6 })
  lu.assertNil(stored.results.auc.value)
  lu.assertNil(stored.results.acc)
  local classes = db:classes(stored)
  lu.assertEquals({ classes[1].scores.auc, classes[2].scores.auc, classes[2].class }, { 0.9, nil, "b" })
  local predictions = db:predictions(id)
  lu.assertEquals(predictions.pred_idx, { 0, 0, 0, 1, 1, 1 })
  lu.assertEquals(predictions.probs[3], { 0.75, 0.25 })
  lu.assertAlmostEquals(one(db, "SELECT ece FROM v_ece WHERE eval_id = ?1", id), (0.5 + 0.5) / 6, 1e-12)
  lu.assertEquals(one(db, "SELECT length(probs) FROM prediction LIMIT 1"), 8)
  lu.assertErrorMsgContains("counts 6 images, the evaluation has 7", function()
    run:evaluation(evaluation({ { 3, 1 }, { 0, 2 } }, { n = 7, step = 9 }))
  end)
  lu.assertEquals(one(db, "SELECT count(*) FROM evaluation"), 1)
  db:close()
end

function Recording.test_the_same_evaluation_again_replaces_and_primary_moves()
  local db = new()
  local run = db:start_run(description())
  run:evaluation(evaluation { { 1, 1 }, { 1, 1 } })
  run:evaluation(evaluation { { 2, 0 }, { 1, 1 } })
  lu.assertEquals(one(db, "SELECT count(*) FROM evaluation"), 1)
  lu.assertEquals(one(db, "SELECT count(*) FROM class_count"), 2)
  run:evaluation(evaluation({ { 2, 0 }, { 0, 2 } }, { step = 4 }))
  lu.assertEquals(one(db, "SELECT step FROM evaluation WHERE is_primary = 1"), 4)
  lu.assertEquals(one(db, "SELECT count(*) FROM evaluation"), 2)
  db:close()
end

function Recording.test_resume_forgets_what_comes_after_the_checkpoint()
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
    require("aniso.store.refusal").must(db:exec "INSERT INTO metric(name) VALUES('x')")
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

-- Three seeds of one configuration, two of them counted twice (an older attempt each).
local function study()
  local db = new()
  local tables = { { { 8, 2 }, { 2, 2 } }, { { 9, 1 }, { 1, 3 } }, { { 10, 0 }, { 4, 0 } } }
  for seed, confusion in ipairs(tables) do
    local old = db:start_run(description { seed = seed })
    old:evaluation(evaluation { { 0, 10 }, { 4, 0 } })
    if seed < 3 then old:finish() else old:fail "x" end
    local run = db:start_run(description { seed = seed, lambda = { seed, 1 } })
    run:evaluation(evaluation(confusion, { results = { nll = seed } }))
    run:evaluation(evaluation({ { 10, 0 }, { 0, 4 } }, { sampler = "prior", primary = false }))
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
  lu.assertEquals({ c[1].class, c[1].n_train, c[1].support, c[1].predicted, c[1].tp }, { "a", 100, 10, 10, 8 })
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
  for _, reference in ipairs { "nobody", "@best:nothing", "999", "@what", "" } do
    local row, message, code = db:find(reference)
    lu.assertNil(row)
    lu.assertEquals(code, "ENOTFOUND")
    lu.assertStrContains(message, db.path)
  end
  local row, message, code = db:find "adpm"
  lu.assertNil(row)
  lu.assertEquals(code, "ENOTFOUND")
  lu.assertStrContains(message, "adpm means 6 runs")
  lu.assertEquals(#db:runs(), 6)
  lu.assertEquals(#db:runs { status = "failed" }, 1)
  lu.assertEquals(#db:runs { text = "LAMBDA" }, 6)
  lu.assertEquals(db:runs({ limit = 1 })[1].run_id, 6)
  lu.assertEquals(#db:runs { study = "other" }, 0)
  db:close()
end

-- Runs Lua code in another process of this program; → its output, and whether it went well.
local function other(code, background)
  local file = folder() .. "/code.lua"
  assert(io.open(file, "w")):write(code):close()
  local command = ("%s exec %s 2>&1"):format(os.getenv "ANISO" or "./aniso", file)
  if background then return io.popen(command .. " &") end
  local pipe = io.popen(command)
  local out = pipe:read "a"
  return out, pipe:close()
end

function Refusing.test_killed_writer_leaves_what_it_flushed()
  local path = folder() .. "/runs.db"
  local out = other(([[
    package.path = "" -- nothing but the program itself
    local store, core = require "aniso.store", require "aniso.core"
    local db = assert(store.open(%q))
    local run = db:start_run { name = "k", config = {}, seed = 0,
      dataset = { name = "d", sha256 = "d", classes = { "a" } },
      split = { name = "s", sha256 = "s", n_train = { 1 }, n_val = { 1 }, n_test = { 1 }, shot = { "few" } } }
    for step = 1, 100 do run:metric("train", step, { loss = step }) end
    run:flush()
    for step = 101, 200 do run:metric("train", step, { loss = step }) end
    assert(db.core:begin())
    assert(db:exec "DELETE FROM metric_value")
    os.execute("kill -9 " .. core.sys.pid())]]):format(path))
  lu.assertStrContains(out, "Killed", false, out)
  lu.assertEquals(sys.exists(path .. "-lock"), "file")
  local db <close> = assert(store.open(path, { readonly = true }))
  lu.assertNil(db:writer())
  lu.assertEquals(#db:curves("1").train.loss.step, 100)
  lu.assertEquals(db:find("@last").status, "crashed")
  lu.assertEquals(one(db, "SELECT status FROM v_run"), "crashed")
  lu.assertEquals(one(db, "PRAGMA integrity_check"), "ok")
end

function Refusing.test_second_writer_waits_its_turn_and_readers_do_not()
  local db, path = new()
  db:start_run(description())
  local again, message, code = store.open(path)
  lu.assertNil(again)
  lu.assertEquals(code, "EBUSY")
  lu.assertStrContains(message, "held for writing by this process")
  local out = other(([[
    local store = require "aniso.store"
    print(select(2, store.open(%q)))
    print(assert(store.open(%q, { readonly = true })):find("@last").status)]]):format(path, path))
  lu.assertStrContains(out, "held for writing by process " .. sys.pid())
  lu.assertStrContains(out, "running")
  db:close()
  lu.assertNil(sys.exists(path .. "-lock"))
  assert(store.open(path)):close()
end

local function write_file(path, text)
  assert(io.open(path, "wb")):write(text):close()
end

local function refused(path, code, text, options)
  for _, how in ipairs { { readonly = true }, options } do
    local db, message, got = store.open(path, how)
    lu.assertNil(db)
    lu.assertEquals(got, code, message)
    lu.assertStrContains(message, path)
    lu.assertStrContains(message, text)
    lu.assertNil(message:find "\n")
  end
end

function Refusing.test_files_that_are_not_ours()
  local at = folder()
  write_file(at .. "/text.db", ("this is no database\n"):rep(100))
  refused(at .. "/text.db", "EFORMAT", "not a database", {})
  write_file(at .. "/short.db", "hello")
  refused(at .. "/short.db", "EFORMAT", "not a database", {})
  local foreign = assert(store.open(at .. "/foreign.db"))
  assert(foreign:exec "PRAGMA application_id = 7")
  foreign:close()
  refused(at .. "/foreign.db", "EFORMAT", "another program", {})
  refused(at, "EIO", "not a file", {})
  lu.assertEquals(select(3, store.open(at .. "/none.db", { readonly = true })), "ENOTFOUND")
  local _, message, code = store.open(at .. "/missing/x.db")
  lu.assertEquals(code, "EIO")
  lu.assertStrContains(message, "folder")
  write_file(at .. "/empty.db", "")
  lu.assertEquals(select(3, store.open(at .. "/empty.db", { readonly = true })), "EFORMAT")
  assert(store.open(at .. "/empty.db")):close()
end

function Refusing.test_truncated_database()
  local db, path = new()
  db:start_run(description()):finish()
  db:close()
  local whole = assert(io.open(path, "rb")):read "a"
  for part = 1, 15 do
    local cut = path .. part
    write_file(cut, whole:sub(1, #whole * part // 16))
    local opened, message = store.open(cut, { readonly = true })
    local rows
    if opened then
      rows, message = opened:query "SELECT * FROM v_group"
      if rows then rows, message = opened:query "PRAGMA integrity_check" end
      if rows and rows[1].integrity_check ~= "ok" then rows, message = nil, cut end
      opened:close()
    end
    lu.assertNil(rows)
    lu.assertStrContains(message, cut)
  end
end

function Refusing.test_newer_database_can_be_read()
  local db, path = new()
  db:start_run(description()):finish()
  assert(db:exec("PRAGMA user_version = " .. core.db.VERSION + 1))
  db:close()
  local again, message, code = store.open(path)
  lu.assertNil(again)
  lu.assertEquals(code, "EFORMAT")
  lu.assertStrContains(message, "newer aniso")
  local reader <close> = assert(store.open(path, { readonly = true }))
  lu.assertEquals(#reader:runs(), 1)
end

function Refusing.test_user_sql_only_reads()
  local db, path = new()
  db:start_run(description()):finish()
  lu.assertErrorMsgContains("readonly", function() db:sql "SELECT 1" end)
  db:close()
  local reader <close> = assert(store.open(path, { readonly = true }))
  local rows, columns = assert(reader:sql "SELECT name, seed AS s FROM run; -- and no more")
  lu.assertEquals(columns, { "name", "s" })
  lu.assertEquals(rows, { { name = "adpm", s = 0 } })
  local elsewhere = folder() .. "/copy.db"
  for _, text in ipairs { "DELETE FROM run", "DROP TABLE run", "SELECT 1; SELECT 2", "", "-- nothing",
    "UPDATE run SET name = 'x'", "CREATE TABLE t(x)" } do
    lu.assertError(function() reader:sql(text) end)
  end
  for _, text in ipairs { "SELEC 1", "SELECT nobody FROM run", ("VACUUM INTO '%s'"):format(elsewhere),
    ("ATTACH '%s' AS x"):format(elsewhere), "SELECT load_extension('x')" } do
    local ok, got = pcall(reader.sql, reader, text)
    lu.assertFalse(ok and got ~= nil, text)
  end
  lu.assertNil(sys.exists(elsewhere))
  lu.assertEquals(#reader:runs(), 1)
end

function Refusing.test_full_disk_loses_nothing()
  local db, path = new()
  local run = db:start_run(description())
  run:metric("train", 1, { loss = 1 })
  run:flush()
  assert(db:query("PRAGMA max_page_count = " .. one(db, "PRAGMA page_count") + 1))
  for step = 2, 5000 do run.metrics[#run.metrics + 1] = { part = "train", step = step, name = "loss", value = 1 } end
  local ok, problem = pcall(run.flush, run)
  lu.assertFalse(ok)
  lu.assertEquals(problem.code, "EDB")
  lu.assertStrContains(tostring(problem), "full")
  lu.assertEquals(#run.metrics, 4999)
  lu.assertEquals(#db:curves(run.uid).train.loss.step, 1)
  assert(db:query "PRAGMA max_page_count = 1000000")
  run:finish()
  lu.assertEquals(#db:curves(run.uid).train.loss.step, 5000)
  db:close()
end

function Refusing.test_reading_where_one_may_not_write()
  local db, path = new()
  db:start_run(description()):finish()
  db:close()
  local at = path:match "^(.*)/"
  os.execute(("chmod a-w %s %s"):format(path, at))
  local probe = io.open(at .. "/probe", "w")
  lu.skipIf(probe, "this user may write everywhere")
  local reader <close> = assert(store.open(path, { readonly = true }))
  lu.assertEquals(#reader:runs(), 1)
  os.execute(("chmod u+w %s %s"):format(at, path))
end

local Json = {}

function Json.test_canonical_text()
  local encode = core.json.encode
  lu.assertEquals(encode { b = 1, a = { true, "x\n\"", 0.1 } }, '{"a":[true,"x\\u000a\\"",0.1],"b":1}')
  lu.assertEquals(encode { "ddim", steps = 20.0 }, '{"1":"ddim","steps":20}')
  lu.assertEquals(encode {}, "{}")
  lu.assertEquals(encode(core.json.array {}), "[]")
  lu.assertEquals({ encode(1 / 3), encode(1e15), encode(2 ^ 53), encode(-0.0), encode(math.huge) },
    { "0.3333333333333333", "1000000000000000", "9007199254740992", "-0", "1e999" })
  for _, bad in ipairs { 0 / 0, 2 ^ 53 // 1 | 0 + 1 << 60, print, { [1.5] = 1 }, { [-1] = 1, a = 1 } } do
    lu.assertError(encode, bad)
  end
  local circle = {}
  circle.me = circle
  lu.assertErrorMsgContains("circle", encode, circle)
end

function Json.test_round_trip_and_hostile_text()
  local value = { a = { 1, 2.5, "é\0x", false }, sampler = { "ddim", steps = 3 }, e = core.json.array {}, i = -math.huge }
  value.a[3] = "é"
  local text = core.json.encode(value)
  lu.assertEquals(core.json.encode(core.json.decode(text)), text)
  lu.assertEquals(math.type(core.json.decode("[3]")[1]), "integer")
  lu.assertEquals(core.json.decode("null"), core.json.null)
  for _, bad in ipairs { "", "{", "[1,]", "nul", "1 2", ("["):rep(500) .. ("]"):rep(500), ("["):rep(100000), '"\xff', "{\"a\":}" } do
    local got, message, code = core.json.decode(bad)
    lu.assertNil(got)
    lu.assertEquals(code, "EFORMAT", message)
  end
end

return { Recording = Recording, Statistics = Statistics, Refusing = Refusing, Json = Json }
