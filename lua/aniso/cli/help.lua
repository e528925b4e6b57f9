-- aniso help [COMMAND]: the commands, or one command's arguments. aniso help lua [NAME]: the documentation
-- of a function, class or option, like help "NAME" at the prompt. aniso help environment: the environment
-- variables that the program reads.
local cli = require "aniso.cli"
local tables = require "aniso.show.table"

local help = { summary = "list the commands, or explain one" }

function help.arguments(parser)
  parser:argument("command", "a command, lua for the library, or environment for the environment variables")
    :args "?"
  parser:argument("name", "with lua: a function, class or option, such as train.lr"):args "?"
end

local ending = [[

RUN is a run's id or the start of it, its name, @last or @best:METRIC, such as @best:macro_f1.
The database is runs.db unless --db or ANISO_DB names another.
aniso help COMMAND explains a command, aniso help lua the library, aniso help environment the variables.
]] .. ("Exit codes: %s."):format(cli.EXIT_CODES)

local function explain(name)
  local manual = require "aniso.prompt.help.manual"
  if not name then return print(manual.contents()) end
  local texts = manual.find(name)
  if #texts == 0 then
    local meant = manual.nearest(name)
    cli.fail(cli.NO_MATCH, ("there is no documentation of %s (%s)"):format(name,
      meant and ("did you mean %s?"):format(meant) or "aniso help lua lists what there is"))
  end
  print(table.concat(texts, "\n\n"))
end

local function environment()
  local rows = {}
  for i, one in ipairs(require("aniso.core").sys.variables()) do
    rows[i] = { one.name, one.values, one.otherwise or "", one.meaning }
  end
  tables.print({ "variable", "is", "if unset", "meaning" }, rows, "table")
end

function help.run(args)
  if args.command == "lua" then return explain(args.name) end
  if args.command == "environment" then return environment() end
  if args.command then
    cli.command(args.command)
    return cli.main { args.command, "--help" }
  end
  print "aniso: diffusion models for long-tailed image classification\n"
  local widest = 0
  for _, name in ipairs(cli.commands) do widest = math.max(widest, #name) end
  for _, name in ipairs(cli.commands) do
    print(("  aniso %s  %s"):format(name .. (" "):rep(widest - #name), cli.command(name).summary))
  end
  print(ending)
end

return help
