-- aniso submit RECIPE --slurm: submits the runs of a study as an array of jobs, each with a part and a
-- database, and a job that merges the databases at the end. Submitting again finishes what a cancelled or
-- failed task left; runs that are finished in the database are not submitted.
local attempts = require "aniso.store.attempts"
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local core = require "aniso.core"
local lazy = require "aniso.cli.lazy"
local parts = lazy "aniso.train.parts"
local quoted = require("aniso.store.hint").quoted
local shards = lazy "aniso.cluster.shards"
local slurm = lazy "aniso.cluster.slurm"
local slurm_script = lazy "aniso.cluster.slurm_script"
local study_jobs = lazy "aniso.cli.study_jobs"
local sys = core.sys

local submit = { summary = "run a study on a Slurm cluster" }

-- Options of sbatch: flag, option, description, form of the value and a word for it. own: only for the array.
local OPTIONS = {
  { "partition", "partition", "partition", form = "names", word = "NAME" },
  { "account", "account", "account to charge", form = "names", word = "NAME" },
  { "qos", "qos", "quality of service", form = "names", word = "NAME" },
  { "time", "time", "time limit of a task, such as 2:00:00 (requeued a minute before)", form = "time",
    word = "TIME", own = true },
  { "cpus", "cpus-per-task", "processors, and threads, per task", form = "count", word = "N", own = true },
  { "mem", "mem", "memory per task, such as 4G", form = "memory", word = "SIZE", own = true },
}

-- A converter for the command line from a form of slurm.forms.
local function of_form(flag, form)
  return function(text)
    local why = slurm.fault(form, text)
    if not why then return text end
    return nil, ("--%s needs %s, got %s"):format(flag, why, sys.visible(text))
  end
end

function submit.arguments(parser)
  study_jobs.arguments(parser)
  parser:flag("--slurm", "use Slurm (required: no other scheduler is supported)")
  parser:option("--tasks", "number of tasks (default: one per run or lock-step group)"):argname "N"
    :convert(of_form("tasks", "count"))
  parser:option("--limit", "number of tasks at once"):argname "N":convert(of_form("limit", "count"))
  for _, one in ipairs(OPTIONS) do
    parser:option("--" .. one[1], one[3]):argname(one.word):convert(of_form(one[1], one.form))
  end
  parser:option("--sbatch", "further option of sbatch, such as constraint=avx2 (repeatable)")
    :argname "OPTION":count "*":convert(of_form("sbatch", "option"))
  parser:flag("--shared", "assert that all nodes share the folder of --db, whatever its path suggests")
  parser:flag("--dry-run", "only print the scripts")
end

-- The words of `aniso run` that choose the same runs, quoted, each preceded by a space.
local function run_flags(args)
  local words = {}
  local function add(...) table.move({ ... }, 1, select("#", ...), #words + 1, words) end
  for _, pair in ipairs(args.set) do add("--set", pair[1] .. "=" .. pair[2]) end
  for _, label in ipairs(args.only) do add("--only", label) end
  for _, key in ipairs { "seeds", "fold", "name" } do
    if args[key] then add("--" .. key, args[key]) end
  end
  for _, key in ipairs { "allow_equal", "one_by_one", "old_names", "no_prune" } do
    if args[key] then add("--" .. key:gsub("_", "-")) end
  end
  for i, one in ipairs(words) do words[i] = " " .. quoted(one) end
  return table.concat(words)
end

local function batch_options(args)
  local both, own = {}, {}
  for _, one in ipairs(OPTIONS) do
    local value = args[one[1]]
    if value then table.insert(one.own and own or both, one[2] .. "=" .. value) end
  end
  table.move(args.sbatch, 1, #args.sbatch, #own + 1, own)
  return both, own
end

-- The names of the runs of each task.
local function work_of(tasks)
  local out = {}
  for task, list in ipairs(tasks) do
    out[task] = {}
    for i, job in ipairs(list) do out[task][i] = study_jobs.name(job) end
  end
  return out
end

-- The names of the jobs that are finished in the database.
local function finished_of(study, jobs, args)
  if not sys.exists(args.db) then return {} end
  local db <close> = common.open(args)
  common.guarded(attempts.keep_former, db, study.name, jobs, study.former_paths, study.folder)
  study_jobs.find_finished(db, study, jobs)
  local out = {}
  for _, job in ipairs(jobs) do
    if job.uid then out[#out + 1] = study_jobs.name(job) end
  end
  return out
end

-- The numbers of the tasks with a job that lacks a uid.
local function unfinished(tasks)
  local out = {}
  for task, list in ipairs(tasks) do
    local left = false
    for _, job in ipairs(list) do left = left or not job.uid end
    if left then out[#out + 1] = task end
  end
  return out
end

-- Ends the command if the nodes could not share the folder, or Slurm could not write its logs there.
local function check_place(of, args)
  local here = shards.local_folder(of.folder)
  if here and not args.shared then
    cli.fail(cli.USAGE, ("%s is below %s, which is local to each machine: choose a --db in a folder "
      .. "that all nodes share, or add --shared"):format(of.db, here))
  end
  local path, what = shards.obstacle(of.folder)
  if path then
    cli.fail(cli.FAILED, ("%s is %s, and the tasks would write through it: remove it, or choose another "
      .. "--db"):format(path, what))
  end
  local fault = slurm_script.fault(of.folder)
  if fault then
    cli.fail(cli.USAGE, ("%s: a folder that Slurm writes logs to has no %s in its name; choose another --db")
      :format(of.folder, sys.visible(fault)))
  end
end

-- The data for both scripts. The parts are those of the whole study, so that each keeps its database when the
-- study is submitted again.
local function described(study, recipe, jobs, args)
  local db = cli.need(shards.absolute(args.db))
  local of = { study = study.name, db = db, folder = shards.folder(db, study.name), runs = #jobs,
    program = cli.need(sys.realpath "/proc/self/exe"), start = cli.need(sys.realpath "."),
    recipe = cli.need(sys.realpath(recipe.path)), sha256 = cli.need(core.sha256.file(recipe.path)),
    tool = "aniso " .. sys.version, limit = args.limit, flags = run_flags(args) }
  of.parts = math.min(math.tointeger(args.tasks) or math.huge, slurm.most_tasks(), #parts.units(jobs))
  of.split = parts.split(jobs, of.parts)
  of.work = work_of(of.split)
  of.options, of.own = batch_options(args)
  check_place(of, args)
  return of
end

-- Chooses the tasks with runs that are not finished in the database → whether any is left
local function choose_tasks(of, study, jobs, args)
  of.finished = finished_of(study, jobs, args)
  of.tasks = unfinished(of.split)
  if #of.tasks > 0 then return true end
  console.print(("study %s: all %d runs are finished in %s; there is nothing to submit"):format(of.study,
    of.runs, of.db))
  return false
end

-- Ends the command if the study was divided in another way.
local function check_same(of, was)
  local changed = was.sha256 ~= of.sha256 and "the recipe has changed since"
    or was.flags ~= of.flags and "it has other options"
    or #was.work ~= of.parts and ("it has %d tasks"):format(#was.work)
  if changed then
    cli.fail(cli.FAILED, ("%s has study %s of an earlier submission, and %s: repeat its command, choose "
      .. "another --name, or remove the folder"):format(of.folder, of.study, changed))
  end
end

-- Submits the job of one kind and stores its number. Its script is written here, since one found in the
-- folder may be someone else's.
local function submit_job(of, submission, kind)
  local script = slurm_script.path(kind, of.folder)
  cli.need(sys.write_atomic(script, slurm_script[kind](of)))
  submission[kind] = cli.need(slurm.submit(script, submission.array))
  cli.need(shards.write(of.folder, submission))
end

-- Completes an earlier submission whose command was killed: its jobs are in the queue, but not all are in its
-- file, or the merge is missing. → true, or nil if no job is in the queue. Ends the command if the study's
-- jobs are known and not over.
local function completed(of)
  local was, why = shards.read(of.folder)
  if was == nil then cli.fail(cli.FAILED, why) end
  if not was then return nil end
  local known = was.array and was.merge
  if not known then cli.need(require "aniso.cluster.lost_jobs"(of.folder, was)) end
  local tasks = cli.need(slurm.tasks(was.array, was.merge))
  local array, merge = tasks[was.array] or {}, tasks[was.merge] or {}
  local queued = next(array) or next(merge)
  if queued and known then
    cli.need(require "aniso.cluster.own_jobs"(of.folder, was, tasks))
    cli.fail(cli.FAILED, ("study %s is submitted as job %s, which is not over: aniso watch follows it, and "
      .. "scancel %s %s ends it"):format(of.study, was.array, was.array, was.merge))
  end
  check_same(of, was)
  if not queued then return nil end
  cli.need(shards.write(of.folder, was))
  if not was.merge then submit_job(of, was, "merge") end
  console.print(("study %s: the earlier submission, which was killed, is completed: job %s; then job %s "
    .. "merges into %s"):format(of.study, was.array, was.merge, of.db))
  return true
end

local function submitted(of)
  cli.need(sys.mkdir_p(of.folder))
  local submission = { study = of.study, tool = of.tool, recipe = of.recipe, sha256 = of.sha256,
    flags = of.flags, work = of.work, finished = of.finished }
  cli.need(shards.write(of.folder, submission))
  submit_job(of, submission, "array")
  submit_job(of, submission, "merge")
  return submission
end

local function counted(n, what) return ("%d %s%s"):format(n, what, n == 1 and "" or "s") end

local function print_scripts(of)
  local text = slurm_script.array(of) .. "\n" .. slurm_script.merge(of)
  for line in text:gmatch "([^\n]*)\n" do console.print(line) end
end

function submit.run(args)
  if not args.slurm then
    cli.fail(cli.USAGE, "name the scheduler: aniso submit RECIPE --slurm")
  end
  local study, recipe = study_jobs.read(args)
  if not study then cli.fail(cli.USAGE, args.recipe .. ": the recipe returns no study") end
  local jobs = cli.usage(study_jobs.expand, study, args)
  study_jobs.check_parts(study, args)
  local of = described(study, recipe, jobs, args)
  if args.dry_run then
    if choose_tasks(of, study, jobs, args) then print_scripts(of) end
    return
  end
  local missing = slurm.missing()
  if missing then cli.fail(cli.FAILED, missing) end
  if not completed(of) then
    if not choose_tasks(of, study, jobs, args) then return end
    local submission = submitted(of)
    local before = #of.finished > 0 and (", %d finished before"):format(#of.finished) or ""
    console.print(("study %s: %s in %s%s, job %s; then job %s merges them into %s"):format(of.study,
      counted(of.runs - #of.finished, "run"), counted(#of.tasks, "task"), before, submission.array,
      submission.merge, of.db))
  end
  console.print("follow it with: " .. require("aniso.store.hint").command(args.db, "watch", { of.study }))
end

return submit
