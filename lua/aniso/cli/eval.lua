-- aniso eval RUN or STUDY: evaluates the best weights of stored runs again, with every combination of the
-- given samplers, steps and draws, with a tilt, or calibrated on the validation part. Each is stored as a
-- further evaluation when it is done; stored ones are not repeated unless --again is given.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local convert = require "aniso.cli.convert"
local core = require "aniso.core"
local folds = require "aniso.recipe.folds"
local nearest = require "aniso.recipe.nearest"
local own_parts = require "aniso.cli.own_parts"
local sampler_flags = require "aniso.cli.sampler_flags"
local selected_runs = require "aniso.cli.selected_runs"

local eval = { summary = "evaluate stored runs with other samplers, steps and draws" }

-- A converter of a flag's list, such as 1,5,20: each value once, in the order given.
local function list_of(flag, of_one)
  return function(text)
    local out, seen = {}, {}
    for _, part in ipairs(common.names(text)) do
      local value, why = of_one(part)
      if not value then return nil, ("%s: %s"):format(flag, why) end
      if not seen[value] then seen[value], out[#out + 1] = true, value end
    end
    if #out == 0 then return nil, ("%s needs a value"):format(flag) end
    return out
  end
end

local function whole(text)
  local n = math.tointeger(tonumber(text))
  if n and n >= 1 then return n end
  return nil, ("%s is not a whole number of at least 1"):format(text)
end

local function sampler_name(text)
  local names = require("aniso.method.sampler").names()
  for _, name in ipairs(names) do
    if name == text then return name end
  end
  local meant = nearest(text, names)
  return nil, ("there is no sampler %s (%s)"):format(text, meant and ("did you mean %s?"):format(meant)
    or "known: " .. table.concat(names, ", "))
end

function eval.arguments(parser)
  selected_runs.arguments(parser)
  parser:option("--sampler", "samplers of the chains: ddim,ddpm,dpmpp (default: as stored)")
    :argname "NAME,...":convert(list_of("--sampler", sampler_name))
  parser:option("--steps", "S, the steps of a chain: 1,5,20 (default: as stored)"):argname "N,..."
    :convert(list_of("--steps", whole))
  parser:option("--draws", "R, the chains per image: 1,16,64 (default: as stored)"):argname "N,..."
    :convert(list_of("--draws", whole))
  sampler_flags.reading(parser)
  parser:option("--level", common.TEXT.level)
    :argname "LEVEL":convert(convert.literal)
  parser:option("--calibrate", [[choose tilt, temperature and level on the validation part, and store
    both parts as calibrated: bacc, '{metric = "bacc", tau = {0, 0.5, 1}}' …]])
    :argname("RULE"):convert(convert.literal)
  parser:flag("--again", "repeat evaluations that are stored")
  own_parts.arguments(parser)
  common.db(parser)
  common.threads(parser)
end

-- The stored sampler with the options of the command line: one per combination.
local function samplers(stored, args)
  local out = {}
  for _, kind in ipairs(args.sampler or { stored[1] }) do
    for _, steps in ipairs(args.steps or { stored.steps }) do
      for _, draws in ipairs(args.draws or { stored.draws }) do
        local how = {}
        for key, value in pairs(kind == stored[1] and stored or {}) do how[key] = value end
        how[1], how.steps, how.draws = kind, steps, draws
        for _, key in ipairs { "seed", "probabilities", "temperature", "level", "tilt" } do
          if args[key] ~= nil then how[key] = args[key] end
        end
        out[#out + 1] = how
      end
    end
  end
  return out
end

local function name_of(run)
  return folds.name(run.label or run.name, run.seed, run.fold)
end

-- What is to be done: {{run, hows = those not stored, images = what identifies the data}, …}, with runs on
-- the same images adjacent, since these are loaded once; the number of evaluations to do, and of all.
local function plan(db, runs, args)
  local trainer, jobs, n, asked, configs = require "aniso.train.run", {}, 0, 0, {}
  for i, run in ipairs(runs) do
    local config = cli.need(db:config(run))
    if not config.sampler then
      cli.fail(cli.DATABASE, ("%s: its configuration has no sampler; the database is damaged")
        :format(name_of(run)))
    end
    local hows = samplers(config.sampler, args)
    local missing = own_parts.missing(db, run, { sampler = hows[1] }, "eval", args)
    if missing then cli.fail(cli.FAILED, missing) end
    local ok, left = pcall(trainer.not_evaluated, db, run, hows, args.calibrate)
    if not ok then cli.fail(cli.USAGE, ("%s: %s"):format(name_of(run), cli.sentence(left))) end
    if args.again then left = hows end
    config.sampler, configs[i] = hows[1], config
    asked, n = asked + #hows, n + #left
    jobs[i] = { run = run, hows = left, place = i,
      images = ("%s %s"):format(core.json.encode(config.data), run.fold or "-") }
  end
  if args.level then common.warn_unused(configs, true) end
  local first = {}
  for i, job in ipairs(jobs) do first[job.images] = first[job.images] or i end
  table.sort(jobs, function(a, b)
    local x, y = first[a.images], first[b.images]
    if x ~= y then return x < y end
    return a.place < b.place
  end)
  return jobs, n, asked
end

-- The runs that have a denoiser; the labels of the others are printed.
local function with_denoiser(db, runs)
  local out, skipped, seen = {}, {}, {}
  for _, run in ipairs(runs) do
    local label, denoiser = run.label or run.name, cli.need(db:config(run)).denoiser
    if type(denoiser) == "table" and denoiser[1] == "none" then
      if not seen[label] then seen[label], skipped[#skipped + 1] = true, label end
    else
      out[#out + 1] = run
    end
  end
  local line = ("%s has no denoiser, so there is no sampler to evaluate with"):format(
    table.concat(skipped, ", "))
  if #out == 0 then cli.fail(cli.FAILED, line) end
  if #skipped > 0 then console.note("skipped: ", line) end
  return out
end

local function interrupted(why, done, n)
  local code = cli.EXIT_OF[why.interrupted]
  if n == 1 then cli.fail(code, cli.sentence(why)) end
  cli.fail(code, ("interrupted; %d of %d evaluations are stored; repeat the command to continue")
    :format(done, n))
end

-- Evaluates what plan() lists; a run that fails does not stop the others. → how many runs failed
local function carry_out(db, jobs, n, args)
  local board <close> = require("aniso.show.progress").board {}
  local line, done, failed = board:line { label = "eval", total = n }, 0, 0
  for _, job in ipairs(jobs) do
    local first = done
    local function show(how, metrics)
      done = done + 1
      line:epoch(("%d/%d  %s  %s %d × %d  acc %.3f macro_f1 %.3f"):format(done, n, name_of(job.run), how[1],
        how.steps, how.draws, metrics.acc, metrics.macro_f1))
    end
    local ok, why = pcall(require("aniso.train.run").evaluate_all, db, job.run, job.hows,
      { rule = args.calibrate, progress = line, first = first, done = show })
    if not ok and type(why) == "table" and why.interrupted then interrupted(why, done, n) end
    if not ok then
      if #jobs == 1 then cli.fail(cli.FAILED, cli.sentence(why)) end
      board:print(("aniso: %s failed: %s"):format(name_of(job.run), cli.sentence(why)))
      failed, done = failed + 1, first + #job.hows
    end
  end
  return failed
end

function eval.run(args)
  common.use_threads(args)
  own_parts.load(args)
  local db = common.open_to_evaluate(args)
  core.sys.interrupt_mode "poll"
  core.sys.outlive_output()
  local runs, is_study = selected_runs.of(db, args)
  local jobs, n, asked = plan(db, with_denoiser(db, runs), args)
  local failed = carry_out(db, jobs, n, args)
  if n < asked then
    console.note(("%d of %d evaluations were stored before and are not repeated (--again repeats them)")
      :format(asked - n, asked))
  end
  if is_study then
    require("aniso.cli.table").evaluations(db, args.run, args.only)
  else
    require("aniso.cli.show").section(db, runs[1], "evaluations", "table")
  end
  if failed > 0 then cli.fail(cli.FAILED, ("%d of %d runs failed"):format(failed, #jobs)) end
end

return eval
