-- Tables of more classes than a person reads show a part and name the rest; programs receive all of it.
local lu = require "luaunit"
local many_classes = require "aniso.show.many_classes"
local notes = require "aniso.stats.comparison_notes"

local Many = {}

local function classes_of(K)
  local out = {}
  for k = 1, K do out[k] = { class = "c" .. k } end
  return out
end

-- Class k has 60 images, of which k are called k + 1, the last class's none.
local function cells_of(K)
  local out = {}
  for k = 1, K do
    local wrong = k < K and k or 0
    out[#out + 1] = { true_idx = k - 1, pred_idx = k - 1, n = 60 - wrong }
    if wrong > 0 then out[#out + 1] = { true_idx = k - 1, pred_idx = k, n = wrong } end
  end
  return out
end

function Many.test_a_matrix_of_few_classes_is_a_matrix()
  local columns, rows, note = many_classes.matrix(cells_of(24), classes_of(24), false)
  lu.assertEquals({ #columns, #rows, note }, { 25, 24 })
  lu.assertEquals({ rows[1][2].value, rows[1][3].value, rows[1][4] }, { 59, 1, 0 })
  lu.assertEquals({ rows[1][2].bold, rows[1][3].bold }, { true, false })
end

function Many.test_a_matrix_of_many_classes_lists_the_most_frequent_confusions()
  local _, rows, note = many_classes.matrix(cells_of(50), classes_of(50), false)
  lu.assertEquals(#rows, 20)
  lu.assertEquals(rows[1], { "c49", "c50", 49, 49 / 60 })
  lu.assertEquals(rows[20], { "c30", "c31", 30, 30 / 60 })
  lu.assertStrContains(note, "the 20 most frequent of 49 confusions of 50 classes")
end

function Many.test_programs_receive_all_cells()
  local _, rows, note = many_classes.matrix(cells_of(50), classes_of(50), true)
  local sum = 0
  for _, row in ipairs(rows) do sum = sum + row[3] end
  lu.assertEquals({ #rows, sum, note }, { 99, 50 * 60 })
  lu.assertEquals({ rows[50][1], rows[50][2] }, { "c50", "c50" }) -- the right ones follow
end

function Many.test_the_worst_of_many_classes()
  local rows = {}
  for k = 1, 41 do rows[k] = { class = "c" .. k, f1 = (k * 7 % 41) / 41 } end
  rows[1].f1 = nil -- a class without test images is not the worst
  local worst, note = many_classes.worst(rows, "f1", false)
  lu.assertEquals({ #worst, worst[1].class, worst[2].class }, { 20, "c41", "c6" })
  lu.assertStrContains(note, "the 20 classes with the lowest f1, of 41; ")
  lu.assertIs(many_classes.worst(rows, "f1", true), rows)
  rows[41] = nil
  lu.assertIs(many_classes.worst(rows, "f1", false), rows)
end

function Many.test_the_classes_that_changed_most()
  local classes = {}
  for k = 1, 41 do
    classes[k] = { name = "c" .. k, recall = { delta = { [2] = { mean = k == 9 and -0.5 or k / 100 },
      [3] = { mean = k == 3 and 0.9 or nil } } } }
  end
  local changed, note = many_classes.changed { classes = classes }
  lu.assertEquals({ #changed, changed[1].name, changed[2].name, changed[3].name }, { 20, "c3", "c9", "c41" })
  lu.assertStrContains(note, "the 20 whose recall changed most, of 41; ")
  classes[41] = nil
  lu.assertIs(many_classes.changed { classes = classes }, classes)
end

function Many.test_a_note_names_the_rarest_classes_and_counts_the_rest()
  local classes = {}
  for k = 1, 1000 do classes[k] = { name = "c" .. k, support = k == 700 and 1 or 2 } end
  local noted = notes.of { groups = { { members = {}, runs = {} } }, pairs = {}, classes = classes }
  lu.assertEquals(noted, { "few test images (c700 1, c1 2, c2 2, c3 2, c4 2, c5 2, c6 2, c7 2, c8 2, c9 2, "
    .. "c10 2, c11 2, and 988 more classes; fewer than 20): one image is up to 1.00 of a recall" })
end

return { Many = Many }
