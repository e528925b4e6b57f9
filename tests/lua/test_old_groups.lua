-- Files of before version 6 keep the groups of their classes: data.shot becomes data.groups, and a stored
-- run is resumed on the split that it was made on. Their configurations are completed by the options that
-- were added since.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local config = require "aniso.method.config"
local store = require "aniso.store"
local fixture = dofile "tests/lua/store_fixture.lua"
local one = fixture.one

local Old = {}

local function configs(db)
  return assert(db:query "SELECT config_id, sha256, json FROM config ORDER BY config_id")
end

-- What a complete configuration has and a stored one lacks would be an option without a row in `added`.
function Old.test_a_configuration_of_version_5_is_complete()
  local db <close> = assert(store.open("tests/golden/runs-v5.sqlite", { readonly = true }))
  lu.assertEquals(db:version(), 5)
  for _, number in ipairs { "1", "2" } do
    local options = db:config(db:find(number))
    lu.assertEquals(config.complete(options), options)
  end
  lu.assertEquals(#db:select { "loss.hardness<0.5", "sampler.level=mixture", "sampler.tilt=none" }, 2)
end

function Old.test_a_file_of_version_5_keeps_its_groups()
  local path = fixture.folder() .. "/v5.db"
  do
    local from <close> = assert(io.open("tests/golden/runs-v5.sqlite", "rb"))
    local to <close> = assert(io.open(path, "wb"))
    to:write(from:read "a")
  end
  local read
  do
    local db <close> = assert(store.open(path, { readonly = true }))
    lu.assertEquals(db:config(db:find "1").data.groups, { "counts", many = 40, few = 4 })
    read = configs(db)
    for _, row in ipairs(read) do
      lu.assertEquals(core.sha256.text(row.json), row.sha256)
      lu.assertEquals(core.json.encode(core.json.decode(row.json)), row.json)
    end
  end
  local db <close> = assert(store.open(path))
  lu.assertEquals(configs(db), read)
  lu.assertEquals(#db:select { "data.groups=counts", "data.groups.many=40" }, 2)
  lu.assertEquals(one(db, "SELECT count(*) FROM plan_run JOIN config ON config.sha256 = plan_run.config"), 2)
  lu.assertEquals(one(db, "SELECT count(*) FROM sqlite_temp_schema"), 0)
  -- what the stored run would be resumed with: the split that it was made on
  local stored = db:split_of(db:find "1")
  local complete = config.complete(db:config(db:find "1"))
  local session = { config = complete, dataset = aniso.data(complete.data) }
  local _, split = require("aniso.train.provenance").identity(session)
  lu.assertEquals(split, stored.sha256)
  for j, class in ipairs(stored.classes) do lu.assertEquals(class.shot, session.dataset.split.shot[j]) end
end

return { Old = Old }
