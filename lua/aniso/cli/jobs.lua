-- `--jobs N` of `aniso run` and `aniso work`: N workers of one plan on this machine. Each is a separate
-- process, the same command with --worker. They share the processors and one progress board.
--   jobs.arguments(parser)
--   jobs.number(args) → N, 1 without the option; ends the command where it excludes another option
--   jobs.use_threads(args)      like common.use_threads(), a worker its share → the threads of all workers
--   jobs.run(n, argv, of)       carries the plan out with n workers; of: as worker.run() takes it, and
--     of.flag [opt]: a flag that the workers have, whether the command has it or not
--   jobs.work(args, argv, of)   as the worker that args.worker makes of this process; of.threads: of all
--     workers
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local convert = require "aniso.cli.convert"
local receiver = require "aniso.show.progress.receiver"
local sender = require "aniso.show.progress.sender"
local sys = require("aniso.core").sys
local worker = require "aniso.cli.worker"

local jobs = {}

local MOST = 256    -- workers; AN_CHILDREN_MOST of the engine
local LOOK = 0.5    -- seconds between polls of the workers, whether they print or not
local KILLED = 9    -- the number of SIGKILL

function jobs.arguments(parser)
  parser:option("--jobs", "number of workers, which share the threads (default: 1)"):argname "N"
    :convert(convert.whole("--jobs", 1, MOST))
  parser:flag "--worker":hidden(true)
end

function jobs.number(args)
  local n = args.jobs or 1
  if args.worker and not args.jobs then cli.fail(cli.USAGE, "--worker is for the workers of --jobs N") end
  if n == 1 then return 1 end
  if args.alone then
    cli.fail(cli.USAGE, "--alone and --jobs exclude each other: several workers open the database")
  end
  local _, _, launched = sys.ranks()
  if launched > 1 then
    cli.fail(cli.USAGE, "--jobs and mpirun exclude each other: mpirun divides each batch, --jobs the runs")
  end
  local recipe = args.recipe
  if recipe and sys.exists(recipe) == "other" then
    cli.fail(cli.USAGE, recipe .. ": --jobs requires a recipe in a file, since each worker reads it")
  end
  return n
end

function jobs.use_threads(args)
  local all = args.threads or sys.threads()
  common.use_threads { threads = args.worker and math.max(1, all // args.jobs) or args.threads }
  return all
end

-- ── the workers ─────────────────────────────────────────────────────────────────────────
-- The position of a flag in the arguments: after the command's name, which --debug may precede.
local function place_of_flag(argv)
  return argv[1] == "--debug" and 3 or 2
end

-- flag [opt]: one that the command may lack.
local function words_of(argv, flag)
  local words, place = { argv[0], table.unpack(argv) }, 1 + place_of_flag(argv)
  for _, word in ipairs(argv) do
    if word == flag then flag = nil end
  end
  if flag then table.insert(words, place, flag) end
  table.insert(words, place, "--worker")
  return words
end

local function start(argv, n, board, flag)
  local team = { board = board }
  for i = 1, n do
    local child, message = sys.start_self(words_of(argv, flag))
    if not child and i == 1 then cli.fail(cli.FAILED, message) end
    if not child then
      console.note(("aniso: warning: %d of %d workers could be started: %s"):format(i - 1, n, message))
      break
    end
    local name = ("worker %d"):format(i)
    team[i] = { name = name, child = child, receiver = receiver.new(board, name) }
  end
  return team
end

local function kill(team)
  for _, one in ipairs(team) do one.child:close() end
end

-- Reads what a worker printed → whether there was anything.
local function read(one)
  local text = one.child:read()
  if text and text ~= "" then one.receiver:feed(text) end
  return text ~= nil and text ~= ""
end

-- Reports how a worker ended, if it failed.
local function report_end(team, one, labels)
  if one.code ~= false then return end
  local how = one.signal == KILLED and "was killed" or ("was ended by signal %d"):format(one.signal)
  team.board:print(("aniso: %s (process %d) %s%s"):format(one.name, one.child:pid(), how, #labels > 0 and
    (" during %s; another worker, or the same command, resumes it"):format(table.concat(labels, ", ")) or ""))
end

-- Reads what all have printed → those that are still running.
local function look(team)
  local running = {}
  for _, one in ipairs(team) do
    if one.code == nil then
      local code, signal = one.child:ended() -- first: what it printed before its end is read below
      while read(one) do end
      if code == nil then
        running[#running + 1] = one.child
      else
        one.code, one.signal = code, signal
        report_end(team, one, one.receiver:close())
      end
    end
  end
  return running
end

-- Passes on a received signal, once: a second one ends this process and with it the workers.
local function pass_on(team, running)
  local signal = not team.signal and sys.interrupted()
  if not signal then return end
  team.signal = signal
  for _, child in ipairs(running) do child:signal(signal) end
end

-- Ends the command if the plan has not ended.
local function check(of, team)
  if team.signal then cli.fail(cli.EXIT_OF[team.signal], "interrupted; repeat the command to continue") end
  local plan = common.guarded(of.db.left_of_plan, of.db, of.plan.study)
  if plan.left == 0 then return end
  local code = cli.FAILED
  for _, one in ipairs(team) do
    if one.code and one.code > 0 then code = one.code end
  end
  cli.fail(code, ("all workers ended with %d of %d planned runs left; repeat the command to continue")
    :format(plan.left, plan.planned))
end

-- A plan of at most one unit is carried out by the command itself.
function jobs.run(n, argv, of)
  worker.check_clock(of.plan)
  local left = common.guarded(of.db.left_of_plan, of.db, of.plan.study)
  n = math.min(n, left.units)
  if n <= 1 then return worker.run(of) end
  local board <close> = require("aniso.show.progress").board { runs = left.plain }
  local team <close> = setmetatable(start(argv, n, board, of.flag), { __close = kill })
  local running = look(team)
  while #running > 0 do
    sys.wait_for_children(running, LOOK)
    pass_on(team, running)
    running = look(team)
  end
  board:conclude(board.done + board.failed)
  check(of, team)
end

-- ── one of them ─────────────────────────────────────────────────────────────────────────
local function carry_out(args, argv, of)
  sys.interrupt_mode "poll"
  sys.outlive_output()
  of.argv = table.move(argv, 0, #argv, 0, {})
  table.remove(of.argv, place_of_flag(argv))
  of.board = sender.board()
  of.share = { jobs = args.jobs, threads = of.threads }
  worker.run(of)
end

-- When an interruption ends the workers, the command prints one line for all of them.
function jobs.work(args, argv, of)
  local ok, problem = pcall(carry_out, args, argv, of)
  if ok then return end
  if type(problem) == "table" and problem.exit and problem.exit > 128 then cli.fail(problem.exit, "") end
  error(problem, 0)
end

return jobs
