-- The command line: finds the command, parses its arguments, runs it, and returns the exit code.
-- A command is a file cli/NAME.lua that returns {summary =, arguments = function(parser),
-- run = function(args) → exit code or nil}; a command with `raw` does its own parsing; `verbs` are the names
-- of its sub-commands. Errors are raised through fail() with their exit code and printed once, by main.c.
local core = require "aniso.core"
local errors = require "aniso.recipe.errors"
local strict = require "aniso.recipe.strict"

local cli = { sentence = errors.sentence }

cli.commands = {
  "new", "run", "submit", "plan", "work", "watch", "check", "resume", "eval", "verify", "ls", "show",
  "compare", "table", "curve", "report", "export", "predict", "predictions", "features", "tag", "note",
  "star", "rename", "rm", "restore", "gc", "sql", "db", "schedule", "repl", "exec", "data", "doctor",
  "luals", "completion", "help",
}

-- Exit codes. An interrupted command exits with 128 + the signal's number (engine/main.c).
cli.DONE, cli.FAILED, cli.USAGE, cli.NO_MATCH, cli.DATABASE, cli.DIFFERS = 0, 1, 2, 3, 4, 5
cli.EXIT_CODES = "0 done, 1 a run or a file failed, 2 usage, 3 nothing matched, 4 database, "
  .. "5 verify found a difference, 129, 130 or 143 interrupted"

cli.EXIT_OF = errors.EXIT_OF

local Failure = { __tostring = function(self) return self.message end }

-- Ends the command: main.c prints the message as one line and below it `details`, which may have several
-- lines.
function cli.fail(code, message, details)
  error(setmetatable({ exit = code, message = message, details = details }, Failure), 0)
end

local exits = { ENOTFOUND = cli.NO_MATCH, EDB = cli.DATABASE, EBUSY = cli.DATABASE, EINVAL = cli.USAGE }

-- For calls that return nil, message, code on failure: cli.need(store.open(p)).
-- `otherwise` is the exit code for failures whose code has no exit code.
function cli.need(value, message, code, otherwise)
  if value == nil or value == false then
    cli.fail(exits[code] or otherwise or cli.FAILED, message or "failed without a message")
  end
  return value
end

-- Calls a check whose errors are usage errors: an unknown option, a bad value. A failure of the database
-- keeps its own exit code.
function cli.usage(check, ...)
  local result = table.pack(pcall(check, ...))
  if not result[1] then
    local why = result[2]
    errors.pass_interrupts(why)
    cli.fail(type(why) == "table" and exits[why.code] or cli.USAGE, cli.sentence(why))
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

-- "-o, --output FILE" in the help of a command; argparse itself writes "-o FILE," and "--output FILE" on two
-- lines, and does so where a later version has other fields.
local function label_on_one_line(option)
  local names, list_of = option._public_aliases, option._get_argument_list
  local arguments = names and names[2] and list_of and list_of(option)
  if not arguments or #arguments == 0 then return end
  local label = table.concat(names, ", ") .. " " .. table.concat(arguments, " ")
  option._get_label_lines = function() return { label } end
end

local function define(parser, command)
  parser:flag "--debug":description "show where an error comes from"
  if command.arguments then command.arguments(parser) end
  for _, one in ipairs { parser, table.unpack(parser._commands) } do
    one._options[1]:description "show this help and exit" -- argparse's own is a full sentence
    for _, option in ipairs(one._options) do label_on_one_line(option) end
  end
  return parser
end

-- All commands in one parser, or only the one named `only`, for completion.
function cli.parser(only)
  local parser = argparse()("aniso", "diffusion models for long-tailed image classification")
  for _, name in ipairs(only and { only } or cli.commands) do
    local command = cli.command(name)
    define(parser:command(name, command.summary), command)
  end
  return parser
end

local function parser_of(name, command)
  return define(argparse()("aniso " .. name, command.summary), command)
end

-- The flag that a parser's message calls unknown.
local function unknown_flag(message)
  return message:match "unknown option '([^']+)'"
end

local function accepts(parser, ...)
  local arguments = { ... }
  local ok, message = parser:pparse(arguments)
  return ok or unknown_flag(message) ~= arguments[#arguments]
end

-- The commands that take a flag, such as "run" or "data split"; those that do their own parsing are left out.
local function commands_with(flag)
  local out = {}
  for _, name in ipairs(cli.commands) do
    local command = cli.command(name)
    local parser = not command.raw and parser_of(name, command)
    if parser and accepts(parser, flag) then out[#out + 1] = name end
    for _, verb in ipairs(command.verbs or {}) do
      if accepts(parser, verb, flag) then out[#out + 1] = name .. " " .. verb end
    end
  end
  return out
end

-- A mistake in the arguments, in words: a flag of other commands is an error that names them.
local function usage_error(name, message)
  local flag = unknown_flag(message)
  local takers = flag and commands_with(flag) or {}
  if #takers == 0 then return message end
  return ("aniso %s does not take %s; %s %s: %s"):format(name, flag, #takers == 1 and "this command" or
    "these commands", #takers == 1 and "does" or "do", table.concat(takers, ", "))
end

local function parse(name, command, argv)
  local parser = parser_of(name, command)
  local ok, result = parser:pparse(argv)
  if not ok then
    cli.fail(cli.USAGE, usage_error(name, result), parser:get_usage())
  end
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
