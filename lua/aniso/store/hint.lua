-- A command that a message proposes, as a line to paste into a shell: words are quoted where they need it,
-- and the database is named unless it is the one that commands without --db use.
--   hint.command(db, "resume", uid) → "aniso resume 01M8… --db 'my runs.db'"
local sys = require("aniso.core").sys

local hint = {}

-- A text as one word for a shell.
function hint.quoted(text)
  text = tostring(text)
  if text:match "^[%w_./:,+@%%-][%w_%-./:=,+@%%]*$" then return text end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function is_default(path)
  local default = sys.variable "ANISO_DB" or "runs.db"
  return path == default or path == sys.realpath(default)
end

-- db: a database, or its path. The rest: the words after "aniso".
function hint.command(db, ...)
  local words, path = { "aniso" }, type(db) == "string" and db or db.path
  for i, word in ipairs { ... } do words[i + 1] = hint.quoted(word) end
  if not is_default(path) then
    table.move({ "--db", hint.quoted(path) }, 1, 2, #words + 1, words)
  end
  return table.concat(words, " ")
end

return hint
