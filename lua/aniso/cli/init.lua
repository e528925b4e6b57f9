-- The command line: finds the command, parses its arguments, runs it, gives the exit code.
-- A command is a file cli/NAME.lua that returns {summary =, arguments = function(parser),
-- run = function(args) → exit code or nil}; a command with `raw` parses for itself. Errors
-- are raised through fail() with their exit code and printed once, by main.c.
local core = require "aniso.core"
local errors = require "aniso.recipe.errors"
local strict = require "aniso.recipe.strict"

local cli = { sentence = errors.sentence }

cli.commands = {
  "run", "watch", "check", "resume", "eval", "ls", "show", "compare", "table", "curve", "report", "tag",
  "note", "star", "rm", "restore", "gc", "sql", "db", "schedule", "repl", "exec", "data", "doctor",
  "luals", "completion", "help",
}

cli.DONE, cli.FAILED, cli.USAGE, cli.NO_MATCH, cli.DATABASE = 0, 1, 2, 3, 4

local Failure = { __tostring = function(self) return self.message end }

function cli.fail(code, message)
  error(setmetatable({ exit = code, message = message }, Failure), 0)
end

local exits = { ENOTFOUND = cli.NO_MATCH, EDB = cli.DATABASE, EBUSY = cli.DATABASE, EINVAL = cli.USAGE }

-- For calls that return nil, message, code on failure: cli.need(store.open(p)).
-- `otherwise` is the exit code for failures whose code has none of its own.
function cli.need(value, message, code, otherwise)
  if value == nil or value == false then
    cli.fail(exits[code] or otherwise or cli.FAILED, message or "failed without a message")
  end
  return value
end

-- Calls a check whose error is the user's mistake: an unknown option, a bad value.
function cli.usage(check, ...)
  local result = table.pack(pcall(check, ...))
  if not result[1] then
    local why = result[2]
    errors.pass_interrupts(why)
    cli.fail(cli.USAGE, cli.sentence(why))
  end
  return table.unpack(result, 2, result.n)
end

function cli.command(name)
  for _, known in ipairs(cli.commands) do
    if known == name then return require("aniso.cli." .. name) end
  end
  local meant = require "aniso.recipe.nearest" (name, cli.commands)
  cli.fail(cli.USAGE, ("there is no command %s (%s)"):format(name,
    meant and ("did you mean %s?"):format(meant) or "aniso help lists them"))
end

local function argparse()
  local found, made = pcall(require, "argparse")
  if not found then
    cli.fail(cli.FAILED, "the Lua module argparse is missing: install lua-argparse"
      .. " (Debian, Fedora, Arch) or run luarocks install argparse")
  end
  return made
end

local function define(parser, command)
  parser:flag "--debug":description "show where an error comes from"
  if command.arguments then command.arguments(parser) end
  return parser
end

-- All commands in one parser, for completion.
function cli.parser()
  local parser = argparse()("aniso", "diffusion models for long-tailed image classification")
  for _, name in ipairs(cli.commands) do
    local command = cli.command(name)
    define(parser:command(name, command.summary), command)
  end
  return parser
end

local function parse(name, command, argv)
  local parser = define(argparse()("aniso " .. name, command.summary), command)
  local ok, result = parser:pparse(argv)
  if not ok then cli.fail(cli.USAGE, ("%s\n%s"):format(result, parser:get_usage())) end
  if result.debug then core.sys.debug(true) end
  return result
end

local aliases = { ["--help"] = "help", ["-h"] = "help", ["--version"] = "version", ["-V"] = "version" }

-- argv[0] is the program, argv[1] the command. Returns the exit code.
function cli.main(argv)
  strict.lock(_G)
  local rest = { table.unpack(argv, 2) }
  local name = argv[1] or "help"
  if name == "--debug" then
    core.sys.debug(true)
    name = table.remove(rest, 1) or "help"
  end
  name = aliases[name] or name
  if name == "version" then
    print("aniso " .. core.sys.version)
    return cli.DONE
  end
  local command = cli.command(name)
  local code = command.run(command.raw and rest or parse(name, command, rest), argv)
  return code or cli.DONE
end

return cli
