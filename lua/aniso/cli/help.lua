-- aniso help [COMMAND]: the commands, or one command's arguments. aniso help lua [NAME]: the documentation
-- of a function, class or option, as help "NAME" at the prompt. aniso help environment: the environment
-- variables that the program reads.
local cli = require "aniso.cli"
local tables = require "aniso.show.table"

local help = { summary = "list the commands" }

function help.arguments(parser)
  parser:argument("command", "explain this command; lua: the library; environment: the environment variables")
    :args "?"
  parser:argument("name", "with lua: a function, class or option, such as train.lr"):args "?"
end

local ending = [[

RUN is a run's id, the beginning of one, its name, @last, or @best:macro_f1.
aniso help COMMAND explains one, aniso help lua the library.
The database is runs.db unless --db or ANISO_DB names another; aniso help environment lists such variables.
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
  for _, name in ipairs(cli.commands) do
    print(("  aniso %-8s %s"):format(name, require("aniso.cli." .. name).summary))
  end
  print(ending)
end

return help
