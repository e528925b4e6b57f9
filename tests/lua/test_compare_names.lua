-- How `aniso compare` resolves a name: runs, configurations over their seeds, studies; and the errors for
-- ambiguous and unknown names.
local lu = require "luaunit"
local fixture = dofile "tests/lua/store_fixture.lua"
local description, record, every = fixture.description, fixture.record, fixture.every

local Names = {}

function Names.test_a_study_against_its_baseline()
  local db <close> = fixture.new()
  for seed = 0, 2 do
    for i, label in ipairs { "one", "two", "three" } do record(db, label, seed, every(3 + i + seed)) end
  end
  local function labels(r)
    local out = {}
    for k, group in ipairs(r.groups) do out[k] = group.label end
    return table.concat(out, " ")
  end
  local r = assert(db:compare("s", { draws = 20 }))
  lu.assertEquals(labels(r), "one two three")
  lu.assertStrContains(table.concat(r.notes), "2 comparisons with one baseline")
  lu.assertEquals(labels(db:compare("s", { baseline = "three", draws = 20 })), "three one two")
  local text = tostring(r)
  for _, group in ipairs { "two", "three" } do
    lu.assertStrContains(text, ("%s against one:"):format(group))
  end
end

function Names.test_configurations_with_one_label_are_distinguished_by_options()
  local db <close> = fixture.new()
  record(db, "a", 0, every(4), { config = { x = 1 } })
  record(db, "a", 0, every(5), { config = { x = 2 } })
  local r = assert(db:compare("s", { draws = 10 }))
  lu.assertEquals({ r.groups[1].label, r.groups[2].label }, { "a (x=1)", "a (x=2)" })
end

function Names.test_a_name_in_the_notes_of_markdown_is_no_markup()
  local db <close> = fixture.new()
  record(db, "<b>a|*b*", 0, every(4))
  record(db, "c", 0, every(5))
  local text = require("aniso.show.compare_text").text(assert(db:compare("s", { draws = 10 })), "md")
  lu.assertStrContains(text, "c against &lt;b>a\\|\\*b\\*: acc")
  lu.assertNil(text:find("<b>", 1, true))
end

function Names.test_names()
  local db <close> = fixture.new()
  record(db, "a", 0, every(4))
  record(db, "a", 1, every(5))
  record(db, "b", 0, every(6), { study = "t" })
  record(db, "a", 0, every(7), { study = "t", config = { x = 1 } })
  record(db, "c", 0, every(8))
  record(db, "c", 0, every(9), { config = { x = 2 } })
  record(db, "late", 0, every(9), { config = { x = 3 } })
  db:start_run(description { label = "broken", name = "broken", study = "s" }):fail "no"
  db:remove { db:find "late" }
  local function labels(...)
    local r, message = db:compare({ ... }, { draws = 10 })
    if not r then return message end
    return r.groups[1].label .. " / " .. r.groups[2].label
  end
  lu.assertEquals(labels("s:a", "t:a"), "s:a / t:a")
  lu.assertEquals(labels("1", "4"), "s:a seed 0 / t:a seed 0")
  lu.assertEquals(labels("1,2", "b"), "1,2 / b")
  lu.assertEquals(labels("study=s label=a", "@best:acc"), "study=s label=a / c seed 0")
  lu.assertEquals(labels(db:find("1").uid, "@best:acc"), "a seed 0 / c seed 0")
  lu.assertStrContains(labels("a", "b"), "several studies: write s:a or t:a")
  lu.assertStrContains(labels("s", "b"), "alone it compares its configurations")
  lu.assertStrContains(labels("c", "b"), "s:c is 2 configurations, which differ in method, train.lr, x")
  lu.assertStrContains(labels("5,6", "b"), "two runs of seed 0")
  lu.assertStrContains(labels("s:d", "b"), "study s has no finished configuration d (it has: a, c")
  lu.assertStrContains(labels("late", "b"), "aniso restore late")
  lu.assertStrContains(labels("broken", "b"), "has no test evaluation (it is failed)")
  lu.assertStrContains(labels("absent", "b"), "no run absent")
  lu.assertStrContains(labels("seed=9", "b"), "no finished run fits seed=9")
  lu.assertStrContains(labels "b", "two things or the name of a study")
  lu.assertStrContains(labels("x=9", "b"), "no finished run")
  lu.assertEquals(select(3, db:compare { "absent", "b" }), "ENOTFOUND")
  lu.assertEquals(select(3, db:compare { "a", "b" }), "EINVAL")
end

function Names.test_runs_with_other_classes_are_rejected()
  local db <close> = fixture.new()
  record(db, "a", 0, every(4))
  local dataset, split = description().dataset, description().split
  dataset.sha256, dataset.classes, split.sha256 = "d2", { "a", "z" }, "s2"
  record(db, "b", 0, every(4), { dataset = dataset, split = split })
  local r, message = db:compare { "a", "b" }
  lu.assertNil(r)
  lu.assertStrContains(message, "have different classes")
end

return { Names = Names }
