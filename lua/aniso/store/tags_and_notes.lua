-- What a user records about runs: tags and notes. A star is the tag `star`. A file of
-- version 1, opened for reading, has neither.
local db_error = require "aniso.store.db_error"
local must = db_error.must
local visible = require("aniso.core").sys.visible

local tags_and_notes = {}

local NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

local function has_marks(db)
  return db.core:version() >= 2
end

-- tags() → run_id → sorted list of names.
function tags_and_notes.tags(db)
  if not has_marks(db) then return {} end
  local rows, message, code = db.core:query "SELECT run_id, name FROM tag ORDER BY run_id, name"
  if not rows then return nil, message, code end
  local by_run = {}
  for _, row in ipairs(rows) do
    by_run[row.run_id] = by_run[row.run_id] or {}
    table.insert(by_run[row.run_id], row.name)
  end
  return by_run
end

-- Names are single words that a terminal shows as they are, so that tag:NAME can be typed as a filter.
local function check(name)
  local text = tostring(name)
  if type(name) ~= "string" or name == "" or name:find "%s" or visible(name) ~= name then
    error(("a tag is one word of UTF-8 without control characters, got '%s'; join words with - or _")
      :format(text), 0)
  end
end

-- One statement per run and name, all of them or none.
local function for_each(db, runs, names, sql)
  return db:transaction(function()
    local changed = 0
    for _, run in ipairs(runs.run_id and { runs } or runs) do
      for _, name in ipairs(names) do changed = changed + must(db.core:exec(sql, run.run_id, name)) end
    end
    return changed
  end)
end

-- tag(runs, {name…}) → how many are new;  untag(runs, {name…}) → how many were there. runs: one, or a list.
function tags_and_notes.tag(db, runs, names)
  for _, name in ipairs(names) do check(name) end
  return for_each(db, runs, names, "INSERT INTO tag(run_id, name, at) VALUES(?1, ?2, " .. NOW
    .. ") ON CONFLICT DO NOTHING")
end

function tags_and_notes.untag(db, runs, names)
  return for_each(db, runs, names, "DELETE FROM tag WHERE run_id = ?1 AND name = ?2")
end

-- note(run, text): one more remark.   notes(run) → {at, text}, the latest last.
function tags_and_notes.note(db, run, text)
  if type(text) ~= "string" or not text:find "%S" then error("a note needs a non-empty string", 0) end
  return db.core:exec([[
    INSERT INTO note(run_id, seq, at, text)
    SELECT ?1, coalesce(max(seq), 0) + 1, ]] .. NOW .. [[, ?2 FROM note WHERE run_id = ?1]],
    run.run_id, text)
end

function tags_and_notes.notes(db, run)
  if not has_marks(db) then return {} end
  return db.core:query("SELECT at, text FROM note WHERE run_id = ?1 ORDER BY seq", run.run_id)
end

return tags_and_notes
