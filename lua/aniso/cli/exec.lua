-- aniso exec FILE [ARG…] and aniso exec -e CODE [ARG…]: Lua with the library loaded. `aniso` is a global,
-- `arg` and `...` hold the arguments, print shows the contents of tables.
local cli = require "aniso.cli"

local exec = { summary = "run Lua code with the library loaded", raw = true }

local usage = [[
Usage: aniso exec FILE [ARG...]
       aniso exec -e CODE [ARG...]

Runs Lua 5.4 with the library as the global `aniso`; FILE - is standard input.]]

-- Only for completion: what follows FILE or CODE belongs to it.
function exec.arguments(parser)
  parser:option("-e", "run CODE instead of a file"):argname "CODE"
  parser:argument("file", "a Lua file, or - for standard input"):args "*"
end

-- The chunk, its name, and where its own arguments start.
local function load_chunk(argv)
  if argv[1] == "-e" then
    if not argv[2] then cli.fail(cli.USAGE, "exec -e needs CODE", usage) end
    local chunk, why = load(argv[2], "=-e")
    return "-e", chunk, why, 3
  end
  local path = argv[1]
  local from = path ~= "-" and path or nil
  if from and not require("aniso.core").sys.exists(from) then
    cli.fail(cli.USAGE, ("%s: no such file (exec -e runs code)"):format(path))
  end
  if from then require("aniso.recipe.neighbours").of(from) end
  local chunk, why = loadfile(from)
  return path, chunk, why, 2
end

function exec.run(argv)
  if argv[1] == "--debug" then
    require("aniso.core").sys.debug(true)
    table.remove(argv, 1)
  end
  if argv[1] == "-h" or argv[1] == "--help" then
    print(usage)
    return cli.DONE
  end
  if not argv[1] then cli.fail(cli.USAGE, "exec needs FILE or -e CODE", usage) end
  local name, chunk, why, first = load_chunk(argv)
  if not chunk then cli.fail(cli.FAILED, why) end
  local arguments = { table.unpack(argv, first) }
  rawset(_G, "aniso", require "aniso")
  rawset(_G, "arg", { [0] = name, table.unpack(arguments) })
  rawset(_G, "print", require("aniso.show.pretty").print)
  chunk(table.unpack(arguments))
end

return exec
