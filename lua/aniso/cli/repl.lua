-- aniso repl: the prompt, with the library as `aniso` and a run database as `runs`.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"

local repl = { summary = "explore schedules, runs and tensors at a Lua prompt" }

local HERE = "runs.db"

function repl.arguments(parser)
  parser:option("--db", "run database to open as `runs` (default: ANISO_DB, or runs.db if there is one)")
    :argname "FILE"
  common.threads(parser)
end

-- The database of --db or ANISO_DB. Without them runs.db, which may be missing or may not be a run database.
local function opened(args)
  local path = args.db or require("aniso.core").sys.variable "ANISO_DB"
  if path then return common.open { db = path } end
  if not require("aniso.core").sys.exists(HERE) then return nil end
  local db, why = require("aniso.store").open(HERE, { readonly = true })
  if not db then console.note("aniso: ", why) end
  return db
end

function repl.run(args)
  common.use_threads(args)
  return require("aniso.prompt.repl").run(opened(args)) and cli.DONE or cli.FAILED
end

return repl
