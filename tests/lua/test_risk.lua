-- Risk-coverage curves: values computed by hand, ties, and the metrics that are made of them.
local lu = require "luaunit"
local core = require "aniso.core"
local derived = require "aniso.stats.derived"
local risk = require "aniso.stats.risk"

local T = {}

-- Confidences fall; the second and the fourth image are wrong.
local FIVE = { true_idx = { 0, 1, 1, 0, 2 }, pred_idx = { 0, 0, 1, 1, 2 },
  conf = { 0.9, 0.8, 0.7, 0.6, 0.5 } }

function T:test_risk_at_each_coverage()
  local curve = risk.curve(FIVE)
  for k, e in ipairs { 0, 1, 1, 2, 2 } do lu.assertAlmostEquals(risk.at(curve, k / 5), e / k, 1e-12) end
  lu.assertAlmostEquals(risk.at(curve, 0.3), 0.5 / 1.5, 1e-12) -- between one image and two
  lu.assertAlmostEquals(risk.at(curve, 0.01), 0, 1e-12)
  lu.assertAlmostEquals(risk.area(curve), (0 + 1 / 2 + 1 / 3 + 2 / 4 + 2 / 5) / 5, 1e-12)
end

function T:test_the_order_of_the_images_does_not_matter()
  local turned = { true_idx = {}, pred_idx = {}, conf = {} }
  for i = 5, 1, -1 do
    for name, list in pairs(turned) do list[#list + 1] = FIVE[name][i] end
  end
  lu.assertEquals(risk.curve(turned), risk.curve(FIVE))
end

-- Two of four images of equal confidence are wrong: each counts half, whichever comes first.
function T:test_errors_of_equal_confidence_are_spread_evenly()
  for _, pred in ipairs { { 0, 0, 1, 1 }, { 1, 1, 0, 0 }, { 0, 1, 0, 1 } } do
    local curve = risk.curve { true_idx = { 0, 0, 0, 0 }, pred_idx = pred, conf = { 0.5, 0.5, 0.5, 0.5 } }
    lu.assertEquals(curve.errors, { 0.5, 1, 1.5, 2 })
    lu.assertAlmostEquals(risk.area(curve), 0.5, 1e-12)
  end
end

-- The definition, image by image, with many ties.
function T:test_errors_are_those_of_the_definition()
  local all = { true_idx = {}, pred_idx = {}, conf = {} }
  for i, u in ipairs(core.rng.below(1, "risk", 0, 300, 40)) do
    all.true_idx[i], all.pred_idx[i], all.conf[i] = i % 3, u % 3, u / 40
  end
  local curve, expected, before = risk.curve(all), {}, 0
  for level = 40, 0, -1 do
    local images, wrong = 0, 0
    for i, conf in ipairs(all.conf) do
      if conf == level / 40 then
        images, wrong = images + 1, wrong + (all.true_idx[i] ~= all.pred_idx[i] and 1 or 0)
      end
    end
    for k = 1, images do expected[#expected + 1] = before + wrong * k / images end
    before = before + wrong
  end
  lu.assertEquals(curve.errors, expected)
end

function T:test_lists_that_do_not_fit_are_refused()
  for message, lists in pairs { ["element 2: an integer from 0"] = { { 0, 1 }, { 0 }, { 0.5, 0.5 } },
    ["a confidence per image"] = { { 0 }, { 0 }, { 0 / 0 } }, ["table expected"] = { { 0 }, 0, { 0.5 } } } do
    lu.assertErrorMsgContains(message, core.risk.errors, table.unpack(lists))
  end
end

function T:test_without_images_there_is_none()
  lu.assertNil(risk.curve { true_idx = {}, pred_idx = {}, conf = {} })
end

-- Two folds are one list of images.
function T:test_metrics_of_pooled_folds()
  local function part(first, last)
    return { test = function()
      local out = {}
      for name, list in pairs(FIVE) do out[name] = table.move(list, first, last, 1, {}) end
      return out
    end }
  end
  local source = { parts = function() return { part(1, 2), part(3, 5) } end }
  lu.assertAlmostEquals(derived.value(derived.parse "aurc", source), risk.area(risk.curve(FIVE)), 1e-12)
  lu.assertAlmostEquals(derived.value(derived.parse "acc@coverage=0.6", source), 2 / 3, 1e-12)
  lu.assertEquals(derived.parse("all@coverage=0.60").name, "acc@coverage=0.6")
  lu.assertFalse(derived.parse("aurc").higher)
  lu.assertErrorMsgContains("above 0 and at most 1", derived.parse, "acc@coverage=1.5")
  local without = { true_idx = { 1 }, pred_idx = { 1 }, conf = {} }
  source.parts = function() return { { test = function() return without end } } end
  lu.assertNil(derived.value(derived.parse "aurc", source))
end

return { Risk = T }
