-- aniso luals [DIR]: sets up a folder for editors that use lua-language-server: the annotations in
-- DIR/.aniso/types, and DIR/.luarc.json, which points there. Existing settings are kept.
local annotations = require "aniso.prompt.help.annotations"
local cli = require "aniso.cli"
local console = require "aniso.show.console"
local core = require "aniso.core"
local sys = core.sys

local luals = { summary = "set up a folder for editors (lua-language-server)" }

local LIBRARY = ".aniso/types"
local MOST = 1 << 20 -- bytes of an editor's settings

function luals.arguments(parser)
  parser:argument("folder", "folder of the recipes (default: the current folder)"):args "?"
end

local function write(path, text)
  cli.need(sys.write_atomic(path, text))
end

-- Whether a file begins like our annotation files.
local function is_annotation(path)
  return not sys.is_link(path) and sys.read(path, #annotations.START, true) == annotations.START
end

-- Removes the annotations of an older program, which would define things twice.
local function remove_old(folder, sources)
  for _, name in ipairs(sys.list(folder) or {}) do
    local path = folder .. "/" .. name
    if name:match "%.lua$" and not sources[name] and is_annotation(path) then cli.need(sys.remove(path)) end
  end
end

-- In a folder that came from elsewhere, a link could point out of it.
local function refuse_links(folder)
  for _, path in ipairs { folder .. "/.aniso", folder .. "/" .. LIBRARY, folder .. "/.luarc.json" } do
    if sys.is_link(path) then
      cli.fail(cli.FAILED, path .. " is a link, and nothing is written through it; remove it and repeat")
    end
  end
end

local function write_annotations(folder)
  cli.need(sys.mkdir_p(folder))
  local sources, count = annotations.sources(), 0
  remove_old(folder, sources)
  for name, text in pairs(sources) do
    write(folder .. "/" .. name, text)
    count = count + 1
  end
  return count
end

-- Canonical JSON with one line per entry.
local function spread(json)
  local out, depth, quoted, escaped = {}, 0, false, false
  local function line() out[#out + 1] = "\n" .. ("  "):rep(depth) end
  for c in json:gmatch "." do
    local opens, closes = not quoted and c:find "[{%[]", not quoted and c:find "[}%]]"
    if closes then
      depth = depth - 1
      if out[#out]:find "^\n" then out[#out] = nil else line() end
    end
    out[#out + 1] = not quoted and c == ":" and ": " or c
    if opens then depth = depth + 1 end
    if opens or (not quoted and c == ",") then line() end
    quoted = (c == '"' and not escaped) ~= quoted
    escaped = c == "\\" and not escaped
  end
  return table.concat(out) .. "\n"
end

local function read(path)
  if not sys.exists(path) then return {} end
  local text = cli.need(sys.read(path, MOST))
  local settings = core.json.decode(text)
  if type(settings) ~= "table" then
    cli.fail(cli.FAILED, ("%s is not plain JSON (comments?): add %q to its workspace.library by hand")
      :format(path, LIBRARY))
  end
  return settings
end

-- Both spellings are in use: "workspace.library", and "library" inside "workspace".
local function point_to(settings)
  local holder, key = settings, "workspace.library"
  if type(settings.workspace) == "table" then holder, key = settings.workspace, "library" end
  local list = type(holder[key]) == "table" and holder[key] or core.json.array {}
  for _, path in ipairs(list) do
    if path == LIBRARY then return end
  end
  list[#list + 1] = LIBRARY
  holder[key] = list
end

local function set_version(settings)
  if type(settings.runtime) == "table" then
    settings.runtime.version = settings.runtime.version or "Lua 5.4"
  else
    settings["runtime.version"] = settings["runtime.version"] or "Lua 5.4"
  end
end

function luals.run(args)
  local folder = (args.folder or "."):gsub("(.)/+$", "%1")
  if sys.exists(folder) ~= "directory" then
    cli.fail(cli.USAGE, folder .. ": there is no such folder")
  end
  refuse_links(folder)
  local count = write_annotations(folder .. "/" .. LIBRARY)
  local path = folder .. "/.luarc.json"
  local settings = read(path)
  point_to(settings)
  set_version(settings)
  write(path, spread(core.json.encode(settings)))
  console.print(("%s and %d files in %s/%s"):format(path, count, folder, LIBRARY))
end

return luals
