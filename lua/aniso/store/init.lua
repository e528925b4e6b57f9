-- The run database: aniso.store.open(path [, {readonly = true}]) → database | nil, message, code. {wait =
-- waiting}: what to do about another program's lock (store/lock_wait.lua), also the field `waiting`.
-- {join = true}: to train next to other workers of a plan (claims.lua).
-- {shared = true}: while another process trains, single transactions on finished runs (the field `shared`).
-- {alone = true}: also on a network file system; no other process can open the file meanwhile.
-- A database reads (store/find.lua, select.lua, score.lua, read.lua, curves.lua) and, opened for writing,
-- takes tags and notes (tags_and_notes.lua), plans (plan.lua) and decisions (pruned.lua), removes runs
-- (removal.lua, collect.lua), merges (merge.lua) and makes recorders (recorder.lua). Opening for writing also
-- ends the runs whose writer is gone.
local claims = require "aniso.store.claims"
local core = require "aniso.core"
local find = require "aniso.store.find"
local tags_and_notes = require "aniso.store.tags_and_notes"
local lock_wait = require "aniso.store.lock_wait"
local merge = require "aniso.store.merge"
local plan = require "aniso.store.plan"
local printing = require "aniso.store.printing"
local pruned = require "aniso.store.pruned"
local curves = require "aniso.store.curves"
local read = require "aniso.store.read"
local recorder = require "aniso.store.recorder"
local db_error = require "aniso.store.db_error"
local run_folder = require "aniso.store.run_folder"
local removal = require "aniso.store.removal"
local score = require "aniso.store.score"
local select_runs = require "aniso.store.select"

local Database = { __name = "aniso.RunDatabase", __pretty = printing.database }
Database.__index = Database

local store = { methods = Database }

for _, part in ipairs { find, tags_and_notes, merge, plan, claims, pruned, read, curves, recorder.database,
  removal, score, select_runs.methods } do
  for name, method in pairs(part) do Database[name] = method end
end

-- The metatable of what compare() returns.
store.Comparison = { __name = "aniso.Comparison", __tostring = printing.comparison }

-- compare() and groups() are loaded when they are first called: most commands use neither.
function Database:compare(names, options)
  local result, message, code = require("aniso.store.compare").compare(self, names, options)
  if not result then return nil, message, code end
  return setmetatable(result, store.Comparison)
end

function Database:groups(study, options)
  return require("aniso.store.groups").with_numbers(self, study, options)
end

-- A run without an end belongs to the writing process. When a new writer opens the file, that process is
-- gone and the run has crashed.
local function end_crashed_runs(db)
  if db.joined then return db:end_lost_runs() end
  return db.core:exec "UPDATE run SET ended_at = heartbeat_at WHERE ended_at IS NULL"
end

-- A reader that finds such runs and no writer ends them if the file is writable, so that every tool shows the
-- same status as `aniso ls`. Otherwise db:runs() derives the status from the writer's lock.
local function settle(db)
  local unended = db.core:query "SELECT 1 FROM run WHERE ended_at IS NULL LIMIT 1"
  if not unended or #unended == 0 or db.core:writer() then return end
  if db.core:version() ~= core.db.VERSION then return end
  local writing = core.db.open(db.path, "write")
  if writing then
    end_crashed_runs { core = writing }
    writing:close()
  end
end

-- Opens for writing; if another process has the lock and `shared` is set, opens next to that process.
local function open_to_write(path, options)
  local connection, message, code = core.db.open(path, options.alone and "alone" or "write")
  if connection or code ~= "EBUSY" or not options.shared then return connection, message, code end
  connection, message, code = core.db.open(path, "share")
  return connection, message, code, true
end

function store.open(path, options)
  local readonly = options and options.readonly or false
  local connection, message, code, shared
  if readonly then
    connection, message, code = core.db.open(path, "read")
  elseif options and options.join then
    connection, message, code = core.db.open(path, "join")
  else
    connection, message, code, shared = open_to_write(path, options or {})
  end
  if not connection then return nil, message, code end
  local db = setmetatable({ core = connection, path = connection:path(), readonly = readonly,
    shared = shared, joined = options and options.join }, Database)
  if readonly then
    settle(db)
    return db
  end
  db.waiting = options and options.wait
  if shared then return db end
  local ended
  ended, message, code = db:transaction(end_crashed_runs, db)
  if not ended then
    connection:close()
    return nil, message, code
  end
  return db
end

-- exec(sql, value…) → rows changed, last new id | nil, message, code.
function Database:exec(sql, ...)
  return self.core:exec(sql, ...)
end

-- query(sql, value…) → list of rows by column name, list of column names | nil, message, code.
function Database:query(sql, ...)
  return self.core:query(sql, ...)
end

-- SQL from the user: one reading statement, on a database opened for reading.
function Database:sql(text)
  if not self.readonly then error("sql() requires a database opened with {readonly = true}", 2) end
  return self.core:query(text)
end

-- Runs fn(…) in one transaction: all of it is stored or nothing. → fn's results (true where
-- it has none) | nil, message, code. An error in fn rolls back and is raised again.
function Database:transaction(fn, ...)
  return self:transaction_when("wait", fn, ...)
end

-- The same; how: as for lock_wait.begin(), for a database that another program has locked.
function Database:transaction_when(how, fn, ...)
  local begun, message, code = lock_wait.begin(self, how)
  if not begun then return nil, message, code end
  local results = table.pack(pcall(fn, ...))
  if not results[1] then
    self.core:rollback()
    if db_error.is(results[2]) then return nil, results[2].message, results[2].code end
    error(results[2], 0)
  end
  local committed
  committed, message, code = self.core:commit()
  if not committed then return nil, message, code end
  if results.n == 1 then return true end
  return table.unpack(results, 2, results.n)
end

-- The folder of the checkpoints: runs.db keeps them in runs/<uid of a run>/.
function Database:folder()
  return (self.path:gsub("%.db$", "")) .. (self.path:match "%.db$" and "" or ".runs")
end

-- The folder of one run's checkpoints; raises where uid is no ULID.
function Database:run_folder(uid)
  return run_folder.path(self, uid)
end

-- The folder of the first stages that staged runs share; databases in one folder use one.
function Database:first_stage_folder()
  return (self.path:match "^(.*/)[^/]*$" or "") .. "first-stage"
end

function Database:version()
  return self.core:version()
end

-- The number of the process that writes (0: unknown), or of one of several; nil if no process does.
-- pid [opt]: → whether that process writes.
function Database:writer(pid)
  return self.core:writer(pid)
end

function Database:close()
  self.core:close()
end

Database.__close = Database.close

function Database:__tostring()
  return ("RunDatabase(%s%s)"):format(core.sys.visible(self.path), self.readonly and ", for reading" or "")
end

return store
