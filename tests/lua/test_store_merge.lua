-- Merging files: the runs of two writers are combined without duplicates, atomically.
local lu = require "luaunit"
local core = require "aniso.core"
local check = require "aniso.store.check"
local store = require "aniso.store"
local fixture = dofile "tests/lua/store_fixture.lua"
local description, evaluation, one = fixture.description, fixture.evaluation, fixture.one

local Merge = {}

local function record(db, changes, unfinished)
  local run = db:start_run(description(changes))
  run:metric("train", 1, { loss = 0.5 })
  run:log("info", "a line")
  run:evaluation(evaluation({ { 2, 1 }, { 0, 1 } }, { results = { nll = 0.7 },
    bins = { { n = 4, sum_conf = 3.5,
    n_correct = 3 } }, class_scores = { auc = { 0.9, 0.8 } }, predictions = { true_idx = { 0, 0, 0, 1 },
    pred_idx = { 0, 1, 0, 1 }, probs = core.tensor.from { { 1, 0 }, { 0, 1 }, { 1, 0 }, { 0, 1 } } } }))
  if not unfinished then run:finish() end
  return run
end

local function write(path, bytes)
  local file <close> = assert(io.open(path, "wb"))
  file:write(bytes)
end

local function dump(db)
  local out = {}
  local tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
  for _, row in ipairs(assert(db:query(tables))) do
    out[row.name] = assert(db:query("SELECT * FROM " .. row.name))
  end
  return out
end

-- All rows of a run, without the ids that differ between files.
local function of_run(db, uid)
  local out, run = {}, assert(db:find(uid))
  for _, name in ipairs { "config", "lambda", "curves", "evaluations", "split_of", "origin" } do
    out[name] = assert(db[name](db, run))
  end
  for _, e in ipairs(out.evaluations) do
    out.classes, out.predictions, out.bins = db:classes(e), db:predictions(e), db:bins(e)
    e.eval_id, e.run_id = nil, nil
    for _, c in ipairs(out.classes) do c.eval_id, c.run_id = nil, nil end
    for _, r in pairs(e.results) do r.eval_id = nil end
  end
  out.split_of.split_id, out.split_of.dataset_id = nil, nil
  return out
end

-- A row of a file before version 6 has no content; a run of the same data, or another file, brings it.
function Merge.test_the_content_of_data_is_filled_in()
  local a <close> = fixture.new()
  local into <close> = fixture.new()
  record(a, { seed = 0 })
  record(into, { seed = 1 })
  assert(into:exec "UPDATE dataset SET content = NULL")
  assert(into:merge { a.path })
  lu.assertEquals(one(into, "SELECT content FROM dataset"), "c1")
  assert(into:exec "UPDATE dataset SET content = NULL")
  record(into, { seed = 2 })
  lu.assertEquals(one(into, "SELECT group_concat(content) FROM dataset"), "c1")
end

function Merge.test_merging_two_files_is_idempotent()
  local a <close> = fixture.new()
  local b <close> = fixture.new()
  local a_path, b_path = a.path, b.path
  local into <close> = fixture.new()
  record(a, { seed = 0 })
  record(b, { seed = 7, study = "other", label = "low", config = { train = { epochs = 1 } } })
  record(b, { seed = 0 }) -- the same run in both files
  b:tag(b:find "@last", { "paper" })
  b:note(b:find "@last", "a remark")
  local results = assert(into:merge { a_path, b_path })
  lu.assertEquals({ results[1].added, results[2].added, results[2].known }, { 1, 2, 0 })
  for _, from in ipairs { a, b } do
    for _, run in ipairs(from:runs()) do
      lu.assertEquals(of_run(into, run.uid), of_run(from, run.uid))
    end
  end
  lu.assertEquals(one(into, "SELECT group_concat(attempt, ' ') FROM (SELECT attempt FROM run WHERE seed = 0 "
    .. "ORDER BY attempt)"), "1 2")
  lu.assertEquals(#into:select { "tag:paper" }, 1)
  lu.assertEquals(into:notes(into:find "@last")[1].text, "a remark")
  lu.assertEquals(one(into, "SELECT typeof(probs) FROM prediction LIMIT 1"), "blob")
  for _, result in ipairs(assert(check(into))) do lu.assertEquals(result.faults, {}, result.name) end
  local before = dump(into)
  results = assert(into:merge { b_path, a_path })
  lu.assertEquals({ results[1].added, results[1].updated, results[1].known }, { 0, 0, 2 })
  lu.assertEquals(dump(into), before)
end

function Merge.test_a_run_in_progress_is_skipped_and_a_resumed_one_is_updated()
  local a, a_path = fixture.new()
  local into <close> = fixture.new()
  local run = record(a, {}, true)
  lu.assertEquals(into:merge { a_path }[1].running, 1)
  lu.assertEquals(#into:runs(), 0)
  a:close() -- as after a crash
  store.open(a_path):close()
  lu.assertEquals(into:merge({ a_path })[1].added, 1)
  lu.assertEquals(into:find("@last").status, "crashed")
  into:tag(into:find "@last", { "mine" })
  do
    local again <close> = assert(store.open(a_path))
    assert(again:exec "UPDATE run SET heartbeat_at = '2999-01-01T00:00:00.000Z', status = 'finished'")
    assert(again:exec "UPDATE metric_value SET value = 0.25")
  end
  lu.assertEquals(into:merge({ a_path })[1].updated, 1)
  lu.assertEquals(into:find("@last").status, "finished")
  lu.assertEquals(into:curves(into:find "@last").train.loss.value, { 0.25 })
  lu.assertEquals(into:tags()[into:find("@last").run_id], { "mine" })
  lu.assertEquals(into:merge({ a_path })[1].known, 1)
  lu.assertNotNil(run)
end

function Merge.test_files_of_earlier_versions()
  local into <close> = fixture.new()
  for version, runs in pairs { 2, 5, [9] = 2 } do
    local path = fixture.folder() .. "/old.db"
    do
      local from <close> = assert(io.open(("tests/golden/runs-v%d.sqlite"):format(version), "rb"))
      write(path, from:read "a")
    end
    lu.assertEquals(into:merge({ path })[1].added, runs)
    local old <close> = assert(store.open(path, { readonly = true }))
    lu.assertEquals(old:version(), version)
    for _, run in ipairs(old:runs()) do lu.assertEquals(of_run(into, run.uid), of_run(old, run.uid)) end
  end
  lu.assertEquals(#into:select { "tag:paper" }, 2)
end

-- Runs removed in a source file are not merged; runs removed in the target stay removed.
function Merge.test_removed_runs()
  local a <close> = fixture.new()
  local into <close> = fixture.new()
  local kept, gone = record(a, { seed = 0 }), record(a, { seed = 1 })
  a:remove { a:find(gone.uid) }
  local result = into:merge({ a.path })[1]
  lu.assertEquals({ result.added, result.removed }, { 1, 1 })
  lu.assertEquals(one(into, "SELECT group_concat(uid) FROM run"), kept.uid)
  into:remove { into:find(kept.uid) }
  a:restore { a:find(gone.uid, { removed = true }) }
  result = into:merge({ a.path })[1]
  lu.assertEquals({ result.added, result.known, result.removed }, { 1, 1, 0 })
  lu.assertEquals(into:runs()[1].uid, gone.uid)
  lu.assertEquals(#into:runs(), 1)
end

function Merge.test_a_rejected_file_changes_nothing()
  local good, good_path = fixture.new()
  record(good, {})
  good:close()
  local into <close> = fixture.new()
  local into_path = into.path
  record(into, { seed = 3 })
  local folder, before = fixture.folder(), dump(into)
  local function assert_error(path, text)
    local results, message = into:merge { good_path, path }
    lu.assertNil(results)
    lu.assertStrContains(message, text)
    lu.assertNil(message:find "\n")
    lu.assertEquals(dump(into), before)
  end
  assert_error(folder .. "/missing.db", "no database at")
  write(folder .. "/text.db", ("no database\n"):rep(100))
  assert_error(folder .. "/text.db", "text.db")
  assert_error(into_path, "into itself")
  local newer, newer_path = fixture.new()
  record(newer, { seed = 4 })
  assert(newer:query("PRAGMA user_version = " .. core.db.VERSION + 1))
  newer:close()
  assert_error(newer_path, "newer aniso")
  local foreign, foreign_path = fixture.new()
  assert(foreign:query "PRAGMA application_id = 77")
  foreign:close()
  assert_error(foreign_path, "another program")
  local damaged, damaged_path = fixture.new()
  for seed = 1, 20 do record(damaged, { seed = seed }) end
  assert(damaged:query "PRAGMA wal_checkpoint(TRUNCATE)")
  damaged:close()
  local file = assert(io.open(damaged_path, "r+b"))
  local size = file:seek "end"
  file:seek("set", 4096 * 3)
  file:write(("\255"):rep(size - 4096 * 3)):close()
  assert_error(damaged_path, damaged_path)
end

function Merge.test_folds_and_clusters()
  local a <close> = fixture.new()
  local into <close> = fixture.new()
  local of = fixture.description { fold = 1 }
  of.split.folds, of.split.fold_set, of.split.clusters = 2, "set", { 7, 7, 9 }
  a:start_run(of):finish()
  lu.assertEquals(into:merge({ a.path })[1].added, 1)
  local run = into:find "@last"
  lu.assertEquals({ run.fold, run.folds, run.fold_set }, { 1, 2, "set" })
  lu.assertEquals(into:query "SELECT group_concat(cluster) AS c FROM split_cluster", { { c = "7,7,9" } })
end

-- Many rows are one statement: the same rows arrive, also what is no number, for any count of them.
function Merge.test_rows_that_fill_several_statements()
  for _, points in ipairs { 9, 60, 83 } do
    local a <close> = fixture.new()
    local into <close> = fixture.new()
    local run = a:start_run(description())
    for step = 1, points do
      run:metric("val", step, { acc = step / points, loss = step % 7 == 0 and 0 / 0 or -step })
    end
    run:finish()
    local statements, exec = 0, into.core
    into.core = setmetatable({ exec = function(_, ...)
      statements = statements + 1
      return exec:exec(...)
    end }, { __index = function(_, name) return function(_, ...) return exec[name](exec, ...) end end })
    lu.assertEquals(into:merge({ a.path })[1].added, 1)
    lu.assertTrue(statements < 60, statements)
    local sql = [[SELECT name, part, step, value, kind FROM metric_value JOIN metric USING(metric_id)
      ORDER BY name, part, step]]
    local rows = assert(into:query(sql))
    lu.assertEquals(#rows, 2 * points)
    lu.assertEquals(rows, assert(a:query(sql)))
  end
end

return { Merge = Merge }
