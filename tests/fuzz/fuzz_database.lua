-- Any bytes as changes of a run database of each version: it is opened and checked as one of any origin, and
-- two commands read it. The first byte selects the version, the second the command; then follow changes of
-- four bytes: which of the file's bytes that are not zero (three), and what it becomes.
-- Covers: store/content_check.c store/known_schema.c store/store.c store/statement.c engine/bind/database.c
--   lua/aniso/store/read.lua lua/aniso/store/find.lua lua/aniso/store/select.lua lua/aniso/store/groups.lua
--   lua/aniso/cli/ls.lua lua/aniso/cli/show.lua lua/aniso/cli/table.lua
local cli = require "aniso.cli"

local STUDIES = { "lambda", "lambda", "lambda", "old", "five", "old", "seven" } -- by version

local COMMANDS = { { "show", "@last" }, { "show", "@last", "curve" }, { "show", "@last", "config" },
  { "show", "@last", "classes" }, { "show", "@last", "evaluations" }, { "show", "@last", "confusion" },
  { "show", "@last", "repro" }, { "show", "@last", "log" }, { "table", "STUDY" },
  { "compare", "STUDY", "--draws", "20" }, { "db", "check" }, { "db", "info" },
  { "ls", "--varying", "--format", "json" },
  { "curve", "STUDY", "-x", "schedule.lambda.gamma", "-y", "acc" }, { "sql", "SELECT * FROM v_eval" },
  { "watch", "--once" } }

local function read(version)
  local file <close> = assert(io.open(("tests/golden/runs-v%d.sqlite"):format(version), "rb"))
  local bytes, used = file:read "a", {}
  for at in bytes:gmatch "()[^\0]" do used[#used + 1] = at end
  return { bytes = bytes, used = used }
end

local bases = {}
for version = 1, 7 do bases[version] = read(version) end

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
  if ok then ok, problem = run(COMMANDS[text:byte(2) % #COMMANDS + 1], path, STUDIES[version]) end
  collectgarbage() -- closes the connections
  for _, ending in ipairs { "", "-wal", "-shm", "-journal", "-lock" } do os.remove(path .. ending) end
  if not ok then error(problem, 0) end
end
