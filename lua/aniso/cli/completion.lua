-- aniso completion SHELL: a script with which a shell completes aniso's commands and their options,
-- generated from the definitions that parse them.
--   source <(aniso completion bash)      source <(aniso completion zsh), behind compinit
--   aniso completion fish > ~/.config/fish/completions/aniso.fish
local cli = require "aniso.cli"

local completion = { summary = "print the completion script of bash, zsh or fish" }

local shells = { "bash", "zsh", "fish" }

function completion.arguments(parser)
  parser:argument("shell", "bash, zsh or fish"):choices(shells)
end

-- The argument of `aniso help` completes to the names of the commands, though it accepts any word.
local function name_commands(parser)
  local names = { "lua" }
  for _, command in ipairs(parser._commands) do names[#names + 1] = command._name end
  for _, command in ipairs(parser._commands) do
    if command._name == "help" then command._arguments[1]:choices(names) end
  end
end

-- Calls visit(command's name, choices) for every positional argument that has choices.
local function each_choice(parser, visit)
  for _, command in ipairs(parser._commands) do
    for _, argument in ipairs(command._arguments) do
      if argument._choices then visit(command._name, table.concat(argument._choices, " ")) end
    end
  end
end

-- Adds what argparse's scripts omit, by shell.
local finish = {}

-- Completes the words of arguments, and does not take the word at the cursor for the command.
function finish.bash(script, parser)
  local cases = {}
  each_choice(parser, function(command, words)
    cases[#cases + 1] = ('            %s) COMPREPLY=($(compgen -W "%s" -- "$cur")) ;;\n')
      :format(command, words)
  end)
  script = script:gsub('args=%("%${args%[@%]:1}"%)', 'args=("${args[@]:1:COMP_CWORD-1}")', 1)
  return (script:gsub('(    if %[%[ "%$cur" = %-%* %]%]; then\n[^\n]*\n)    fi\n}', function(options)
    return options .. '    elif [[ ${#COMPREPLY[@]} -eq 0 ]]; then\n        case "$cmd" in\n'
      .. table.concat(cases) .. "        esac\n    fi\n}"
  end, 1))
end

-- Loaded from $fpath, the script is the function's first call; sourced, it only registers the function.
function finish.zsh(script)
  return (script:gsub("\n_aniso%s*$",
    '\nif [ "$funcstack[1]" = _aniso ]; then _aniso "$@"; else compdef _aniso aniso; fi\n'))
end

function finish.fish(script, parser)
  local lines = { script }
  each_choice(parser, function(command, words)
    lines[#lines + 1] = ("complete -c aniso -n '__fish_aniso_using_command %s' -xa '%s'\n")
      :format(command, words)
  end)
  return table.concat(lines)
end

function completion.run(args)
  local parser = cli.parser()
  local make = parser["get_" .. args.shell .. "_complete"]
  if not make then
    cli.fail(cli.FAILED, "this argparse is too old to write completions: 0.7 or later can")
  end
  name_commands(parser)
  io.stdout:write(finish[args.shell](make(parser), parser))
end

return completion
