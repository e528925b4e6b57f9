-- The folder of a submitted study: <database without .db>.shards/<study>. It contains the scripts, and for
-- task K the database shard-K.db with its folder and the log task-K.log. `submission.json` is what was
-- submitted:
--   { study, tool = version, recipe = path, sha256, flags, work = {{names of the runs of task 1}, …},
--     finished = {names of the runs that the database had before, which no task trains},
--     array = job, merge = job }
-- The folder is shared by all nodes, but each database is opened only on the node of its task, and by the
-- merge once no task is left. Commands that follow a study read the logs.
local core = require "aniso.core"
local errors = require "aniso.recipe.errors"
local sys = core.sys

local shards = {}

local MOST = 1 << 22   -- bytes of a submission, about 100,000 runs; one takes up to 120 bytes decoded
local MOST_TASKS = 100000
local LONGEST = 1 << 20 -- bytes of a log that are read
local LONGEST_TEXT = 4096 -- bytes of a name that a database may have too

-- A study's name as the name of a folder: characters other than letters, digits, - and _ become =XX.
local function file_name(study)
  local name = study:gsub("[^%w_-]", function(c) return ("=%02X"):format(c:byte()) end)
  return #name <= 100 and name or core.sha256.text(study)
end

-- The absolute path of a database that need not exist; its folder must. → nil, message
function shards.absolute(db)
  local folder, name = db:match "^(.*/)([^/]*)$"
  local real, why = sys.realpath(folder or ".")
  if not real then return nil, why end
  return (real == "/" and "" or real) .. "/" .. (name or db)
end

-- The machine's own folder that contains an absolute path, as far as the path shows; nil if there is none.
function shards.local_folder(path)
  for _, folder in ipairs { "/tmp/", "/var/tmp/", "/dev/shm/", "/run/" } do
    if path:sub(1, #folder) == folder then return folder:sub(1, -2) end
  end
end

-- The folder of all submitted studies of a database.
local function root_of(db)
  return (db:gsub("%.db$", "")) .. ".shards"
end

function shards.folder(db, study)
  return root_of(db) .. "/" .. file_name(study)
end

-- The folders of all submitted studies of a database.
function shards.folders(db)
  local out, root = {}, root_of(db)
  for i, name in ipairs(sys.exists(root) == "directory" and sys.list(root) or {}) do
    out[i] = root .. "/" .. name
  end
  return out
end

-- What is at the path of a file instead: a link, a pipe, a device or a socket, or a folder where the tasks
-- write a file.
local function fault_of(path, name)
  if sys.is_link(path) then return "a link" end
  local kind = sys.exists(path)
  if kind == "other" then return "no regular file" end
  local is_written = name and (name:match "^begun%-%d+$" or name:match "%.%a+$")
  return kind == "directory" and is_written and "a folder" or nil
end

-- What the tasks would write through or wait for, at the path of the folder, of the one above it or of a file
-- in it: its path and what it is; nil if there is no such obstacle. Slurm writes its logs through links, and
-- so does a shell; both wait for the reader of a pipe.
function shards.obstacle(folder)
  for _, path in ipairs { folder:match "^(.*)/[^/]*$", folder } do
    local what = fault_of(path)
    if what then return path, what end
  end
  for _, name in ipairs(sys.exists(folder) == "directory" and sys.list(folder) or {}) do
    local what = fault_of(folder .. "/" .. name, name)
    if what then return folder .. "/" .. name, what end
  end
end

local TEXTS = { "study", "tool", "recipe", "sha256", "flags" }
local IDS = { "array", "merge" } -- absent before sbatch has answered

local function is_text(value, most)
  return type(value) == "string" and #value <= most
end

local function are_names(list)
  if type(list) ~= "table" then return false end
  for _, name in ipairs(list) do if not is_text(name, LONGEST_TEXT) then return false end end
  return true
end

-- Whether a decoded file is a submission. Its texts are printed or compared, its ids are digits.
local function is_valid(one)
  if type(one) ~= "table" or type(one.work) ~= "table" or #one.work == 0 or
    #one.work > MOST_TASKS then return false end
  for _, key in ipairs(TEXTS) do if not is_text(one[key], LONGEST) then return false end end
  if #one.study > LONGEST_TEXT then return false end
  for _, list in ipairs(one.work) do if not are_names(list) then return false end end
  if not are_names(one.finished or {}) then return false end
  for _, key in ipairs(IDS) do
    if one[key] ~= nil and not (is_text(one[key], 18) and one[key]:match "^%d+$") then return false end
  end
  return true
end

-- The submission in a folder; false if there is none; nil, message if the file is not ours.
function shards.read(folder)
  local path = folder .. "/submission.json"
  if not sys.exists(path) then return false end
  local text, why = sys.read(path, MOST)
  if not text then return nil, why end
  local ok, one = pcall(core.json.decode, text)
  if not ok then errors.pass_interrupts(one) end
  if ok and is_valid(one) then return one end
  return nil, path .. " is damaged: no submission of aniso; remove it, and submit again"
end

function shards.write(folder, submission)
  local text = core.json.encode(submission) .. "\n"
  if #text > MOST then
    return nil, ("study %s has more runs than a submission holds (%d MB of names): submit several, with "
      .. "--only or --seeds and a --name each"):format(submission.study, MOST >> 20)
  end
  return sys.write_atomic(folder .. "/submission.json", text)
end

-- The set of a submission's runs that were finished when it was submitted.
function shards.finished(submission)
  local out = {}
  for _, name in ipairs(submission.finished or {}) do out[name] = true end
  return out
end

-- The databases of a submission's tasks that exist, in order, and the tasks whose database is in use.
function shards.databases(folder, submission)
  local out, busy = {}, {}
  for task in ipairs(submission.work) do
    local path = ("%s/shard-%d.db"):format(folder, task)
    if sys.used_by(path) then
      busy[#busy + 1] = task
    elseif sys.exists(path) == "file" then
      out[#out + 1] = path
    end
  end
  return out, busy
end

-- The content of a task's log: { last = its last line or nil, finished = set of the runs that succeeded };
-- nil if there is no log. A log above a megabyte is read from its beginning.
function shards.progress(folder, task)
  local path = ("%s/task-%d.log"):format(folder, task)
  if sys.exists(path) ~= "file" then return nil end
  local out = { finished = {} }
  for line in ((sys.read(path, LONGEST, true) or "") .. "\n"):gmatch "([^\n]*)\n" do
    local name = line:match "^(.-)  finished in %d"
    if name then out.finished[name] = true end
    if line:find "%S" then out.last = line end
  end
  return out
end

return shards
