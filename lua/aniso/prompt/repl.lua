-- The prompt: reads a chunk over as many lines as it needs, runs it, and prints its values. An expression
-- needs no `return`; `local x = 1` on its own line defines x for later lines; `_` is the last value, `runs`
-- the run database. Ctrl-C stops a computation, not the session. Without a terminal the chunks come from
-- standard input and only results are printed.
local core = require "aniso.core"
local console = require "aniso.show.console"
local errors = require "aniso.recipe.errors"
local pretty = require "aniso.show.pretty"
local sys = core.sys

local repl = {}

-- "$XDG_STATE_HOME/aniso/history", or nil if there is no home.
local function history_file()
  local home, state = sys.variable "HOME", sys.variable "XDG_STATE_HOME"
  local folder = state or home and home .. "/.local/state"
  if not folder or not sys.mkdir_p(folder .. "/aniso") then return nil end
  return folder .. "/aniso/history"
end

-- nil, message, unfinished if the text is not valid Lua; unfinished: another line may complete it.
local function compile(text, env)
  local global = text:gsub("^%s*local%s+", "", 1)
  local problem, unfinished
  for _, source in ipairs { "return " .. text, global, text } do
    local chunk, why = load(source, "=prompt", "t", env)
    if chunk then return chunk end
    unfinished = unfinished or why:find "near <eof>$" ~= nil
    problem = why
  end
  return nil, problem, unfinished
end

-- The globals of the chunks: the library, its runs, and Lua.
local function environment(runs)
  local help = setmetatable({}, {
    __call = function(_, ...) return require("aniso.prompt.help.manual").help(...) end,
    __tostring = function() return require("aniso.prompt.help.manual").contents() end,
  })
  local function other(_, name)
    if name == "runs" then error("no run database is open: aniso repl --db FILE opens one", 0) end
    return _G[name]
  end
  return setmetatable({ aniso = require "aniso", print = pretty.print, help = help, runs = runs },
    { __index = other })
end

local function traceback(why)
  local text = type(why) == "string" and why or tostring(why)
  return sys.debug() and debug.traceback(text, 2) or text
end

-- Clears an interruption that stopped a chunk. A termination signal ends the session.
local function forget_interrupt()
  local signal = sys.interrupted()
  if signal and signal ~= "SIGINT" then errors.interrupt(signal, "terminated") end
  sys.interrupt_mode("poll", true)
end

-- Keeps a chunk's first value as `_` and prints all; a single nil is not printed.
local function show(env, ...)
  if select("#", ...) > 0 then env._ = ... end
  if select("#", ...) == 1 and ... == nil then return end
  for _, text in ipairs(require "aniso.prompt.results"(...)) do print(text) end
end

-- An error as one sentence; for an unknown method, with the one that was probably meant.
local function sentence(why)
  local text = errors.sentence(why)
  local missing = text:match "%(method '([%w_]+)'%)$" or text:match "has no field or method '([%w_]+)'$"
  local meant = missing and require("aniso.prompt.help.manual").nearest(missing)
  return meant and meant ~= missing and ("%s; did you mean %s?"):format(text, meant) or text
end

-- Runs one chunk and shows its values; returns whether it ended well.
function repl.evaluate(chunk, env)
  local fine, why = sys.stoppable(function() show(env, chunk()) end, traceback)
  forget_interrupt()
  if not fine then
    io.stdout:flush()
    console.note_text(sentence(why))
  end
  return fine
end

-- next_line(prompt) → line, or nil and "end" or "interrupted". Returns whether all went well.
local function loop(next_line, env, remember)
  local text, fine = "", true
  while true do
    local line, why = next_line(text == "" and "> " or ">> ", text)
    if line then
      text = text == "" and line or text .. "\n" .. line
      local chunk, problem, unfinished = compile(text, env)
      if chunk or not unfinished then
        if text:find "%S" then remember(text) end
        if chunk then
          fine = repl.evaluate(chunk, env) and fine
        else
          console.note_text(problem)
          fine = false
        end
        text = ""
      end
    elseif why == "interrupted" then
      forget_interrupt()
      text = ""
    else
      if text:find "%S" then
        console.note_text((select(2, compile(text, env))))
        fine = false
      end
      return fine
    end
  end
end

-- The history has one line per chunk. If a line break is significant, in a comment or a string, the chunk is
-- kept line by line.
local function in_one_line(text)
  local joined = text:gsub("%s*\n%s*", " ")
  local function code(source)
    local chunk = load("return " .. source) or load(source)
    return chunk and string.dump(chunk, true)
  end
  return code(joined) == code(text) and joined or nil
end

local function remember_in(editor, text)
  local joined = in_one_line(text)
  if joined then return editor:remember(joined) end
  for line in text:gmatch "[^\n]+" do editor:remember(line) end
end

-- runs: an open run database, or nil.
function repl.run(runs)
  if runs then require "aniso.prompt.explore.database" end
  local env = environment(runs)
  sys.interrupt_mode("poll", true)
  if not (sys.isatty "stdin" and sys.isatty "stdout") then
    return loop(function()
      local line = io.read "l"
      return line, "end"
    end, env, function() end)
  end
  print(("aniso %s   %s threads   Tab completes, Ctrl-C stops a computation, Ctrl-D leaves")
    :format(sys.version, sys.threads()))
  if runs then console.print(("`runs` is %s, help(x) explains x"):format(runs.path)) end
  local complete, begun = require "aniso.prompt.complete", ""
  local editor <close> = core.term.editor {
    history = history_file(),
    complete = function(before) return complete(begun .. before, env) end,
  }
  loop(function(prompt, text)
    begun = text == "" and "" or text .. "\n"
    return editor:read(prompt)
  end, env, function(text) remember_in(editor, text) end)
  return true
end

return repl
