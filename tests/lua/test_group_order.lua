-- The groups of a study are in the order of its recipe, whichever of its workers began first.
local lu = require "luaunit"
local group_rows = require "aniso.show.group_rows"
local groups_of = require "aniso.store.groups"
local fixture = dofile "tests/lua/store_fixture.lua"

local Order = {}
local db

function Order:setUp() db = fixture.new() end

function Order:tearDown() db:close() end

local function record(...)
  local runs = {}
  for i, label in ipairs { ... } do runs[i] = fixture.record(db, label, 0, fixture.every(7)) end
  return runs
end

-- "b2" is variant b, whose levels are searched.
local function plan(...)
  local jobs = {}
  for i, text in ipairs { ... } do
    local label, round = text:match "^(%a)(%d?)$"
    jobs[i] = { label = label, seed = 0, config = { train = { lr = i } }, round = tonumber(round) }
  end
  assert(db:set_plan("s", jobs))
end

local function labels()
  local out = {}
  for i, group in ipairs(groups_of.of_study(db, "s")) do out[i] = group.label end
  return table.concat(out, " ")
end

function Order.test_the_order_is_that_of_the_recipe()
  record("c", "b", "a")
  lu.assertEquals(labels(), "c b a")
  plan("a", "b", "c")
  lu.assertEquals(labels(), "a b c")
end

function Order.test_searched_variants_are_last()
  record("c", "b", "a")
  plan("a", "b2", "c")
  lu.assertEquals(labels(), "a c b")
end

function Order.test_what_a_plan_lacks_stays_in_its_place()
  record("c", "b", "a")
  plan("a", "c")
  lu.assertEquals(labels(), "a b c")
  plan "c"
  lu.assertEquals(labels(), "c b a")
end

function Order.test_the_baseline_is_the_first_of_the_recipe()
  record("b", "a")
  plan("a", "b")
  lu.assertEquals(groups_of.baseline(db, groups_of.of_study(db, "s")).label, "a")
end

function Order.test_so_is_the_table_that_ends_a_command()
  local runs = record("b", "a")
  plan("a", "b")
  local _, rows = group_rows.finished(db, runs)
  lu.assertEquals({ rows[1][1], rows[2][1] }, { "a", "b" })
end

return { Order = Order }
