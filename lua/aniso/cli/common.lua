-- What several commands share: the database, a RUN on the command line, output formats.
local cli = require "aniso.cli"
local tables = require "aniso.table"

local common = {}

function common.db(parser)
  parser:option "--db":description "the run database":default(os.getenv "ANISO_DB" or "runs.db")
end

function common.format(parser)
  parser:option "--format":description "how to print":choices(tables.formats):default "table"
end

function common.threads(parser)
  parser:option "--threads":description "threads to compute with":convert(function(text)
    local n = math.tointeger(tonumber(text))
    if n and n >= 1 then return n end
    return nil, ("--threads needs a whole number of at least 1, got %s"):format(text)
  end)
end

function common.use_threads(args)
  if args.threads then require("aniso.core").sys.threads(args.threads) end
end

-- `--set a.b=VALUE` → {{"a.b", "VALUE"}, …} in args.set.
function common.set(parser)
  parser:option "--set":description "an option, key.path=VALUE (a Lua literal or a bare word)"
    :argname "KEY=VALUE":count "*":convert(function(text)
      local key, value = text:match "^([^=]+)=(.*)$"
      if key then return { key, value } end
      return nil, ("--set needs KEY=VALUE, got %s"):format(text)
    end)
end

-- Opens an existing database. One that does not exist is no match, not an empty one.
local function open(args, how)
  if not require("aniso.core").sys.exists(args.db) then
    cli.fail(cli.NO_MATCH, ("%s: there is no such database; aniso run makes one"):format(args.db))
  end
  return (common.need_db(require("aniso.store").open(args.db, how)))
end

-- Whatever a database refuses when it is opened is exit code 4.
function common.need_db(db, message)
  if not db then cli.fail(cli.DATABASE, message) end
  return db
end

function common.open(args)
  return open(args, { readonly = true })
end

function common.open_to_write(args)
  return open(args, { readonly = false })
end

-- The row of one RUN: an id, a prefix, a name, @last, @best:METRIC.
function common.find(store, reference)
  return (cli.need(store:find(reference)))
end

return common
