-- What a command reads of a database depends on what it shows, not on how many runs there are: counted in
-- rows that its queries return.
local lu = require "luaunit"
local store = require "aniso.prompt.explore.database"
local fixture = dofile "tests/lua/store_fixture.lua"
local description, evaluation = fixture.description, fixture.evaluation

-- Of ten images of one class, of which the first `correct` are called it, and four of another.
local function predictions(correct)
  local out = { true_idx = {}, pred_idx = {} }
  for i = 1, 14 do
    out.true_idx[i] = i <= 10 and 0 or 1
    out.pred_idx[i] = i <= correct and 0 or i == 11 and 0 or 1
  end
  return out
end

-- A database of `studies` studies of four runs each.
local function filled(studies)
  local db, path = fixture.new()
  for i = 1, studies do
    for seed = 0, 3 do
      local run = db:start_run(description { study = "study " .. i, label = "lr " .. seed // 2, seed = seed,
        config = { train = { lr = i + seed // 2 } } })
      run:evaluation(evaluation({ { 6 + seed, 4 - seed }, { 1, 3 } }, { results = { nll = i + seed },
        predictions = predictions(6 + seed) }))
      run:finish()
    end
  end
  db:close()
  return path
end

-- Counts the rows that queries of a database return from now on.
local function counted(db)
  local core, count, counting = db.core, { rows = 0 }, {}
  for _, name in ipairs { "query", "columns" } do
    counting[name] = function(_, ...)
      local results = table.pack(core[name](core, ...))
      count.rows = count.rows + (results[1] and #results[1] or 0)
      return table.unpack(results, 1, results.n)
    end
  end
  db.core = setmetatable(counting, { __index = function(_, name)
    return function(_, ...) return core[name](core, ...) end
  end })
  return count
end

local paths

-- The rows that work(db) reads of a database of three studies and of one of twelve.
local function rows_read(work)
  local read = {}
  for i, path in ipairs(paths) do
    local db <close> = assert(store.open(path, { readonly = true }))
    local count = counted(db)
    collectgarbage "stop" -- predictions are kept until the collector runs
    work(db)
    collectgarbage "restart"
    read[i] = count.rows
  end
  return read
end

local Rows = {}

function Rows.setUp()
  paths = paths or { filled(3), filled(12) }
end

local function list(db, filters, options)
  local runs, catalog = assert(db:select(filters, options))
  catalog:read_metrics(runs)
  for _, run in ipairs(runs) do catalog:key("macro_f1"):get(run) end
  catalog:varying(runs)
  require("aniso.store.contents").short_ids(db, runs)
end

function Rows.test_the_newest_runs()
  local read = rows_read(function(db) list(db, {}, { limit = 2 }) end)
  lu.assertEquals(read[2], read[1])
end

-- A row per run for a filter, and one per run for each metric that is compared.
function Rows.test_filtered_runs()
  local read = rows_read(function(db) list(db, { "study=study 2" }, { limit = 2 }) end)
  lu.assertEquals(read[2] - read[1], 9 * 4)
  read = rows_read(function(db) list(db, { "study=study 2" }, { limit = 2, sort = "nll" }) end)
  lu.assertEquals(read[2] - read[1], 2 * 9 * 4)
end

function Rows.test_the_best_run()
  local read = rows_read(function(db)
    assert(db:find "@best")
    assert(db:find "@best:nll")
  end)
  lu.assertEquals(read[2], read[1])
end

-- Only their own runs, options and predictions.
function Rows.test_a_comparison_of_two_configurations()
  local read = rows_read(function(db) assert(db:compare { "study 2:lr 0", "study 2:lr 1" }) end)
  lu.assertEquals(read[2], read[1])
end

function Rows.test_the_groups_of_a_study()
  local read = rows_read(function(db)
    local catalog = require("aniso.store.keys").new(db)
    local runs = {}
    for i, group in ipairs(require("aniso.store.groups").of_study(db, "study 2")) do runs[i] = group.run end
    lu.assertEquals(catalog:varying(runs), { "train.lr" })
    lu.assertEquals(catalog:key("train.lr"):get(runs[1]), 2)
  end)
  lu.assertEquals(read[2], read[1])
end

function Rows.test_the_evaluations_of_a_study()
  local read = rows_read(function(db)
    local of = require "aniso.store.groups"
    lu.assertEquals(#of.of_evaluations(db, of.counted(db, "study 2")), 2)
  end)
  lu.assertEquals(read[2], read[1])
end

return { Rows = Rows }
