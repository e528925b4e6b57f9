-- All evaluations of a study as groups over seeds and folds, with what they cost, as a table and as lines
-- of accuracy against cost; the statistics over primary evaluations do not change by further ones.
local lu = require "luaunit"
local cost_curve = require "aniso.show.cost_curve"
local evaluation_rows = require "aniso.show.evaluation_rows"
local group_rows = require "aniso.show.group_rows"
local groups_of = require "aniso.store.groups"
local stats = require "aniso.stats.groups"
local fixture = dofile "tests/lua/store_fixture.lua"
local description, evaluation = fixture.description, fixture.evaluation

local T = {}

local ACC = { { name = "acc", metric = "acc", higher = true } }
local PRIOR = { { 9, 1 }, { 2, 2 } }

local function add(run, confusion, changes)
  changes.primary = changes.primary or false
  run:evaluation(evaluation(confusion, changes))
end

-- Two configurations with two seeds, whose chains get the class right more often with more draws.
local function stored(further)
  local db = fixture.new()
  for i = 1, 2 do
    for seed = 1, 2 do
      local run = db:start_run(description { seed = seed, label = "v" .. i, config = { train = { lr = i } } })
      add(run, { { 8, 2 }, { 1, 3 } },
        { primary = true, steps = 5, draws = 4, passes = 20, image_s = 0.01 * seed })
      add(run, PRIOR, { sampler = "prior", steps = 0, draws = 1, passes = 0, image_s = 0.001 * i })
      for _, steps in ipairs(further and { 1, 2 } or {}) do
        add(run, { { 7 + seed, 3 - seed }, { 1, 3 } }, { steps = steps, draws = 1, passes = steps,
          image_s = 0.002 * steps })
      end
      run:finish()
    end
  end
  return db
end

local function names(groups)
  local out = {}
  for i, group in ipairs(groups) do
    out[i] = ("%s %s %d×%d %d"):format(group.label, group.sampler, group.steps, group.draws, #group.members)
  end
  return out
end

-- The prior alone and one chain a run are no samplers to compare.
function T.test_whether_runs_have_several_chains()
  for _, further in ipairs { false, true } do
    local db <close> = stored(further)
    lu.assertEquals(db:has_several_chains(db:runs {}), further)
    lu.assertFalse(db:has_several_chains {})
  end
end

function T.test_every_evaluation_has_a_group()
  local db <close> = stored(true)
  local groups = groups_of.of_evaluations(db, groups_of.counted(db, "lambda"))
  lu.assertEquals(names(groups), { "v1 prior 0×1 2", "v1 ddim 1×1 2", "v1 ddim 2×1 2", "v1 ddim 5×4 2",
    "v2 prior 0×1 2", "v2 ddim 1×1 2", "v2 ddim 2×1 2", "v2 ddim 5×4 2" })
  local one = groups[2]
  lu.assertEquals(one.passes, 1)
  lu.assertAlmostEquals(one.image_s, 0.002, 1e-12)
  lu.assertAlmostEquals(stats.of(one, "acc").mean, (11 + 12) / 2 / 14, 1e-12)
  lu.assertAlmostEquals(groups[4].image_s, 0.015, 1e-12)
end

function T.test_primary_evaluations_are_counted_as_before()
  local function shown(further)
    local db <close> = stored(further)
    local _, rows = group_rows.rows(groups_of.of_study(db, "lambda", { prior = true }),
      { group_rows.heads.method, group_rows.heads.by, group_rows.heads.seeds }, ACC, {})
    return rows, assert(db:find "@best:acc").uid ~= nil and db:find("@best:acc").run_id
  end
  local rows, best = shown(false)
  local rows_again, best_again = shown(true)
  lu.assertEquals(rows_again, rows)
  lu.assertEquals(best_again, best)
end

function T.test_rows_with_their_cost()
  local db <close> = stored(true)
  local groups = groups_of.of_evaluations(db, groups_of.counted(db, "lambda"))
  local function rows_of(exact)
    local heads = { { name = "label", get = function(group) return group.label end } }
    for _, head in ipairs(evaluation_rows.heads(groups, exact)) do heads[#heads + 1] = head end
    return group_rows.rows(groups, heads, ACC, { programs = exact })
  end
  local columns, rows = rows_of(false)
  lu.assertEquals(table.concat(columns, " "), "label sampler steps draws passes s/image seeds acc")
  lu.assertEquals(columns.keys, 4)
  lu.assertEquals(#rows, 7) -- the prior's are one
  lu.assertEquals(rows[4][1].text, "all 2")
  lu.assertEquals({ rows[4][2], rows[4][5], rows[4][6].text }, { "prior", 0, "0.001" })
  lu.assertEquals(rows[1][6].text, "0.002")
  columns, rows = rows_of(true)
  lu.assertEquals(columns[6], "image_s")
  lu.assertEquals(#rows, 8)
  lu.assertEquals(#evaluation_rows.configurations(groups), 2)
end

function T.test_another_seed_of_the_noise_has_a_row_and_a_column()
  local db <close> = stored(false)
  local run = db:record_of(db:find("1").uid)
  run:evaluation(evaluation({ { 8, 2 }, { 2, 2 } }, { primary = false, steps = 5, draws = 4, seed = 9 }))
  local groups = groups_of.of_evaluations(db, groups_of.counted(db, "lambda"))
  lu.assertEquals(names(groups), { "v1 prior 0×1 2", "v1 ddim 5×4 2", "v1 ddim 5×4 1", "v2 prior 0×1 2",
    "v2 ddim 5×4 2" })
  lu.assertEquals(evaluation_rows.heads(groups)[4].name, "noise")
  lu.assertEquals(groups[3].passes, 20) -- which follow from steps and draws
  lu.assertNil(groups[3].image_s)
end

function T.test_lines_of_accuracy_against_cost()
  local db <close> = stored(true)
  local groups = groups_of.of_evaluations(db, groups_of.counted(db, "lambda"))
  local lines = cost_curve.lines(groups, "acc", cost_curve.axes.passes)
  local shown = {}
  for i, line in ipairs(lines) do
    local at = {}
    for k, point in ipairs(line.points) do at[k] = point.x end
    shown[i] = line.name .. ": " .. table.concat(at, " ")
  end
  lu.assertEquals(shown, { "v1, prior: 0", "v1, 1 draw: 1 2", "v1, 4 draws: 20", "v2, prior: 0",
    "v2, 1 draw: 1 2", "v2, 4 draws: 20" })
  lu.assertEquals({ cost_curve.limits(lines) }, { 1, 20 })
  local figure = cost_curve.figure("s", lines, cost_curve.axes.passes, "acc")
  lu.assertTrue(figure.log_x)
  lu.assertEquals(figure.series[1].x, { 1, 20 }) -- the prior is a level line
  lu.assertEquals(figure.series[2].x, { 1, 2 })
  lu.assertEquals(figure.series[1].y, { 11 / 14, 11 / 14 })

  local timed = cost_curve.lines(groups, "acc", cost_curve.axes.seconds)
  lu.assertEquals(timed[1].points[1].x, 0.001)
  lu.assertFalse(timed[1].level)
  lu.assertNil(cost_curve.limits(cost_curve.lines(groups, "auc", cost_curve.axes.passes)))
end

return { Evaluations = T }
