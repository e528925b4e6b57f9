-- aniso help [COMMAND]: the commands, or one command's arguments.
local cli = require "aniso.cli"

local help = { summary = "list the commands" }

function help.arguments(parser)
  parser:argument "command":args "?":description "explain this command"
end

local ending = [[

RUN is a run's id, the beginning of one, its name, @last, or @best:macro_f1.
aniso help COMMAND explains one. The database is runs.db unless --db or ANISO_DB says otherwise.
Exit codes: 0 done, 1 a run failed, 2 usage, 3 nothing matched, 4 database, 130 interrupted.]]

function help.run(args)
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
