-- Slurm's commands. Words are quoted for the shell; what they print is read line by line and checked.
--   slurm.fault(form, text) → what the value of an option of sbatch has to be, if text is not valid, or nil.
--     Forms: names, time, count, memory, option
--   slurm.missing() → why nothing can be submitted here, or nil      slurm.has_queue() → is squeue here?
--   slurm.most_tasks() → the most tasks that an array may have; math.huge if Slurm does not answer
--   slurm.submit(script [, after = job]) → job | nil, message
--   slurm.find(name, script [, job]) → the job in the queue with that name, script and number, false, or nil,
--     message
--   slurm.tasks(job, …) → { job = { task or "" → { state, node, reason } } } of the tasks that have not
--     ended; nil, message if slurmctld does not answer
local quoted = require("aniso.store.hint").quoted
local visible = require("aniso.core").sys.visible

local slurm = {}

local MOST = 1 << 24 -- bytes of an answer
local SHOWN = 300    -- bytes of a line in a message

-- ── values of options ───────────────────────────────────────────────────────────────────
local function is_count(text)
  local n = text:match "^%d+$" and math.tointeger(tonumber(text))
  return n ~= nil and n >= 1 and n <= 1000000
end

-- Minutes of a time limit in one of sbatch's six forms, or nil.
local function minutes(text)
  local days, rest = text:match "^(%d+)%-(.+)$"
  rest = rest or text
  local a, b, c = rest:match "^(%d+):?(%d*):?(%d*)$"
  if not a or #text > 20 or rest:find "::" or rest:find ":$" then return nil end
  a, b, c = tonumber(a), tonumber(b), tonumber(c)
  if days then return tonumber(days) * 1440 + a * 60 + (b or 0) + (c or 0) / 60 end -- hours first
  if c then return a * 60 + b + c / 60 end
  return a + (b or 0) / 60 -- minutes first
end

-- Slurm's warning comes one to two minutes before the end.
local function is_time(text)
  local m = minutes(text)
  return m ~= nil and m >= 3
end

local FORMS = {
  names = { "a name, or names with commas between them",
    function(text) return text:match "^[%w_][%w_.,@+-]*$" end },
  time = { "minutes, hours:minutes:seconds or days-hours, at least 3 minutes", is_time },
  count = { "a whole number from 1 to 1000000", is_count },
  memory = { "a number with K, M, G or T, such as 4G", function(text) return text:match "^%d+[KMGT]?$" end },
  option = { "the name of an option and its value, such as constraint=avx2",
    function(text) return text:match "^%l[%l-]*=[%w_.,:@/+&|*()%[%]=-]+$" or text:match "^%l[%l-]*$" end },
}

function slurm.fault(form, text)
  local what, fits = table.unpack(FORMS[form])
  return not fits(text) and what or nil
end

-- ── commands ────────────────────────────────────────────────────────────────────────────
-- The lines of stdout and stderr together, and whether the command succeeded. An answer longer than MOST
-- counts as a failure: the command ends when its pipe is closed.
local function call(...)
  local words = {}
  for i, word in ipairs { ... } do words[i] = quoted(word) end
  local pipe, lines = io.popen(table.concat(words, " ") .. " 2>&1 </dev/null"), {}
  if not pipe then return lines, false end
  local text = pipe:read(MOST + 1) or ""
  local ended = pipe:close() == true
  if #text > MOST then return { words[1] .. " printed more than 16 MB" }, false end
  for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
  return lines, ended
end

-- The last line of an answer, for a message.
local function last_of(lines, default)
  return visible((lines[#lines] or default):sub(1, SHOWN))
end

local function has(program)
  local _, found = call("sh", "-c", "command -v " .. program)
  return found
end

function slurm.missing()
  if has "sbatch" then return nil end
  return "sbatch is not found: submit where Slurm is installed, such as the cluster's login node; --dry-run "
    .. "prints the script"
end

function slurm.has_queue()
  return has "squeue"
end

-- Task numbers are below MaxArraySize, and begin at 1 here.
function slurm.most_tasks()
  local lines, done = call("scontrol", "show", "config")
  for _, line in ipairs(done and lines or {}) do
    local size = math.tointeger(tonumber(line:match "^MaxArraySize%s*=%s*(%d+)$"))
    if size then return math.max(1, size - 1) end
  end
  return math.huge
end

function slurm.submit(script, after)
  local words = { "sbatch", "--parsable" }
  if after then words[3] = "--dependency=afterany:" .. after end
  words[#words + 1] = script
  local lines, done = call(table.unpack(words))
  for _, line in ipairs(done and lines or {}) do
    local job = line:match "^(%d+)$" or line:match "^(%d+);" -- JOB;CLUSTER
    if job and #job <= 18 then return job end
  end
  return nil, "Slurm did not accept the job: " .. last_of(lines, "sbatch printed nothing")
end

local function no_answer(lines)
  return nil, "squeue does not list the tasks: " .. last_of(lines, "no answer")
end

function slurm.find(name, script, wanted)
  local lines, done = call("squeue", "-h", "-n", name, "-o", "%F|%o")
  if not done then return no_answer(lines) end
  for _, line in ipairs(lines) do
    local job, command = line:match "^(%d+)|(.*)$"
    if command == script and (not wanted or job == wanted) then return job end
  end
  return false
end

function slurm.tasks(...)
  local out = {}
  for _, job in ipairs { ... } do
    local lines, done = call("squeue", "-h", "-r", "-j", job, "-o", "%K|%T|%N|%r")
    -- A job that ended some minutes ago is unknown.
    if not done and not (lines[#lines] or ""):find "Invalid job id" then return no_answer(lines) end
    out[job] = {}
    for _, line in ipairs(done and lines or {}) do
      local task, state, node, reason = line:match "^([^|]*)|([^|]*)|([^|]*)|(.*)$"
      if task then out[job][task:match "^%d+$" or ""] = { state = state, node = node, reason = reason } end
    end
  end
  return out
end

return slurm
