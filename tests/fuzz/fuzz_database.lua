-- Any bytes as changes of a run database of each version: it is opened and checked as one of any origin, and
-- two commands read it. The first byte selects the version, the second the command; then follow changes of
-- four bytes: which of the file's bytes that are not zero (three), and what it becomes.
-- Covers: store/content_check.c store/known_schema.c store/store.c store/statement.c engine/bind/database.c
--   lua/aniso/store/read.lua lua/aniso/store/find.lua lua/aniso/store/select.lua lua/aniso/store/groups.lua
--   lua/aniso/cli/ls.lua lua/aniso/cli/show.lua lua/aniso/cli/table.lua
local cli = require "aniso.cli"
local store = require "aniso.store"
local sys = require("aniso.core").sys

local COMMANDS = { { "show", "@last" }, { "show", "@last", "curve" }, { "show", "@last", "config" },
  { "show", "@last", "classes" }, { "show", "@last", "evaluations" }, { "show", "@last", "confusion" },
  { "show", "@last", "repro" }, { "show", "@last", "log" }, { "table", "STUDY" },
  { "compare", "STUDY", "--draws", "20" }, { "db", "check" }, { "db", "info" },
  { "ls", "--varying", "--format", "json" },
  { "curve", "STUDY", "-x", "schedule.lambda.gamma", "-y", "acc" }, { "sql", "SELECT * FROM v_eval" },
  { "watch", "--once" } }

-- The bytes of a database, the places of those that are not zero, and the name of a study.
local function base_of(path)
  local file <close> = assert(io.open(path, "rb"))
  local db <close> = assert(store.open(path, { readonly = true }))
  local bytes, used = file:read "a", {}
  for at in bytes:gmatch "()[^\0]" do used[#used + 1] = at end
  return { bytes = bytes, used = used, study = db:query("SELECT name FROM study")[1].name }
end

local function copied(from, to)
  local source <close> = assert(io.open(from, "rb"))
  local target <close> = assert(io.open(to, "wb"))
  assert(target:write((source:read "a")))
end

-- The databases of the former versions, and the newest of them as this version migrates it.
local function bases_of(folder)
  local bases, path, newest = {}, nil, folder .. "/base.db"
  repeat
    bases[#bases + 1] = path and base_of(path)
    path = ("tests/golden/runs-v%d.sqlite"):format(#bases + 1)
  until not sys.exists(path)
  copied(("tests/golden/runs-v%d.sqlite"):format(#bases), newest)
  assert(store.open(newest)):close()
  bases[#bases + 1] = base_of(newest)
  for _, ending in ipairs { "", "-wal", "-shm", "-lock", (".v%d.bak"):format(#bases - 1) } do
    os.remove(newest .. ending)
  end
  return bases
end

local bases = bases_of(...)

local function changed(base, text)
  local parts, at, places = {}, 1, {}
  for i = 3, #text - 3, 4 do
    local which, byte = string.unpack("<I3c1", text, i)
    places[base.used[which % #base.used + 1]] = byte
  end
  local order = {}
  for place in pairs(places) do order[#order + 1] = place end
  table.sort(order)
  for _, place in ipairs(order) do
    parts[#parts + 1] = base.bytes:sub(at, place - 1) .. places[place]
    at = place + 1
  end
  return table.concat(parts) .. base.bytes:sub(at)
end

local function run(command, path, study)
  local argv = { [0] = "aniso" }
  for i, word in ipairs(command) do argv[i] = word == "STUDY" and study or word end
  argv[#argv + 1], argv[#argv + 2] = "--db", path
  return pcall(cli.main, argv)
end

return function(text, folder)
  if #text < 2 then return end
  local path = folder .. "/runs.db"
  local version = text:byte(1) % #bases + 1
  local file = assert(io.open(path, "wb"))
  assert(file:write(changed(bases[version], text)))
  file:close()
  local ok, problem = run({ "ls" }, path)
  if ok then ok, problem = run(COMMANDS[text:byte(2) % #COMMANDS + 1], path, bases[version].study) end
  collectgarbage() -- closes the connections
  for _, ending in ipairs { "", "-wal", "-shm", "-journal", "-lock" } do os.remove(path .. ending) end
  if not ok then error(problem, 0) end
end
