-- aniso completion SHELL: a script with which a shell completes aniso's commands and their options,
-- generated from the definitions that parse them. Words from the database and the options (studies, labels,
-- runs, keys, values) come from aniso completion words -- WORD…, which the script calls at a Tab.
--   source <(aniso completion bash)      source <(aniso completion zsh), behind compinit
--   aniso completion fish > ~/.config/fish/completions/aniso.fish
local cli = require "aniso.cli"
local console = require "aniso.show.console"
local hint = require "aniso.store.hint"
local sys = require("aniso.core").sys

local completion = { summary = "print a completion script for bash, zsh or fish" }

-- How a script calls this program, which need not be in PATH, and not another one called aniso.
local function program()
  local path = sys.exists "/proc/self/exe" and sys.realpath "/proc/self/exe" or "aniso"
  return hint.quoted(path) .. " completion words --"
end

function completion.arguments(parser)
  parser:argument("shell", "a shell; words: print what can complete a command line")
    :choices { "bash", "zsh", "fish", "words" }
  parser:argument("word", "with words: the words of the command line, the last one unfinished"):args "*"
end

-- The argument of `aniso help` is completed with the names of the commands, although it accepts any word.
local function name_commands(parser)
  local names = { "lua" }
  for _, command in ipairs(parser._commands) do names[#names + 1] = command._name end
  for _, command in ipairs(parser._commands) do
    if command._name == "help" then command._arguments[1]:choices(names) end
  end
end

-- Options that help does not list are not offered either.
local function leave_hidden_out(parser)
  for _, command in ipairs(parser._commands) do
    for i = #command._options, 1, -1 do
      if command._options[i]._hidden then table.remove(command._options, i) end
    end
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

local function with_program(text)
  return (text:gsub("PROGRAM", function() return program() end, 1))
end

-- Bash splits a word at =, : and @ without a space in the line, replaces what follows the last = or :, and
-- quotes insertions itself only for file names. Names come from a database: within a quote that the user
-- opened, they must not close it or be expanded.
local BASH_WORDS = [==[
_aniso_open_quote() {
    local word=$1 open='' at c
    for ((at = 0; at < ${#word}; at++)); do
        c=${word:at:1}
        if [[ $c == \\ && $open != \' ]]; then ((at++))
        elif [[ $c == "$open" ]]; then open=''
        elif [[ -z $open && $c == [\'\"] ]]; then open=$c
        fi
    done
    printf '%s' "$open"
}

_aniso_quoted() {
    case "$2" in
        \') printf '%s' "$1" | sed "s/'/'\\\\''/g" ;;
        \") printf '%s' "$1" | sed 's/[\\"$`]/\\&/g; s/!/"'"'!'"'"/g' ;;
        *) word=$(printf '%q.' "$1"); word=${word%.}; printf '%s' "${word//\\,/,}" ;;
    esac
}

_aniso_words() {
    local word prefix found quote line=${COMP_LINE:0:COMP_POINT} rest
    local -a words
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        rest=${line#"${line%%[![:space:]]*}"}
        if [[ ${#words[@]} -eq 0 || $rest != "$line" ]]; then words+=("$word")
        else words[-1]+=$word; fi
        line=${rest#"$word"}
    done
    word=${words[-1]}
    prefix=$(printf '%s' "${word%"${word##*[=:]}"}" | sed 's/\\\(.\)/\1/g')
    quote=$(_aniso_open_quote "$word")
    while IFS= read -r found; do
        COMPREPLY+=("$(_aniso_quoted "${found#"$prefix"}" "$quote")")
    done < <(PROGRAM "${words[@]}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=:] ]]; then compopt -o nospace 2>/dev/null; fi
}

]==]

-- Completes the words of arguments, and does not mistake the word at the cursor for the command.
function finish.bash(script, parser)
  local cases = {}
  each_choice(parser, function(command, words)
    cases[#cases + 1] = ('            %s) COMPREPLY=($(compgen -W "%s" -- "$cur")) ;;\n')
      :format(command, words)
  end)
  script = script:gsub('args=%("%${args%[@%]:1}"%)', 'args=("${args[@]:1:COMP_CWORD-1}")', 1)
  script = script:gsub('COMPREPLY=%(%$%(compgen %-f %-%- "%$cur"%)%)', "_aniso_words")
  script = script:gsub("^", function() return with_program(BASH_WORDS) end, 1)
  return (script:gsub('(    if %[%[ "%$cur" = %-%* %]%]; then\n[^\n]*\n)    fi\n}', function(options)
    return options .. "    elif [[ ${#COMPREPLY[@]} -eq 0 ]]; then\n        _aniso_words\n"
      .. "        if [[ ${#COMPREPLY[@]} -gt 0 ]]; then return; fi\n"
      .. '        case "$cmd" in\n' .. table.concat(cases) .. "        esac\n    fi\n}"
  end, 1))
end

-- A key or a study that can be continued gets no space after it. File names are completed where there are no
-- words. After --option=, zsh completes what follows the =.
local ZSH_WORDS = [==[
_aniso_words() {
  local -a line found open
  line=(${(z)LBUFFER})
  if [[ $LBUFFER == *[[:space:]] ]]; then line+=('') fi
  found=("${(@f)$(PROGRAM "${line[@]}" 2>/dev/null)}")
  if [[ -z $found ]]; then _files; return; fi
  found=("${(@)found#$IPREFIX}")
  open=(${(M)found:#*[=:]})
  found=(${found:#*[=:]})
  compadd -S '' -a open
  compadd -a found
}

]==]

-- If loaded from $fpath, the script is the function's first call; if sourced, it only registers the function.
function finish.zsh(script)
  script = script:gsub('("%-%-[%w-]+)(%b[]: :)', "%1=%2"):gsub('(%-%-[%w-]+)(}"%b[]: :)', "%1=%2")
  script = script:gsub(": :_files", ": :_aniso_words")
  script = script:gsub("\n_aniso%(%)", function() return "\n" .. with_program(ZSH_WORDS) .. "_aniso()" end, 1)
  return (script:gsub("\n_aniso%s*$",
    '\nif [ "$funcstack[1]" = _aniso ]; then _aniso "$@"; else compdef _aniso aniso; fi\n'))
end

local FISH_WORDS = [==[
function __aniso_words
    set -l found (PROGRAM (commandline -opc) (commandline -ct) 2>/dev/null)
    if set -q found[1]
        printf '%s\n' $found
    else if test (count (commandline -opc)) -gt 1
        __fish_complete_path (commandline -ct)
    end
end

]==]

function finish.fish(script, parser)
  script = script:gsub(" %-r %-d ", " -x -a '(__aniso_words)' -d ")
  local lines = { with_program(FISH_WORDS), script, "complete -c aniso -f -a '(__aniso_words)'\n" }
  each_choice(parser, function(command, words)
    lines[#lines + 1] = ("complete -c aniso -n '__fish_aniso_using_command %s' -xa '%s'\n")
      :format(command, words)
  end)
  return table.concat(lines)
end

function completion.run(args)
  if args.shell == "words" then
    for _, word in ipairs(require "aniso.cli.completion_words"(args.word)) do console.print(word) end
    return cli.DONE
  end
  local parser = cli.parser()
  local make = parser["get_" .. args.shell .. "_complete"]
  if not make then
    cli.fail(cli.FAILED, "this argparse is too old to write completions: 0.7 or later can")
  end
  name_commands(parser)
  leave_hidden_out(parser)
  io.stdout:write(finish[args.shell](make(parser), parser))
end

return completion
