-- Figures of many classes: blocks of classes of similar size in the place of single ones.
local lu = require "luaunit"
local blocks = require "aniso.show.report.blocks"

local Blocks = {}

-- Seven classes, the first the largest; class j has recalls j / 10 and j / 20 at seeds 4 and 5, class 7 none.
local function facts_of()
  local classes, recalls, order = {}, {}, {}
  for j = 1, 7 do
    local shot = j <= 3 and "many" or j <= 6 and "medium" or "few"
    classes[j], order[j] = { name = "c" .. j, n_train = 100 - 10 * j, shot = shot }, j
    recalls[j] = { recall = { values = { j / 10, j / 20 }, seeds = { 4, 5 } } }
  end
  recalls[7].recall = { values = {}, seeds = {} }
  local facts = { split = { classes = classes, dataset = "d" }, groups = {} }
  function facts:order() return self == facts and order or {} end
  function facts.classes() return recalls end
  function facts.confusion()
    local matrix = {}
    for i = 1, 7 do
      matrix[i] = {}
      for j = 1, 7 do matrix[i][j] = 10 * i + j end
    end
    return matrix
  end
  return facts
end

function Blocks.test_few_classes_are_shown_as_they_are()
  local facts = facts_of()
  lu.assertEquals({ blocks.view(facts, 7, 2) }, { facts })
end

function Blocks.test_a_block_is_within_head_medium_or_tail()
  local view, size = blocks.view(facts_of(), 6, 4)
  lu.assertEquals(size, 2)
  local names = {}
  for b, class in ipairs(view.split.classes) do
    names[b] = ("%s %s %d"):format(class.name, class.shot, class.n_train)
  end
  lu.assertEquals(names, { "classes 1–2 many 85", "class 3 many 70", "classes 4–5 medium 55",
    "class 6 medium 40", "class 7 few 30" })
  lu.assertEquals(view:order(), { 1, 2, 3, 4, 5 })
  lu.assertEquals(view.split.dataset, "d")
end

function Blocks.test_recalls_are_means_for_each_seed()
  local group = {}
  local view = blocks.view(facts_of(), 6, 4)
  local of = view:classes(group)
  lu.assertAlmostEquals(of[1].recall.mean, (0.15 + 0.075) / 2, 1e-12)
  lu.assertEquals(of[1].recall.seeds, { 4, 5 })
  lu.assertAlmostEquals(of[1].recall.values[2], 0.075, 1e-12)
  lu.assertNil(of[5].recall.mean)
  lu.assertIs(view:classes(group), of)
end

function Blocks.test_confusions_are_sums()
  local sums = blocks.view(facts_of(), 6, 4):confusion {}
  lu.assertEquals({ #sums, #sums[1] }, { 5, 5 })
  lu.assertEquals({ sums[1][1], sums[1][2] }, { 11 + 12 + 21 + 22, 13 + 23 })
  lu.assertEquals({ sums[2][1], sums[5][3] }, { 31 + 32, 74 + 75 })
end

return { blocks = Blocks }
