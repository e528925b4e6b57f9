-- The prompt: reads a chunk over as many lines as it needs, runs it, prints its values.
-- An expression needs no `return`; `local x = 1` on a line of its own stays known; `_` is
-- the last value. Ctrl-C stops a computation, not the session. Without a terminal the
-- chunks come from standard input and nothing but results is printed.
local core = require "aniso.core"
local pretty = require "aniso.pretty"
local sys = core.sys

local repl = {}

-- "$XDG_STATE_HOME/aniso/history", or nil when there is no home.
local function history_file()
  local home, state = os.getenv "HOME", os.getenv "XDG_STATE_HOME"
  local folder = state and state ~= "" and state or home and home ~= "" and home .. "/.local/state"
  if not folder or not sys.mkdir_p(folder .. "/aniso") then return nil end
  return folder .. "/aniso/history"
end

-- nil, message, unfinished when it is no Lua; a chunk that ends too early wants another line.
local function compile(text, env)
  local global = text:gsub("^%s*local%s+", "", 1)
  local problem, unfinished
  for _, source in ipairs { "return " .. text, global, text } do
    local chunk, why = load(source, "=prompt", "t", env)
    if chunk then return chunk end
    unfinished = unfinished or why:find "<eof>" ~= nil
    problem = why
  end
  return nil, problem, unfinished
end

local function environment()
  local function help(...) return require("aniso.manual").help(...) end
  return setmetatable({ aniso = require "aniso", print = pretty.print, help = help }, { __index = _G })
end

local function traceback(why)
  local text = type(why) == "string" and why or tostring(why)
  return sys.debug() and debug.traceback(text, 2) or text
end

-- Ctrl-C has stopped something: that is done with. A termination ends the session.
local function forget_interrupt()
  if sys.interrupted() == "SIGTERM" then error({ message = "terminated", exit = 143 }, 0) end
  sys.interrupt_mode("poll", true)
end

-- Runs one chunk; returns whether it ended well.
function repl.evaluate(chunk, env)
  sys.interrupt_mode("raise", true)
  local result = table.pack(xpcall(chunk, traceback))
  forget_interrupt()
  if not result[1] then
    io.stdout:flush()
    io.stderr:write(require("aniso.cli").sentence(result[2]), "\n")
    return false
  end
  for i = 2, result.n do
    if result.n > 2 or result[i] ~= nil then print(pretty.format(result[i])) end
  end
  if result.n > 1 then env._ = result[2] end
  return true
end

-- next_line(prompt) → line, or nil and "end" or "interrupted". Returns whether all went well.
local function loop(next_line, env, remember)
  local text, fine = "", true
  while true do
    local line, why = next_line(text == "" and "> " or ">> ")
    if line then
      text = text == "" and line or text .. "\n" .. line
      local chunk, problem, unfinished = compile(text, env)
      if chunk or not unfinished then
        if text:find "%S" then remember(text) end
        if chunk then
          fine = repl.evaluate(chunk, env) and fine
        else
          io.stderr:write(problem, "\n")
          fine = false
        end
        text = ""
      end
    elseif why == "interrupted" then
      forget_interrupt()
      text = ""
    else
      if text:find "%S" then
        io.stderr:write(select(2, compile(text, env)), "\n")
        fine = false
      end
      return fine
    end
  end
end

function repl.run()
  local env = environment()
  sys.interrupt_mode("poll", true)
  if not (sys.isatty "stdin" and sys.isatty "stdout") then
    return loop(function()
      local line = io.read "l"
      return line, "end"
    end, env, function() end)
  end
  print(("aniso %s   %s threads   Tab completes, Ctrl-C stops a computation, Ctrl-D leaves")
    :format(sys.version, sys.threads()))
  local complete = require "aniso.complete"
  local editor <close> = core.term.editor {
    history = history_file(),
    complete = function(before) return complete(before, env) end,
  }
  loop(function(prompt) return editor:read(prompt) end, env,
    function(text) editor:remember((text:gsub("\n", " "))) end)
  return true
end

return repl
