-- aniso eval RUN: evaluates a stored run's best weights again, with another sampler, other
-- steps, more chains, a tilt, or calibrated on the validation part, and stores that as a further
-- evaluation.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local core = require "aniso.core"
local literal = require "aniso.recipe.literal"
local own_parts = require "aniso.cli.own_parts"

local eval = { summary = "evaluate a stored run with another sampler" }

local function whole(text)
  local n = math.tointeger(tonumber(text))
  if n and n >= 1 then return n end
  return nil, ("%s is not a whole number of at least 1"):format(text)
end

function eval.arguments(parser)
  parser:argument("run", "the run")
  parser:option("--sampler", "the run's own if left out"):choices(require("aniso.method.sampler").names())
  parser:option("--steps", "S: steps of a chain"):convert(whole)
  parser:option("--draws", "R: chains per image"):convert(whole)
  parser:option("--seed", "of the noise"):convert(function(text) return math.tointeger(tonumber(text)) end)
  parser:option("--temperature", "of the vote"):convert(tonumber)
  parser:option("--level", "test level of coupling sample: mixture, max, min or a number")
    :convert(literal.read)
  parser:option("--tilt", [['{"prior", tau = 0.5}': shifts the class probabilities; none removes it]])
    :convert(literal.read)
  parser:option("--calibrate", [[choose tilt, temperature and level on the validation part, and store both
    parts as calibrated: bacc, '{metric = "bacc", tau = {0, 0.5, 1}}' …]])
    :argname("RULE"):convert(literal.read)
  own_parts.arguments(parser)
  common.db(parser)
  common.threads(parser)
end

-- The stored sampler, overridden by the options of the command line.
local function sampler(db, run, args)
  local stored = db:config(run).sampler
  local kind = args.sampler or stored[1]
  local chosen = { kind, steps = stored.steps, draws = stored.draws }
  if kind == stored[1] then
    for key, value in pairs(stored) do chosen[key] = value end
  end
  for _, key in ipairs { "steps", "draws", "seed", "temperature", "level", "tilt" } do
    chosen[key] = args[key] or chosen[key]
  end
  return chosen
end

function eval.run(args)
  common.use_threads(args)
  own_parts.load(args)
  local db = common.open_to_write(args)
  core.sys.interrupt_mode "poll"
  local run = common.find(db, args.run)
  local how = sampler(db, run, args)
  local missing = own_parts.missing(db, run, { sampler = how }, "eval", args)
  if missing then cli.fail(cli.FAILED, missing) end
  local ok, why
  do
    local board <close> = require("aniso.show.progress").board {}
    ok, why = pcall(require("aniso.train.run").evaluate, db, run, how, args.calibrate, board)
  end
  if not ok then
    local code = type(why) == "table" and why.interrupted and (why.interrupted == "SIGTERM" and 143 or 130)
    cli.fail(code or cli.FAILED, cli.sentence(why))
  end
  require("aniso.cli.show").section(db, run, "evaluations", "table")
end

return eval
