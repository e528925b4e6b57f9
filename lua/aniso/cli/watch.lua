-- aniso watch [STUDY|RUN]: follows runs that another process carries out. On a terminal it redraws, at each
-- poll, a block of lines, one per run in progress and a total. Elsewhere it prints a plain line when a run
-- begins or ends, the total when it changed, and a run's epoch at most once a minute. A study that was
-- submitted to a cluster is followed by its tasks until they have ended (cli/watch_cluster.lua).
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local folds = require "aniso.recipe.folds"
local duration = require("aniso.show.progress").duration
local sys = require("aniso.core").sys
local width = require("aniso.show.table").width

local watch = { summary = "follow a running study from another terminal" }

local SILENT = 60       -- seconds without a heartbeat until a line reports it: six heartbeats
local EPOCH_EVERY = 60  -- seconds between two lines of a run without a terminal
local SLICE = 0.2       -- seconds from Ctrl-C to the end, at most

function watch.arguments(parser)
  parser:argument("what", "a study or a run (default: the newest study)"):args "?"
  parser:option("--every", "seconds between polls of the database"):argname "SECONDS":default "2"
    :convert(function(text)
      local n = tonumber(text)
      if n and n >= 0.1 and n <= 86400 then return n end
      return nil, ("--every needs seconds from 0.1 to 86400, got %s"):format(text)
    end)
  parser:flag("--once", "print the current state and exit")
  common.db(parser)
end

-- ── texts ───────────────────────────────────────────────────────────────────────────────
local function name_of(row)
  return folds.name(row.label, row.seed, row.fold)
end

local function number(value, digits)
  return type(value) == "number" and ("%." .. digits .. "f"):format(value) or tostring(value)
end

-- The clock of this machine; a day that is not today is named.
local function clock(seconds)
  local same_day = os.date("%Y%m%d", seconds) == os.date "%Y%m%d"
  return os.date(same_day and "%H:%M" or "%m-%d %H:%M", seconds)
end

local function line_of(row, columns)
  local name = name_of(row)
  local parts = { name .. (" "):rep(columns - width(name)), ("epoch %d/%d"):format(row.epoch, row.epochs) }
  local function add(text) parts[#parts + 1] = text end
  if row.loss then add("loss " .. number(row.loss, 4)) end
  if row.val then add(("val %s %s"):format(row.val.name, number(row.val.value, 3))) end
  add("since " .. clock(row.started))
  if row.left then add("left about " .. duration(row.left)) end
  if row.epoch >= row.epochs then add "evaluating" end
  if row.silent > SILENT then add("no heartbeat for " .. duration(row.silent)) end
  return table.concat(parts, "  ")
end

local STATES = { "finished", "failed", "crashed", "interrupted", "running", "waiting", "not started" }

local function counts_of(now)
  local parts = {}
  for _, state in ipairs(STATES) do
    if now.counts[state] then parts[#parts + 1] = ("%d %s"):format(now.counts[state], state) end
  end
  local n = now.planned or #now.rows
  local head = now.planned and ("%d planned"):format(n) or ("%d run%s"):format(n, n == 1 and "" or "s")
  return ("study %s: %s%s%s"):format(now.study, head, #parts > 0 and ", of which " or "",
    table.concat(parts, ", "))
end

local function total_of(now)
  return counts_of(now) .. (now.left and "; left about " .. duration(now.left) or "")
end

local function end_of(db, row)
  local run, state = row.run, row.state
  if state == "finished" then
    local found = cli.need(db:scores { runs = { run } })[1]
    local test = found and found.metrics.acc and ("  test acc %.3f  macro_f1 %.3f"):format(found.metrics.acc,
      found.metrics.macro_f1) or ""
    return ("%s finished in %s%s"):format(name_of(row), duration(run.wall_s), test)
  elseif state == "failed" then
    return ("%s failed: %s"):format(name_of(row), (run and run.error or row.problem or "?"):match "[^\n]*")
  end
  return ("%s %s; continue with: %s"):format(name_of(row),
    state == "crashed" and "crashed: its process is gone" or "was interrupted",
    require("aniso.store.hint").command(db, "resume", run.uid))
end

-- ── watching ────────────────────────────────────────────────────────────────────────────
-- The permanent lines: what has happened since the last poll; at the first poll only what has failed.
local function news(db, now, seen, terminal)
  local out, time = {}, sys.monotonic()
  for _, row in ipairs(now.rows) do
    local key = row.run and row.run.uid or row.problem and name_of(row)
    local before = key and seen[key]
    if row.state == "running" then
      if not before or before.state ~= "running" then before = { state = "running", at = -math.huge } end
      seen[key] = before
      if not terminal and row.epoch ~= before.epoch and time - before.at >= EPOCH_EVERY then
        before.epoch, before.at = row.epoch, time
        out[#out + 1] = line_of(row, 0)
      end
    elseif key and (not before or before.state ~= row.state) then
      if not (seen.first and row.state == "finished") then out[#out + 1] = end_of(db, row) end
      seen[key] = { state = row.state }
    end
  end
  seen.first = false
  return out
end

local function block(now)
  local out, widest = {}, 0
  for _, row in ipairs(now.rows) do
    if row.state == "running" then widest = math.max(widest, width(name_of(row))) end
  end
  for _, row in ipairs(now.rows) do
    if row.state == "running" then out[#out + 1] = line_of(row, widest) end
  end
  out[#out + 1] = total_of(now)
  return out
end

-- A function that reads the state of the study with that name, or else of the run.
local function target(db, what)
  local status, complete = require "aniso.store.status", require("aniso.method.config").complete
  local name = what or common.guarded(status.newest, db)
  if not name then cli.fail(cli.NO_MATCH, ("%s has no study yet"):format(db.path)) end
  if common.guarded(require("aniso.store.contents").has_study, db, name) then
    return function() return common.guarded(status.of_study, db, name, complete) end
  end
  local run = common.find(db, name)
  return function() return common.guarded(status.of_run, db, run, complete) end
end

-- Waits; an interruption ends the command.
local function pause(seconds, screen)
  local till = sys.monotonic() + seconds
  repeat
    local signal = sys.interrupted()
    if signal then
      screen:clear()
      cli.fail(cli.EXIT_OF[signal], "no longer watching; the runs continue")
    end
    local rest = till - sys.monotonic()
    if rest > 0 then sys.sleep(math.min(SLICE, rest)) end
  until rest <= 0
end

-- A planned run that was not started counts as a failure, unless the user interrupted the study.
local function code_of(now)
  local counts = now.counts
  local lost = counts["not started"] and not counts.interrupted
  return (counts.failed or counts.crashed or lost) and cli.FAILED or cli.DONE
end

local function follow(db, poll, args)
  local screen <close> = require("aniso.show.screen").new {}
  local seen, printed = { first = true }, nil
  sys.interrupt_mode "poll"
  while true do
    local now = poll()
    for _, line in ipairs(news(db, now, seen, screen.terminal)) do screen:print(line) end
    local counts = counts_of(now)
    if now.over or not screen.terminal and counts ~= printed then screen:print(total_of(now)) end
    printed = counts
    if now.over then return code_of(now) end
    screen:draw(block(now))
    pause(args.every, screen)
  end
end

function watch.run(args)
  local code = require "aniso.cli.watch_cluster"(args, pause)
  if code then return code end
  local db <close> = common.open(args)
  local poll = target(db, args.what)
  if not args.once then return follow(db, poll, args) end
  local now = poll()
  for _, line in ipairs(news(db, now, { first = true }, true)) do console.print(line) end
  for _, line in ipairs(block(now)) do console.print(line) end
  return code_of(now)
end

return watch
