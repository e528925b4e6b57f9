-- Follows a submitted study from Slurm's queue and the logs of its tasks: the databases of other nodes are
-- not opened. At the end the merged database shows whether a run is missing.
-- watch_cluster(args, pause) → the exit code, or nil if no job of the study is in the queue.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local lost_jobs = require "aniso.cluster.lost_jobs"
local missing = require "aniso.cluster.missing"
local shards = require "aniso.cluster.shards"
local slurm = require "aniso.cluster.slurm"
local sys = require("aniso.core").sys

local LONGEST = 200 -- most bytes of a log line, or of a state, that are shown

-- Whether a job of a submission is in the queue. Adds missing jobs to the file.
local function is_queued(folder, submission)
  lost_jobs(folder, submission)
  if not submission.array then return false end
  local queue = cli.need(slurm.tasks(submission.array, submission.merge))
  return next(queue[submission.array]) ~= nil or next(queue[submission.merge or ""] or {}) ~= nil
end

local function warn(...)
  console.note("aniso: warning: ", ...)
end

-- The submission that the arguments name, or the only one whose jobs are not over: {folder, submission}
local function find(args)
  local db = shards.absolute(args.db)
  if not db then return nil end
  local folders = args.what and { shards.folder(db, args.what) } or shards.folders(db)
  for _, folder in ipairs(folders) do
    local submission, why = shards.read(folder)
    if submission and not slurm.has_queue() then -- for example if the folder was copied to another machine
      return warn("squeue is not found: jobs of ", submission.study, " on a cluster are not followed")
    end
    if submission == nil then warn(why) end
    if submission and is_queued(folder, submission) then
      return { folder = folder, submission = submission }
    end
  end
end

-- The state of a task in the queue as words, and what its log contains.
local function row(of, task, names, queued)
  local log = shards.progress(of.folder, task) or { finished = {} }
  local before, done = shards.finished(of.submission), 0
  for _, name in ipairs(names) do done = done + ((log.finished[name] or before[name]) and 1 or 0) end
  local state = not queued and "ended" or queued.state == "RUNNING" and "running on " .. queued.node
    or ("%s (%s)"):format(queued.state:lower(), queued.reason)
  return { task = task, state = sys.visible(state:sub(1, LONGEST)), done = done, total = #names,
    rank = not queued and 3 or queued.state == "RUNNING" and 1 or 2,
    last = log.last and sys.visible(log.last:sub(1, LONGEST)) or nil }
end

local function line_of(one)
  return ("task %d  %s  %d of %d runs finished%s"):format(one.task, one.state, one.done, one.total,
    one.last and "  " .. one.last or "")
end

-- The rows of all tasks, a line of totals, and whether anything is in the queue.
local function read(of)
  local submission = of.submission
  local queue = cli.need(slurm.tasks(submission.array, submission.merge))
  local merge = submission.merge and queue[submission.merge] or {}
  local rows, done, runs, left = {}, 0, 0, 0
  for task, names in ipairs(submission.work) do
    local queued = queue[submission.array][tostring(task)]
    rows[task] = row(of, task, names, queued)
    done, runs, left = done + rows[task].done, runs + #names, left + (queued and 1 or 0)
  end
  local total = ("study %s: %d of %d runs finished, %d of %d tasks in the queue"):format(submission.study,
    done, runs, left, #rows)
  return rows, total, left > 0 or next(merge) ~= nil
end

-- One line for each task whose state or number of finished runs changed; all of them at first.
local function news(rows, seen)
  local out = {}
  for task, one in ipairs(rows) do
    local key = one.state .. one.done
    if seen[task] ~= key then out[#out + 1] = line_of(one) end
    seen[task] = key
  end
  return out
end

-- The lines of a screen, of which the first ones that fit are shown: running, waiting, then ended tasks.
local function block(rows, total)
  local sorted, lines = table.move(rows, 1, #rows, 1, {}), {}
  table.sort(sorted, function(a, b)
    if a.rank ~= b.rank then return a.rank < b.rank end
    return a.task < b.task
  end)
  for i, one in ipairs(sorted) do lines[i] = line_of(one) end
  lines[#lines + 1] = total
  return lines
end

-- Prints the result of the merge → the exit code
local function show_merged(args, of)
  if not sys.exists(args.db) then
    cli.fail(cli.FAILED, ("nothing was merged into %s: %s/merge.log says why"):format(args.db, of.folder))
  end
  local db <close> = common.open(args)
  local state = missing(db, of.submission)
  console.print(state.text)
  return state.missing > 0 and cli.FAILED or cli.DONE
end

-- Prints changes until nothing of the study is in the queue; with --once, only the state → whether it is over
local function follow(args, of, pause)
  local screen <close> = require("aniso.show.screen").new {}
  local seen, printed = {}, nil
  sys.interrupt_mode "poll"
  while true do
    local rows, total, queued = read(of)
    local lines = news(rows, seen)
    if args.once or not screen.terminal then
      if total ~= printed then lines[#lines + 1] = total end
      for _, line in ipairs(lines) do screen:print(line) end
      printed = total
    else
      screen:draw(block(rows, total))
    end
    if args.once then return false end
    if not queued then return true end
    pause(args.every, screen)
  end
end

return function(args, pause)
  local of = find(args)
  if not of then return nil end
  if not follow(args, of, pause) then return cli.DONE end
  return show_merged(args, of)
end
