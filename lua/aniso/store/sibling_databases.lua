-- The other run databases in a folder, opened read-only: which runs they have, and which first stages those
-- runs would use. A copy named *.bak does not count.
local core = require "aniso.core"
local must = require("aniso.store.db_error").must
local pass_interrupts = require("aniso.recipe.errors").pass_interrupts

local sibling_databases = {}

-- SQLite's first bytes, and our application_id at byte 68.
local function is_ours(path)
  local head = core.sys.read(path, 72, true) or ""
  return head:sub(1, 15) == "SQLite format 3" and head:sub(69, 72) == "ADP1"
end

-- What the runs of an open connection would use; those that were removed are left out.
local FIRST_STAGE_OF = [[
  SELECT r.uid, r.seed, r.tool_version, c.json, d.sha256 AS data, p.sha256 AS split
    FROM run r JOIN config c USING(config_id) JOIN data_split p USING(split_id)
    JOIN dataset d USING(dataset_id)]]

local function runs_of(connection)
  local sql = FIRST_STAGE_OF
  if connection:version() >= 3 then sql = sql .. " WHERE r.removed_at IS NULL" end
  return must(connection:query(sql))
end

-- of(db, folder) → {runs = {uid = name of the database that has it}, rows = the argument of
-- first_stages(), unreadable = a sentence or nil}, without db itself.
function sibling_databases.of(db, folder)
  local out = { runs = {}, rows = {} }
  for _, name in ipairs(core.sys.list(folder) or {}) do
    local path = folder .. "/" .. name
    if not name:find "%.bak$" and core.sys.exists(path) == "file" and is_ours(path)
      and core.sys.realpath(path) ~= db.path then
      local connection, message = core.db.open(path, "read")
      local rows = connection and runs_of(connection)
      if connection then connection:close() end
      if not rows then
        out.unreadable = ("%s cannot be read, so it may need this (%s)"):format(name, message)
      end
      for _, row in ipairs(rows or {}) do
        out.runs[row.uid], out.rows[#out.rows + 1] = name, row
      end
    end
  end
  return out
end

-- first_stages(db, siblings, key_of) → hash → true for every first stage that a run of db or of `siblings`
-- would use; a sentence if that cannot be determined for one of them.
function sibling_databases.first_stages(db, siblings, key_of)
  local used, unknown = {}, nil
  for _, rows in ipairs { runs_of(db.core), siblings.rows } do
    for _, row in ipairs(rows) do
      local config = core.json.decode(row.json)
      if type(config) == "table" and type(config.train) == "table" and config.train.mode == "staged" then
        local ok, key = pcall(key_of, { config = config, seed = row.seed, data = row.data,
          split = row.split, version = row.tool_version })
        if not ok then pass_interrupts(key) end
        if ok and key then
          used[key] = true
        else
          unknown = ("the first stage of run %s cannot be determined"):format(row.uid)
        end
      end
    end
  end
  return used, unknown
end

return sibling_databases
