-- Renamed options: the error for an old name gives the new one wherever it can be typed, stored
-- configurations are migrated with their hashes, and a run of an earlier version resumes to the same bits.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local check = require "aniso.train.recipe_check"
local config = require "aniso.method.config"
local renamed = require "aniso.recipe.renamed"
local store = require "aniso.store"
local study = require "aniso.recipe.study"
local fixture = dofile "tests/lua/store_fixture.lua"
local one = fixture.one
local V4 = "tests/golden/runs-v4.sqlite"

local Renamed = {}

-- A writable copy of the version 4 file.
local function copy_of_v4() return fixture.copy(V4) end

local function configs(db)
  return assert(db:query "SELECT config_id, sha256, json FROM config ORDER BY config_id")
end

local function is_canonical(row)
  lu.assertEquals(core.sha256.text(row.json), row.sha256)
  lu.assertEquals(core.json.encode(core.json.decode(row.json)), row.json)
end

-- ── an old name is an error that gives the new one ──────────────────────────────────────
function Renamed.test_every_old_option_gives_the_new_one()
  for old, new in pairs(renamed.options) do
    local given = aniso.options.apply({}, { [old] = 1 })
    lu.assertErrorMsgEquals(("option %s is now %s"):format(old, new), config.complete, given)
    local known = old:match "^data%." and config.complete {} or config.defaults
    lu.assertNotNil(aniso.options.get(known, new), new)
    lu.assertNil(aniso.options.get(known, old), old)
  end
end

function Renamed.test_in_what_a_study_varies_and_by_set()
  local of = study.new { name = "s", data = { "lesions" }, base = {},
    vary = { study.grid { ["train.ema"] = { 0, 0.9 } } } }
  lu.assertErrorMsgEquals("option train.ema is now train.ema_decay", config.complete,
    study.expand(of)[1].config)
  local plain = study.new { name = "s", data = { "lesions" }, base = {} }
  lu.assertErrorMsgEquals("option prior.top is now prior.top_percent", config.complete,
    study.expand(plain, { { "prior.top", "30" } })[1].config)
  local _, mistakes = check.options(plain, { { "train.rate", "constant" } })
  lu.assertEquals(#mistakes, 1)
  lu.assertStrContains(mistakes[1], "option train.rate is now train.lr_schedule")
end

function Renamed.test_in_filters_and_keys()
  local db <close> = assert(store.open(copy_of_v4(), { readonly = true }))
  lu.assertErrorMsgContains("option train.ema is now train.ema_decay", db.select, db, { "train.ema=0.9" })
  lu.assertErrorMsgContains("loss_epsilon is now loss_denoising", db.select, db, {},
    { sort = "loss_epsilon" })
end

-- A column is not an option: what printed it names the new one.
function Renamed.test_old_columns()
  local db <close> = assert(store.open(V4, { readonly = true }))
  for old, new in pairs(renamed.columns) do
    lu.assertErrorMsgEquals(("column %s is now %s"):format(old, new), db.select, db, { old .. "=x" })
  end
end

function Renamed.test_in_arguments()
  lu.assertErrorMsgEquals("option optim.adamw.decay is now optim.adamw.weight_decay", aniso.optim.adamw,
    { decay = 0.1 })
  lu.assertErrorMsgEquals("option optim.sgd.decay is now optim.sgd.weight_decay", aniso.optim.sgd,
    { decay = 0.1 })
  lu.assertErrorMsgEquals("option prior.crop is now prior.crop_size", aniso.prior,
    { K = 3, features = 6, crop = 4 })
  lu.assertErrorMsgEquals("option sampler.run.parameterisation is now sampler.run.prediction",
    aniso.sampler.run, { parameterisation = "v" })
end

function Renamed.test_a_method()
  local s = aniso.schedule { K = 2 }
  lu.assertErrorMsgContains("method q_sample is now noised", function() return s:q_sample() end)
end

-- ── files of version 4 ──────────────────────────────────────────────────────────────────
-- SQL and Lua have separate lists, since a recipe is checked without a database.
function Renamed.test_the_migration_renames_what_the_errors_name()
  local db <close> = assert(store.open(V4, { readonly = true }))
  local listed = {}
  for _, row in ipairs(assert(db:query "SELECT * FROM temp.renamed")) do
    local section = row.section == "" and "" or row.section .. "."
    listed[section .. row.old] = section .. row.new
  end
  local expected = {}
  for _, list in ipairs { renamed.options, renamed.curves } do
    for old, new in pairs(list) do expected[old] = new end
  end
  lu.assertEquals(listed, expected)
end

-- SQL: the option ?1 or one inside it.
local AT = "(key = ?1 OR substr(key, 1, length(?1) + 1) = ?1 || '.')"

local function has_the_new_names(db)
  for _, row in ipairs(configs(db)) do is_canonical(row) end
  local options = db:config(db:find "1")
  lu.assertEquals(config.complete(options), options)
  for old, new in pairs(renamed.options) do
    local stored = new ~= "schedule.base" -- which is present only where a recipe gives it
    lu.assertEquals(aniso.options.get(options, new) ~= nil, stored, new)
    lu.assertEquals(one(db, "SELECT count(*) FROM config_param WHERE " .. AT, old), 0)
    lu.assertEquals(one(db, "SELECT count(DISTINCT config_id) FROM config_param WHERE " .. AT, new),
      stored and 2 or 0)
  end
  lu.assertEquals(options.train.lr, 1e-5)
  lu.assertEquals(options.data.groups, { "counts", many = 100, few = 20 })
  lu.assertEquals(#db:select { "data.groups=counts", "data.groups.few=20" }, 2)
  lu.assertEquals(options.train.weight_decay, 1e-4)
  lu.assertEquals(#db:select { "train.weight_decay=0.5", "train.sampling=class_balanced" }, 1)
  local curves = db:curves(db:find "1")
  lu.assertEquals(#curves.train.loss_denoising.value, 2)
  lu.assertNil(curves.train.loss_epsilon)
end

function Renamed.test_reading_and_migrating_show_the_same()
  local path = copy_of_v4()
  local read
  do
    local db <close> = assert(store.open(path, { readonly = true }))
    lu.assertEquals(db:version(), 4)
    has_the_new_names(db)
    read = configs(db)
  end
  local db <close> = assert(store.open(path))
  lu.assertEquals(db:version(), core.db.VERSION)
  has_the_new_names(db)
  lu.assertEquals(configs(db), read)
  lu.assertEquals(one(db, "SELECT count(*) FROM plan_run JOIN config ON config.sha256 = plan_run.config"), 2)
  lu.assertEquals(one(db, "SELECT count(*) FROM sqlite_temp_schema"), 0)
end

function Renamed.test_merging_a_file_of_version_4()
  local into <close> = fixture.new()
  lu.assertEquals(into:merge({ copy_of_v4() })[1].added, 2)
  has_the_new_names(into)
end

-- ── resuming a run of version 4 ────────────────────────────────────────────────────────
local nowhere = assert(io.open("/dev/null", "w"))

local function job(db)
  return { db = db, seed = 1, label = "run", study = "s", stream = nowhere, config = {
    data = { "lesions", n = 140, size = 12, groups = { "counts", many = 30, few = 5 } },
    backbone = { "resnet", depth = 8, width = 4 },
    prior = { crops = 2, crop_size = 6, top_percent = 30, local_width = 4, attention = 4 },
    schedule = { base = "linear", T = 40, bound_constants = { q = 2 } },
    denoiser = { "cross_attention", dim = 8, blocks = 1, heads = 2 },
    loss = { denoising = 0.5 }, select = { steps = 2, draws = 1 }, sampler = { "ddim", steps = 3, draws = 2 },
    train = { epochs = 2, batch = 28, draws = 2, lr = 1e-5, lr_schedule = "one_cycle", weight_decay = 0.1,
      ema_decay = 0.9, prediction = "v", sampling = "class_balanced" } } }
end

local STATEMENT = "SELECT sql FROM main.sqlite_schema WHERE name = ?1"
-- A table as another file has it: a constraint cannot be dropped.
local function restore_table(db, old, name)
  local columns = one(old, ("SELECT group_concat(name) FROM pragma_table_info('%s')"):format(name))
  assert(db:exec(("ALTER TABLE %s RENAME TO newer"):format(name)))
  assert(db:exec(one(old, STATEMENT, name)))
  assert(db:exec(("INSERT INTO %s(%s) SELECT %s FROM newer"):format(name, columns, columns)))
  assert(db:exec "DROP TABLE newer")
end

-- The tables and views of version 4; folds came with version 6, costs with 7, units with 9, checks with 10.
local function restore_structure(db)
  local old <close> = assert(store.open(V4, { readonly = true }))
  local VIEWS = "SELECT name, sql FROM main.sqlite_schema WHERE type = 'view' ORDER BY rowid"
  for _, view in ipairs(assert(db:query(VIEWS))) do assert(db:exec("DROP VIEW " .. view.name)) end
  assert(db:exec "DROP TABLE split_cluster")
  assert(db:query "PRAGMA foreign_keys = OFF"); assert(db:query "PRAGMA legacy_alter_table = ON")
  restore_table(db, old, "run"); assert(db:exec(one(old, STATEMENT, "run_by_study")))
  restore_table(db, old, "metric_value")
  assert(db:exec "DROP TABLE plan_run"); assert(db:exec "DROP TABLE plan")
  assert(db:exec(one(old, STATEMENT, "plan"))); assert(db:exec(one(old, STATEMENT, "plan_run")))
  for _, column in ipairs { "data_split.folds", "data_split.fold_set", "data_split.group_rule",
    "dataset.content", "evaluation.calibration", "evaluation.passes", "evaluation.image_s" } do
    assert(db:exec(("ALTER TABLE %s DROP COLUMN %s"):format(column:match "^(.*)%.(.*)$")))
  end
  for _, view in ipairs(assert(old:query(VIEWS))) do assert(db:exec(view.sql)) end
  assert(db:exec "PRAGMA user_version = 4")
end

-- The options that version 4 did not have.
local ADDED = { "loss.class_weight", "loss.hardness", "sampler.level", "sampler.tilt" }

-- Rewrites the database into the form of version 4.
local function make_old(db)
  assert(db:exec "UPDATE metric SET name = 'loss_epsilon' WHERE name = 'loss_denoising'")
  for _, row in ipairs(configs(db)) do
    local options = core.json.decode(row.json)
    options.data.groups[1] = nil
    assert(db:exec "DELETE FROM config_param WHERE key = 'data.groups'")
    for old, new in pairs(renamed.options) do
      options = aniso.options.apply(options, { [old] = aniso.options.get(options, new) })
      aniso.options.set(options, new, "nil")
      assert(db:exec("UPDATE config_param SET key = ?2 || substr(key, length(?1) + 1) WHERE " .. AT, new,
        old))
    end
    for _, path in ipairs(ADDED) do
      aniso.options.set(options, path, "nil")
      assert(db:exec("DELETE FROM config_param WHERE " .. AT, path))
    end
    local json = core.json.encode(options)
    assert(db:exec("UPDATE config SET json = ?2, sha256 = ?3 WHERE config_id = ?1", row.config_id, json,
      core.sha256.text(json)))
  end
  restore_structure(db)
end

-- Restores the state of the run after its first epoch, as a kill would leave it.
local function rewind(db, folder, uid)
  local last = ("%s/runs/%s/last"):format(folder, uid)
  assert(os.rename(last .. ".previous.safetensors", last .. ".safetensors"))
  assert(db:exec("UPDATE run SET status = 'crashed', ended_at = NULL WHERE uid = ?1", uid))
end

local RESULTS = [[
  SELECT 'checkpoint' AS what, kind AS name, sha256 AS value FROM checkpoint
   UNION ALL SELECT 'curve', name || step, value FROM metric_value JOIN metric USING(metric_id)
   UNION ALL SELECT 'result', part || sampler || name, value FROM result JOIN evaluation USING(eval_id)
     JOIN metric USING(metric_id) ORDER BY 1, 2, 3]]

function Renamed.test_a_run_of_version_4_resumes_to_the_same_bits()
  local folder = fixture.folder()
  local path = folder .. "/runs.db"
  local whole, uid, hash
  do
    local db <close> = assert(store.open(path))
    uid = aniso.trainer.run(job(db)).uid
    whole, hash = assert(db:query(RESULTS)), one(db, "SELECT sha256 FROM config")
    rewind(db, folder, uid)
    make_old(db)
    lu.assertNotEquals(one(db, "SELECT sha256 FROM config"), hash)
  end
  local db <close> = assert(store.open(path))
  lu.assertEquals(one(db, "SELECT sha256 FROM config"), hash)
  aniso.trainer.resume(db, assert(db:find(uid)), nowhere)
  lu.assertEquals(one(db, "SELECT resumes FROM run"), 1)
  lu.assertEquals(assert(db:query(RESULTS)), whole)
end

return { Renamed = Renamed }
