-- The order of classes: numbers by value, texts with numbers in them likewise; the old order of stored runs.
local lu = require "luaunit"
local aniso = require "aniso"
local core = require "aniso.core"
local class_order = require "aniso.method.data.class_order"
local data = require "aniso.method.data"
local provenance = require "aniso.train.provenance"
local warnings = require "aniso.method.data.warnings"
local fixture = dofile "tests/lua/data_fixture.lua"
local lock_step = dofile "tests/lua/lockstep_fixture.lua"
local plain = dofile "tests/lua/plain_fixture.lua"

local T = {}
local layout

function T:setUp() layout = fixture.new() end

function T:tearDown() layout:remove() end

function T.test_numbers_by_value()
  for text, value in pairs { ["0"] = 0, ["01"] = 1, ["1.0"] = 1, ["-3"] = -3, ["+2"] = 2, [".5"] = 0.5,
    [" 7 "] = 7,
    ["1e3"] = 1000, ["2."] = 2 } do
    lu.assertEquals(class_order.number(text), value)
  end
  for _, text in ipairs { "", "nan", "inf", "0x10", "1,5", "1 2", "-", "1e", "e3", "12a" } do
    lu.assertNil(class_order.number(text))
  end
end

function T.test_the_order_of_texts()
  local function sorts(...)
    local names = { ... }
    local shuffled = {}
    for i, name in ipairs(names) do shuffled[(i * 7) % #names + 1] = name end
    lu.assertEquals(#shuffled, #names)
    lu.assertEquals(class_order.sorted(shuffled), names)
  end
  sorts("0", "1", "2", "9", "10", "11")
  sorts("-10", "-2", "-1.5", "0", "0.5", "1e1")
  sorts("0", "3", "20", "nan", "severe") -- numbers before texts
  sorts("grade 1", "grade 2", "grade 10", "grade 10b")
  sorts("0-mild", "2-severe", "10-other")
  sorts("01", "1", "1.0", "2") -- equal values bytewise
  sorts("B", "a", "a1", "b") -- texts bytewise
  sorts("x" .. ("9"):rep(40), "x1" .. ("0"):rep(40))
end

-- Over all pairs and triples of texts the order is strict and transitive.
function T.test_the_order_is_total()
  local texts = { "", "0", "00", "1", "01", "1.0", "a", "a1", "a01", "a10", "a2b", "a2", "1a", "01a", "-1",
    "-", "é",
    "a ", " a", "1 ", "a!", "a1!", "A", "1e1", "10" }
  local before = class_order.before
  for _, a in ipairs(texts) do
    for _, b in ipairs(texts) do
      lu.assertEquals((before(a, b) and 1 or 0) + (before(b, a) and 1 or 0), a == b and 0 or 1)
      for _, c in ipairs(texts) do
        if before(a, b) and before(b, c) then lu.assertTrue(before(a, c)) end
      end
    end
  end
end

local function open(more, stored)
  local given = { "csv", root = layout.root, table = "t.csv", size = 4, cache = false }
  for key, value in pairs(more or {}) do given[key] = value end
  return assert(data.open(given, nil, stored))
end

local function identity(ds)
  return provenance.identity { dataset = ds, config = { data = { aspect = "stretch" } } }
end

function T:test_classes_of_a_table_that_are_numbers()
  layout:table("label", 48, function(i) return tostring(i % 12) end)
  local ds = open()
  lu.assertEquals(ds.classes, { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11" })
  local numbers = ds:labels("train"):list()
  for position, key in ipairs(ds:keys "train") do
    lu.assertEquals(numbers[position], tonumber(key:match "%d+") % 12)
  end
  lu.assertEquals(open({ classes = { "11", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
    "10" } }).classes[1],
    "11")
end

function T:test_a_stored_run_keeps_its_order()
  layout:table("label", 48, function(i) return tostring(i % 12) end)
  local old = { "0", "1", "10", "11", "2", "3", "4", "5", "6", "7", "8", "9" }
  local now, stored = open(), open(nil, old)
  lu.assertEquals(stored.classes, old)
  lu.assertEquals(open({ classes = old }).classes, old)
  -- the identity of the old order is the one without an order, the new one has its own
  lu.assertEquals(identity(stored), identity(open { classes = old }))
  lu.assertNotEquals(identity(stored), identity(now))
  lu.assertEquals(identity(open(nil, now.classes)), identity(now))
  -- the order of other classes is no guide
  lu.assertEquals(open(nil, { "a", "b" }).classes, now.classes)
end

-- ── in a database ───────────────────────────────────────────────────────────────────────
local function run(db, more)
  local of = { "csv", root = layout.root, table = "t.csv", size = 8, cache = false }
  for key, value in pairs(more or {}) do of[key] = value end
  return plain.run(db, { data = of })
end

local function classes_of(db, uid)
  local out = {}
  for i, class in ipairs(assert(db:split_of(assert(db:find(uid)))).classes) do out[i] = class.name end
  return out
end

local function warned(f)
  local text = {}
  warnings.forget()
  warnings.stream = { write = function(_, ...) text[#text + 1] = table.concat { ... } end }
  local ok, message = pcall(f)
  warnings.stream = nil
  if not ok then error(message, 0) end
  return table.concat(text)
end

-- What an earlier version stored: the same run with the classes in bytewise order.
local function run_of_earlier_version(db)
  local of_rows, uid = class_order.of_rows, nil
  class_order.of_rows = function() return nil, false end
  warned(function() uid = run(db).uid end)
  class_order.of_rows = of_rows
  aniso.trainer.release_data()
  return uid
end

function T:test_runs_of_both_orders_in_a_database()
  layout:table("label", 66, function(i) return tostring(i % 11) end)
  local db <close> = plain.new_db(layout.root, "a")
  local bytewise = { "0", "1", "10", "2", "3", "4", "5", "6", "7", "8", "9" }
  local old = run_of_earlier_version(db)
  lu.assertEquals(classes_of(db, old), bytewise)
  local metrics = lock_step.stored(db, old)
  plain.rewind(db, old, true)
  warned(function() aniso.trainer.resume(db, assert(db:find(old))) end)
  lu.assertEquals(lock_step.stored(db, old), metrics)
  local new
  lu.assertStrContains(warned(function() new = run(db, { seed = 1 }).uid end),
    "earlier runs in this database have the "
    .. "classes in another order (0, 1, 10, 2, 3, 4, …; now 0, 1, 2, 3, 4, 5, …): they keep it, and are "
    .. "not compared")
  lu.assertEquals(classes_of(db, new), { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10" })
  lu.assertEquals(classes_of(db, old), bytewise)
  -- the names of one order would be stored for the numbers of the other
  lu.assertErrorMsgContains("this database has runs of these images with the classes in another order",
    warned,
    function() run(db, { classes = { "10", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9" } }) end)
end

function T:test_an_order_that_did_not_change_keeps_its_identity()
  layout:table("label", 20, fixture.label)
  local ds = open()
  lu.assertEquals(ds.classes, { "even", "odd" })
  lu.assertEquals(identity(ds), core.sha256.text(core.json.encode { content = ds.sha256, aspect = "stretch",
    shape = { 4, 4, 3 } }))
end

function T:test_folders_with_numbers()
  for _, name in ipairs { "1", "2", "10", "stage 2", "stage 10" } do
    for i = 1, 4 do layout:image(("set/%s/%d.bmp"):format(name, i)) end
  end
  local ds = fixture.open_quietly { "folder", root = layout:path "set" }
  lu.assertEquals(ds.classes, { "1", "2", "10", "stage 2", "stage 10" })
end

return { ClassOrder = T }
