-- Parts of the report: the warnings and their conditions, and the example images.
local lu = require "luaunit"
local bitmap = require "aniso.show.report.bitmap"
local chart = require "aniso.show.report.chart"
local escape = require "aniso.show.escape"
local examples = require "aniso.show.report.examples"
local scale = require "aniso.show.report.scale"
local study = require "aniso.show.report.study"
local fixture = dofile "tests/lua/report_fixture.lua"
local markup = dofile "tests/lua/markup.lua"

local Drawing = {}

-- To a tenth of a pixel; what has no position is drawn as it is called, and ends no report.
function Drawing.test_positions_are_written_to_a_tenth()
  for value, text in pairs { [12] = "12", [12.34] = "12.3", [12.96] = "13", [-0.04] = "0", [-3.26] = "-3.3",
    [1 / 0] = "inf" } do
    lu.assertEquals(chart.pixel(value), text)
    lu.assertEquals(chart.pixel(value), text) -- as it is remembered
  end
  lu.assertStrContains(chart.pixel(0 / 0), "nan")
end

function Drawing.test_text_from_outside_is_escaped()
  lu.assertEquals(escape "class 1, 0.5: a-b", "class 1, 0.5: a-b")
  lu.assertEquals(escape "a<b", "a&lt;b")
  lu.assertEquals(escape "\27[2J", "\\x1B[2J")
  lu.assertEquals(escape "caf\xE9", "caf\\xE9")
  lu.assertEquals(escape "Größe", "Größe")
  lu.assertEquals(escape(0.5), "0.5")
end

-- Names that have no room side by side are slanted, and the figure leaves them the height that they need.
function Drawing.test_slanted_names()
  local function drawn(names, slanted)
    local x = scale.names(names)
    x.slanted = slanted
    local c = chart.new { id = "c", title = "t", desc = "d", height = 400, x = x, y = scale.linear(0, 1, 5) }
    c:axes()
    return c
  end
  local level, short = drawn { "a", "b" }, drawn({ "a", "b" }, true)
  local long = drawn({ "square-root sampling", "b" }, true)
  lu.assertNotStrContains(level:text_of(), "rotate")
  local _, turned = long:text_of():gsub('rotate%(%-45 [%d.]+ [%d.]+%)">[^<]+</text>', "")
  lu.assertEquals(turned, 2)
  lu.assertTrue(long.bottom > short.bottom + 80)
  lu.assertEquals(level.bottom, 46)
end

local Warnings = {}

function Warnings.test_each_appears_exactly_under_its_condition()
  local clean = fixture.page_of().seen
  local cases = {
    { "Validation is the test set", { test_is_val = true } },
    { "and the epoch was chosen on the very images", { test_is_val = true } },
    { "Selected on the test set", { selected_by = "test macro_f1 of chain" } },
    { "Fewer than 3 seeds", { seeds = 2 } },
    { "γ=0 has 1 seed,", { seeds = 1 } },
    { "Uncommitted changes", { dirty = true } },
  }
  for _, case in ipairs(cases) do
    lu.assertNotStrContains(clean, case[1])
    lu.assertStrContains(fixture.page_of(case[2]).seen, case[1])
  end
  lu.assertStrContains(clean, "None.")
end

function Warnings.test_runs_that_do_not_count_are_named()
  local db <close> = fixture.filled()
  fixture.add_run(db, "lost", 3, 7, fixture.COUNTS[1][3], { unfinished = true })
  fixture.add_run(db, "late", 3, 8, fixture.COUNTS[1][3], { commit = "def" })
  local seen = markup.text(markup.read(study(fixture.facts_of(db))))
  lu.assertStrContains(seen, "Runs that are not counted. 1 ")
  lu.assertStrContains(seen, "(lost seed 7)")
  lu.assertStrContains(seen, "Several versions. The runs were made from 2 commits.")
end

function Warnings.test_several_splits_are_reported_and_not_compared()
  local db <close> = fixture.filled { groups = 1 }
  for seed = 0, 2 do
    fixture.add_run(db, "γ=0.5", 0.5, seed, fixture.COUNTS[2][3], { test_is_val = true })
  end
  local seen = markup.text(markup.read(study(fixture.facts_of(db))))
  lu.assertStrContains(seen, "Several splits. The configurations were not all tested on the same images.")
  lu.assertStrContains(seen, "γ=0.5 has the highest macro F1; it shares no seed on the same split with")
end

function Warnings.test_equal_labels_are_distinguished()
  local db <close> = fixture.filled { groups = 1, seeds = 1 }
  fixture.add_run(db, "γ=0", 0.5, 0, fixture.COUNTS[2][3], {})
  local seen = markup.text(markup.read(study(fixture.facts_of(db))))
  lu.assertStrContains(seen, "against the baseline γ=0 (schedule.lambda.gamma=0).")
  lu.assertStrContains(seen, "γ=0 (schedule.lambda.gamma=0.5) has the highest macro F1")
end

-- How often the page of a study compares the options of all its runs.
local function comparisons(groups)
  local db <close> = fixture.filled { groups = groups, seeds = 1 }
  local facts, n = fixture.facts_of(db), 0
  local varying = facts.catalog.varying
  facts.catalog.varying = function(...)
    n = n + 1
    return varying(...)
  end
  study(facts)
  return n
end

function Warnings.test_the_options_of_many_configurations_are_compared_once()
  lu.assertTrue(comparisons(2) > 0)
  lu.assertEquals(comparisons(3), comparisons(2))
end

local Pictures = {}

function Pictures.test_base64_is_that_of_rfc_4648()
  for text, code in pairs { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==",
    fooba = "Zm9vYmE=", foobar = "Zm9vYmFy", ["\0\255\254"] = "AP/+" } do
    lu.assertEquals(bitmap.base64(text), code)
  end
end

function Pictures.test_a_bmp_has_its_pixels_from_the_top_and_full_rows()
  local bytes = bitmap.bmp { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 2 } },
    { { -1, 0.5, 1 }, { 0, 0, 0 }, { 1, 1, 1 } } }
  local size, offset, width, height, depth = ("<xxI4xxxxI4xxxxi4i4xxI2"):unpack(bytes)
  lu.assertEquals({ size, offset, width, height, depth }, { #bytes, 54, 3, -2, 24 })
  lu.assertEquals(bytes:sub(55, 66), "\0\0\255\0\255\0\255\0\0\0\0\0")
  lu.assertEquals(bytes:sub(67, 69), "\255\128\0")
  lu.assertEquals(#bytes, 54 + 2 * 12)
end

function Pictures.test_the_most_confident_right_and_wrong_of_each_band_are_chosen()
  local classes = { { shot = "many" }, { shot = "many" }, { shot = "few" } }
  local predictions = { true_idx = { 0, 0, 0, 1, 2, 2, 0 }, pred_idx = { 0, 0, 1, 1, 2, 0, 2 },
    conf = { 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.7 } }
  local function chosen(count)
    local out = {}
    for i, one in ipairs(examples.choose(predictions, classes, count)) do out[i] = one.position end
    return out
  end
  lu.assertEquals(chosen(4), { 0, 2, 4, 5 })
  lu.assertEquals(chosen(8), { 0, 3, 2, 6, 4, 5 }) -- of another class before the second of one
end

return { Drawing = Drawing, Warnings = Warnings, Pictures = Pictures }
