-- The metrics in Lua equal those that the database's views compute from stored counts, n/a included.

local lu = require "luaunit"
local metric = require "aniso.stats.metric"
local store = require "aniso.store"
local sys = require("aniso.core").sys

local SHOT = { "many", "medium", "few", "few" }

local function description()
  return { name = "views", study = "views", config = {}, seed = 0, lambda = { 1, 1, 1, 1 },
    dataset = { name = "four", sha256 = "d", classes = { "a", "b", "c", "d" }, height = 8,
      width = 8, channels = 3 },
    split = { name = "s", seed = 0, sha256 = "s", n_train = { 500, 50, 9, 8 },
      n_val = { 1, 1, 1, 1 }, n_test = { 1, 1, 1, 1 }, shot = SHOT } }
end

-- The metrics that the views compute for one evaluation of these predictions.
local function stored(m)
  local folder = assert(sys.mkdtemp())
  local db = assert(store.open(folder .. "/runs.db"))
  local run = db:start_run(description())
  run:evaluation { part = "test", weights = "best", step = 1, primary = true, n = m.n,
    confusion = m.confusion, bins = m.bins }
  run:finish()
  local row = assert(db:query "SELECT * FROM v_eval")[1]
  local classes = assert(db:query "SELECT * FROM v_class ORDER BY class_idx")
  local ece = assert(db:query "SELECT ece FROM v_ece")[1].ece
  db:close()
  for _, name in ipairs(assert(sys.list(folder))) do sys.remove(folder .. "/" .. name) end
  sys.remove(folder)
  return row, classes, ece
end

-- n random images; `classes` lists the classes that occur, `called` those that are predicted.
local function compare(n, classes, called)
  local true_, probs = {}, {}
  for i = 1, n do
    true_[i] = classes[i * i % #classes + 1]
    probs[i] = { 0.1, 0.1, 0.1, 0.1 }
    local call = i % 3 == 0 and called[i % #called + 1] or true_[i]
    probs[i][call + 1] = 0.4 + i / n * 0.3
  end
  local m = metric.evaluate { ["true"] = true_, probs = probs, shot = SHOT }
  local row, per_class, ece = stored(m)
  lu.assertEquals(row.n, n)
  for _, name in ipairs { "acc", "bacc", "macro_f1", "worst_class", "many", "medium", "few", "kappa" } do
    if m[name] then
      lu.assertAlmostEquals(row[name], m[name], 1e-12, name)
    else
      lu.assertNil(row[name], name)
    end
  end
  for j, class in ipairs(m.class) do
    for _, name in ipairs { "support", "predicted", "tp", "recall", "precision", "f1" } do
      lu.assertEquals(per_class[j][name], class[name], ("%s of class %d"):format(name, j - 1))
    end
  end
  lu.assertAlmostEquals(ece, m.ece, 1e-12)
end

return {
  test_every_class_occurs = function() compare(97, { 0, 1, 2, 3, 0, 0, 1 }, { 0, 1, 2, 3 }) end,
  test_a_group_without_images = function() compare(60, { 0, 2, 3 }, { 0, 2 }) end,
  test_a_class_predicted_but_absent = function() compare(60, { 0, 2 }, { 0, 1 }) end,
  test_one_class_only = function() compare(5, { 1 }, { 1 }) end,
}
