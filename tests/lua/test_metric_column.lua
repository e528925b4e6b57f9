-- A metric of all runs at once is the one that the view v_eval, or stored predictions, give for each run.
local lu = require "luaunit"
local metric_column = require "aniso.store.metric_column"
local store = require "aniso.store"
local fixture = dofile "tests/lua/store_fixture.lua"
local numbers = dofile "tests/lua/numbers_fixture.lua"

local RATES = { "acc", "bacc", "macro_f1", "worst_class", "many", "medium", "few", "kappa" }

local Column = {}

function Column:setUp()
  Column.path = Column.path or numbers.make()
  self.db = assert(store.open(Column.path, { readonly = true }))
end

function Column:tearDown()
  self.db:close()
end

-- Bits, since @best breaks ties by the run's number.
function Column:test_rates_are_those_of_the_view_to_the_last_bit()
  local n, rows = 0, assert(self.db:query "SELECT * FROM v_eval WHERE is_primary = 1 AND part = 'test'")
  for _, name in ipairs(RATES) do
    lu.assertTrue(metric_column.is_rate(name))
    local value = metric_column.read(self.db, name)
    for _, row in ipairs(rows) do
      lu.assertEquals(value(row.run_id), row[name], name)
      n = n + (row[name] and 1 or 0)
    end
  end
  lu.assertTrue(n > 200)
end

function Column:test_what_is_stored_or_computed_is_that_of_the_scores()
  for _, name in ipairs { "nll", "auc", "tail@head=0.9", "aurc", "kappa@uniform", "no_such_metric" } do
    local value = metric_column.read(self.db, name)
    for _, one in ipairs(self.db:scores()) do
      lu.assertEquals(value(one.run_id), one.metrics[name], name)
    end
  end
  lu.assertFalse(metric_column.is_rate "nll")
end

-- The best by the view, the oldest among equals; removed and failed runs are left out.
function Column:test_the_best_run_is_that_of_the_view()
  for _, name in ipairs(RATES) do
    local best = fixture.one(self.db, ([[
      SELECT v.run_id FROM v_eval v JOIN run r USING(run_id)
       WHERE v.is_primary = 1 AND v.part = 'test' AND r.status = 'finished' AND v.%s IS NOT NULL
       ORDER BY v.%s DESC, v.run_id LIMIT 1]]):format(name, name))
    lu.assertEquals(self.db:find("@best:" .. name).run_id, best, name)
  end
end

return { Column = Column }
