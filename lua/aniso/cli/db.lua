-- aniso db info | check | migrate | backup | merge | vacuum: maintains the database file itself.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local core = require "aniso.core"
local tables = require "aniso.show.table"

local command = { summary = "maintain the database file: info, check, migrate, backup, merge, vacuum" }

function command.arguments(parser)
  parser:argument("action", "info: facts; check: faults; migrate: update to this version; backup: copy;\n"
    .. "merge: read in other databases; vacuum: free space")
    :choices { "info", "check", "migrate", "backup", "merge", "vacuum" }
  parser:argument("file", "backup: the copy (default: FILE.YYYYMMDD-HHMMSS.bak); merge: the files to read")
    :args "*"
  parser:flag("--take", "merge: also move the files of finished runs, so that eval and report find them")
  parser:option("--shards", "merge: folder of a submitted study (implies --take, and reports missing runs)")
    :argname "FOLDER"
  common.db(parser)
  common.alone(parser)
  common.format(parser)
end

local actions = {}

function actions.info(args)
  local db = common.open(args)
  local rows = { { "file", db.path }, { "size", common.megabytes(core.sys.size(db.path) or 0) },
    { "version", db:version() }, { "this program's version", core.db.VERSION } }
  local pid = db:writer()
  local writer = pid and (pid > 0 and "process " .. pid or "another process") or "no process now"
  rows[#rows + 1] = { "written by", writer }
  local counts = common.guarded(require("aniso.store.contents").counts, db)
  table.move(counts, 1, #counts, #rows + 1, rows)
  local by_status, statuses = {}, {}
  for _, run in ipairs(cli.need(db:runs())) do
    if not by_status[run.status] then statuses[#statuses + 1] = run.status end
    by_status[run.status] = (by_status[run.status] or 0) + 1
  end
  local removed = #cli.need(db:runs { removed = true })
  if removed > 0 then rows[#rows + 1] = { "runs removed", removed } end
  table.sort(statuses)
  for _, status in ipairs(statuses) do rows[#rows + 1] = { "runs " .. status, by_status[status] } end
  tables.print({ "fact", "value" }, rows, args.format)
end

function actions.check(args)
  local db = common.open(args)
  local results, faults = cli.need(common.guarded(require "aniso.store.check", db)), 0
  local rows = {}
  for i, one in ipairs(results) do
    faults = faults + #one.faults
    rows[i] = { one.name, #one.faults == 0 and "ok" or one.faults[1]
      .. (#one.faults > 1 and (" (and %d more)"):format(#one.faults - 1) or "") }
  end
  tables.print({ "check", "result" }, rows, args.format)
  if faults > 0 then
    cli.fail(cli.DATABASE, ("%s: %d %s; a backup or `sqlite3 FILE .recover` may help")
      :format(db.path, faults, faults == 1 and "fault" or "faults"))
  end
end

function actions.migrate(args)
  local before
  do
    local db <close> = common.open(args)
    before = db:version()
  end
  local db <close> = common.open_to_write(args)
  if before == db:version() then
    return console.print(("%s has version %d already"):format(db.path, before))
  end
  console.print(("%s: migrated from version %d to %d; %s.v%d.bak has the file as it was")
    :format(db.path, before, db:version(), db.path, before))
end

function actions.backup(args)
  local db = common.open(args)
  local copy = args.file[1] or ("%s.%s.bak"):format(db.path, os.date "!%Y%m%d-%H%M%S")
  local made, why = db.core:backup(copy)
  cli.need(made, why, "EDB")
  console.print(("%s  %s"):format(copy, common.megabytes(core.sys.size(copy)).text))
end

function actions.vacuum(args)
  local db <close> = common.open_to_write(args)
  local before = core.sys.size(db.path)
  common.guarded(require("aniso.store.contents").vacuum, db)
  local after = core.sys.size(db.path)
  console.print(("%s  %s, was %s"):format(db.path, common.megabytes(after).text,
    common.megabytes(before).text))
end

local function is_empty(path)
  local db = require("aniso.store").open(path, { readonly = true })
  if not db then return false end
  local count = require("aniso.store.contents").run_count(db)
  db:close()
  return count == 0
end

-- Removes a database that this command created and could not fill: an empty one would look like the result of
-- a merge. Another command may have waited for the writer's lock and filled it meanwhile.
local function discard(db)
  db:close()
  local lock <close> = core.sys.lock(db.path)
  if not lock or not is_empty(db.path) then return end
  for _, ending in ipairs { "-wal", "-shm", "" } do core.sys.remove(db.path .. ending) end
end

-- Calls db:merge(files); if it ends early for any reason, a new database is removed.
local function merge_into(db, files, is_new)
  local outcome = table.pack(pcall(core.sys.interruptible, db.merge, db, files))
  local ok, results, message, code = table.unpack(outcome, 1, 4)
  if is_new and not (ok and results) then discard(db) end
  if not ok then error(results, 0) end
  return cli.need(results, message, code, cli.DATABASE)
end

-- A missing database is created once the first file to merge has been opened. A link instead of a file would
-- give away the folders of the database that it points to.
local function merge(args, files)
  if args.take then
    common.guarded(require("aniso.store.run_folder").refuse_links, table.unpack(files))
  end
  local is_new = not core.sys.exists(args.db)
  if is_new then
    common.need_db(core.db.open(files[1], "read")):close()
    core.sys.interrupt_mode "poll" -- a signal while the new database is empty waits until it can be removed
  end
  local db = common.need_db(require("aniso.store").open(args.db, { alone = args.alone }))
  local results, rows = merge_into(db, files, is_new), {}
  for i, one in ipairs(results) do
    rows[i] = { files[i], one.added, one.updated, one.known, one.running,
      one.removed }
  end
  tables.print({ "file", "added", "updated", "known", "running", "removed" }, rows, args.format)
  for _, path in ipairs(args.take and files or {}) do
    common.guarded(require "aniso.store.take_files", db, path)
  end
  return db
end

-- Merges the existing shards of a submitted study; missing ones are a failure.
local function merge_shards(args)
  local shards = require "aniso.cluster.shards"
  local folder = args.shards:gsub("(.)/+$", "%1")
  local submission, why = shards.read(folder)
  if submission == nil then cli.fail(cli.FAILED, why) end
  if not submission then cli.fail(cli.NO_MATCH, folder .. " is not the folder of a submitted study") end
  local files, busy = shards.databases(folder, submission)
  for _, task in ipairs(busy) do
    console.note(("task %d is still writing: merge again when it has ended"):format(task))
  end
  if #files == 0 then cli.fail(cli.FAILED, folder .. " has no database yet; its logs say why") end
  args.take = true
  local db <close> = merge(args, files)
  local state = require("aniso.cluster.missing")(db, submission)
  console.print(state.text)
  if state.missing > 0 then
    cli.fail(cli.FAILED, ("%d of %d runs are missing; submit the study again to finish it"):format(
      state.missing, state.runs))
  end
end

function actions.merge(args)
  if args.shards then return merge_shards(args) end
  merge(args, args.file):close()
end

local FILES = { backup = { 0, 1 }, merge = { 1, math.huge } }

local function check_merge(args)
  for _, flag in ipairs { "take", "shards", "alone" } do
    if args[flag] and args.action ~= "merge" then
      cli.fail(cli.USAGE, ("--%s belongs to aniso db merge"):format(flag))
    end
  end
  if args.shards and #args.file > 0 then
    cli.fail(cli.USAGE, "aniso db merge --shards FOLDER finds the files itself; name no others")
  end
end

function command.run(args)
  check_merge(args)
  local file_limits, n = FILES[args.action] or { 0, 0 }, #args.file
  if n > file_limits[2] then
    cli.fail(cli.USAGE, ("aniso db %s takes %s; name the database with --db"):format(args.action,
      file_limits[2] == 0 and "no file" or "one file"))
  end
  if n < file_limits[1] and not args.shards then
    cli.fail(cli.USAGE, "aniso db merge FILE… --db INTO: name the files to read")
  end
  return actions[args.action](args)
end

return command
