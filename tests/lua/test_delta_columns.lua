-- The columns of differences to a baseline in a table of groups.
local lu = require "luaunit"
local delta_columns = require "aniso.show.delta_columns"

local T = {}

local function group(label, values)
  local out = { label = label, run = { split_id = 1 }, members = {} }
  for seed, value in ipairs(values) do out.members[seed] = { seed = seed, metrics = { macro_f1 = value } } end
  return out
end

local function added(groups, style)
  local columns, rows = { "label" }, {}
  for i, one in ipairs(groups) do rows[i] = { one.label } end
  delta_columns.add(columns, rows, groups, { baseline = groups[1],
    metrics = { { name = "macro_f1", metric = "macro_f1" } } }, style)
  return columns, rows
end

-- Differences 0.01, 0.02, 0.03: mean 0.02, sd 0.01, t(0.975, 2) = 4.302653, half width 0.024841.
local GROUPS = { group("full", { 0.50, 0.60, 0.55 }), group("no mmd", { 0.51, 0.62, 0.58 }),
  group("few seeds", { 0.52, 0.58 }) }

function T.test_a_person_reads_the_difference_and_its_interval()
  local columns, rows = added(GROUPS, {})
  lu.assertEquals(columns, { "label", "Δ macro_f1" })
  lu.assertEquals(rows[1][2].text, "baseline")
  lu.assertEquals(rows[2][2].text, "+0.020 [-0.005, +0.045]")
  lu.assertEquals(rows[3][2].text, "0.000")
end

function T.test_percent()
  local _, rows = added(GROUPS, { percent = true })
  lu.assertEquals(rows[2][2].text, "+2.0 [-0.5, +4.5]")
end

function T.test_programs_get_numbers_in_columns_of_their_own()
  local columns, rows = added(GROUPS, { programs = true })
  lu.assertEquals(columns, { "label", "delta_macro_f1", "delta_macro_f1_lo", "delta_macro_f1_hi" })
  lu.assertNil(rows[1][2])
  lu.assertAlmostEquals(rows[2][2], 0.02, 1e-12)
  lu.assertAlmostEquals(rows[2][3], -0.004841, 1e-6)
  lu.assertAlmostEquals(rows[2][4], 0.044841, 1e-6)
  lu.assertNil(rows[3][3])
end

return T
