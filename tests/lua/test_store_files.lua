-- Kills, concurrent writers, foreign and damaged files, full disks, SQL from the user.
local lu = require "luaunit"
local core = require "aniso.core"
local store = require "aniso.store"
local fixture = dofile "tests/lua/store_fixture.lua"
local description, folder, new, one = fixture.description, fixture.folder, fixture.new, fixture.one

local sys = core.sys
local Files = {}

-- Runs Lua code in another process of this program; returns its output and whether it succeeded.
local function run_in_other_process(code)
  local file = folder() .. "/code.lua"
  assert(io.open(file, "w")):write(code):close()
  local command = ("%s exec %s 2>&1"):format(os.getenv "ANISO" or "./aniso", file)
  local pipe = io.popen(command)
  local out = pipe:read "a"
  return out, pipe:close()
end

function Files.test_killed_writer_leaves_what_it_flushed()
  local path = folder() .. "/runs.db"
  local out = run_in_other_process(([[
    package.path = "" -- only the program's own modules
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

function Files.test_a_second_writer_is_rejected_and_readers_are_not()
  local db, path = new()
  db:start_run(description())
  local again, message, code = store.open(path)
  lu.assertNil(again)
  lu.assertEquals(code, "EBUSY")
  lu.assertStrContains(message, "locked by this process")
  local out = run_in_other_process(([[
    local store = require "aniso.store"
    print(select(2, store.open(%q)))
    print(assert(store.open(%q, { readonly = true })):find("@last").status)]]):format(path, path))
  lu.assertStrContains(out, "locked by process " .. sys.pid())
  lu.assertStrContains(out, "running")
  db:close()
  lu.assertNil(sys.exists(path .. "-lock"))
  assert(store.open(path)):close()
end

local function write_file(path, text)
  assert(io.open(path, "wb")):write(text):close()
end

local function assert_error(path, code, text, options)
  for _, how in ipairs { { readonly = true }, options } do
    local db, message, got = store.open(path, how)
    lu.assertNil(db)
    lu.assertEquals(got, code, message)
    lu.assertStrContains(message, path)
    lu.assertStrContains(message, text)
    lu.assertNil(message:find "\n")
  end
end

function Files.test_files_of_other_programs()
  local at = folder()
  write_file(at .. "/text.db", ("this is not a database\n"):rep(100))
  assert_error(at .. "/text.db", "EFORMAT", "not a database", {})
  write_file(at .. "/short.db", "hello")
  assert_error(at .. "/short.db", "EFORMAT", "not a database", {})
  local foreign = assert(store.open(at .. "/foreign.db"))
  assert(foreign:exec "PRAGMA application_id = 7")
  foreign:close()
  assert_error(at .. "/foreign.db", "EFORMAT", "another program", {})
  assert_error(at, "EIO", "not a file", {})
  lu.assertEquals(select(3, store.open(at .. "/none.db", { readonly = true })), "ENOTFOUND")
  local _, message, code = store.open(at .. "/missing/x.db")
  lu.assertEquals(code, "EIO")
  lu.assertStrContains(message, "folder")
  write_file(at .. "/empty.db", "")
  lu.assertEquals(select(3, store.open(at .. "/empty.db", { readonly = true })), "EFORMAT")
  assert(store.open(at .. "/empty.db")):close()
end

function Files.test_truncated_database()
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

function Files.test_newer_database_can_be_read()
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

function Files.test_user_sql_only_reads()
  local db, path = new()
  db:start_run(description()):finish()
  lu.assertErrorMsgContains("readonly", function() db:sql "SELECT 1" end)
  db:close()
  local reader <close> = assert(store.open(path, { readonly = true }))
  local rows, columns = assert(reader:sql "SELECT name, seed AS s FROM run; -- a comment")
  lu.assertEquals(columns, { "name", "s" })
  lu.assertEquals(rows, { { name = "adpm", s = 0 } })
  local elsewhere = folder() .. "/copy.db"
  for _, text in ipairs { "DELETE FROM run", "DROP TABLE run", "SELECT 1; SELECT 2", "", "-- nothing",
    "UPDATE run SET name = 'x'", "CREATE TABLE t(x)" } do
    lu.assertError(function() reader:sql(text) end)
  end
  for _, text in ipairs { "SELEC 1", "SELECT absent FROM run", ("VACUUM INTO '%s'"):format(elsewhere),
    ("ATTACH '%s' AS x"):format(elsewhere), "SELECT load_extension('x')" } do
    local ok, got = pcall(reader.sql, reader, text)
    lu.assertFalse(ok and got ~= nil, text)
  end
  lu.assertNil(sys.exists(elsewhere))
  lu.assertEquals(#reader:runs(), 1)
end

function Files.test_full_disk_loses_nothing()
  local db = new()
  local run = db:start_run(description())
  run:metric("train", 1, { loss = 1 })
  run:flush()
  assert(db:query("PRAGMA max_page_count = " .. one(db, "PRAGMA page_count") + 1))
  for step = 2, 5000 do
    run.buffer.metrics[step - 1] = { part = "train", step = step, name = "loss", value = 1 }
  end
  local ok, problem = pcall(run.flush, run)
  lu.assertFalse(ok)
  lu.assertEquals(problem.code, "EDB")
  lu.assertStrContains(tostring(problem), "full")
  lu.assertEquals(#run.buffer.metrics, 4999)
  lu.assertEquals(#db:curves(run.uid).train.loss.step, 1)
  assert(db:query "PRAGMA max_page_count = 1000000")
  run:finish()
  lu.assertEquals(#db:curves(run.uid).train.loss.step, 5000)
  db:close()
end

function Files.test_reading_without_write_permission()
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

return { Files = Files }
