-- A command that a message proposes, as a line to paste into a shell: words are quoted where they need it,
-- and the database is named unless it is the one that commands without --db use.
--   hint.command(db, "resume", uid) → "aniso resume 01M8… --db 'my runs.db'"
--   hint.command(db, "work", { study }): a name given by the user; one like -x comes last, after --
--   hint.line { word or { name }, … } → the same line of other words
local sys = require("aniso.core").sys

local hint = {}

-- A text as one word for a shell.
function hint.quoted(text)
  text = tostring(text)
  if text:match "^[%w_./:,+@%%-][%w_%-./:=,+@%%]*$" then return text end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- A word of a printed line. Its control characters, and others that a terminal must not receive, become codes
-- of printf, since the line is pasted as it is shown. $( ) drops newlines at the end of a name.
local function printed(text)
  text = tostring(text)
  if sys.visible(text) == text then return hint.quoted(text) end
  local codes = text:gsub("[^%w_./:,+@= -]", function(c) return ("\\%03o"):format(c:byte()) end)
  return ("\"$(printf -- '%s')\""):format(codes)
end

function hint.line(words)
  local out, last = {}, {}
  for _, word in ipairs(words) do
    local name = type(word) == "table" and tostring(word[1])
    local list = name and name:sub(1, 1) == "-" and last or out
    list[#list + 1] = printed(name or word)
  end
  if last[1] then out[#out + 1] = "--" end
  return table.concat(table.move(last, 1, #last, #out + 1, out), " ")
end

local function is_default(path)
  local default = sys.variable "ANISO_DB" or "runs.db"
  return path == default or path == sys.realpath(default)
end

-- db: a database, or its path. The rest: the words after "aniso".
function hint.command(db, ...)
  local words, path = { "aniso", ... }, type(db) == "string" and db or db.path
  if not is_default(path) then
    table.move({ "--db", path:sub(1, 1) == "-" and "./" .. path or path }, 1, 2, #words + 1, words)
  end
  return hint.line(words)
end

return hint
