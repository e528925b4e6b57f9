-- Rows of the prior that configurations share are one row for people, and all rows for programs.
local lu = require "luaunit"
local groups_of = require "aniso.store.groups"
local group_rows = require "aniso.show.group_rows"
local fixture = dofile "tests/lua/store_fixture.lua"
local description, evaluation = fixture.description, fixture.evaluation

local T = {}

local HEADS = { group_rows.heads.method, group_rows.heads.by, group_rows.heads.seeds }
local TAIL = { { name = "few", metric = "few", higher = true } }
local PRIOR = { { 9, 1 }, { 2, 2 } }

-- priors[i]: the prior's confusions of configuration i, one per seed; false: it has no prior of its own.
local function with_priors(priors)
  local db = fixture.new()
  for i, confusions in ipairs(priors) do
    for seed = 1, 2 do
      local run = db:start_run(description { seed = seed, label = "v" .. i, config = { train = { lr = i } } })
      run:evaluation(evaluation({ { 8, 2 }, { 1, 3 } }, { results = { nll = i } }))
      if confusions then
        run:evaluation(evaluation(confusions[seed], { sampler = "prior", primary = false,
          results = { nll = confusions.nll or 1 } }))
      end
      run:finish()
    end
  end
  return db
end

local function rows_with_priors(priors, style)
  local db <close> = with_priors(priors)
  local groups = groups_of.of_runs(db, db:runs(), { prior = true })
  local out = {}
  local columns, list = group_rows.rows(groups, HEADS, TAIL, style or {})
  for i, row in ipairs(list) do
    out[i] = ("%s %s %d"):format(type(row[1]) == "table" and row[1].text or row[1], row[2], row[3])
  end
  return out, columns
end

function T.test_priors_that_are_the_same_have_one_row()
  local same = { PRIOR, PRIOR }
  local rows, columns = rows_with_priors { same, same, same }
  lu.assertEquals(rows, { "v1 chain 2", "v2 chain 2", "v3 chain 2", "all 3 prior 2" })
  lu.assertEquals(columns[4], "tail")
  rows, columns = rows_with_priors({ same, same, same }, { programs = true })
  lu.assertEquals(rows, { "v1 chain 2", "v1 prior 2", "v2 chain 2", "v2 prior 2", "v3 chain 2",
    "v3 prior 2" })
  lu.assertEquals({ columns[4], columns[5] }, { "few", "few_sd" })
end

function T.test_a_prior_that_differs_anywhere_keeps_its_row()
  local same, one_cell = { PRIOR, PRIOR }, { PRIOR, { { 9, 1 }, { 1, 3 } } }
  local other_nll = { PRIOR, PRIOR, nll = 1 + 2 ^ -52 }
  lu.assertEquals(rows_with_priors { same, one_cell },
    { "v1 chain 2", "v1 prior 2", "v2 chain 2", "v2 prior 2" })
  lu.assertEquals(rows_with_priors { same, other_nll, same },
    { "v1 chain 2", "v2 chain 2", "v2 prior 2", "v3 chain 2", "v1, v3 prior 2" })
  lu.assertEquals(rows_with_priors { same, same, false },
    { "v1 chain 2", "v2 chain 2", "v1, v2 prior 2", "v3 chain 2" })
  local many = {}
  for i = 1, 14 do many[i] = i < 14 and same or one_cell end
  lu.assertEquals(rows_with_priors(many)[14], "v1 and 12 more prior 2")
end

-- What is known of folds is in their parts: the metrics of the pooled member are computed when read.
local function folded(...)
  local parts = {}
  for fold, nll in ipairs { ... } do
    parts[fold] = { fold = fold, n = 7, metrics = { nll = nll } }
  end
  return { prior = true, label = "v", run = { split_id = 1, fold_set = "f" }, folds = #parts,
    members = { { seed = 0, n = 7 * #parts, parts = parts, metrics = {} } } }
end

function T.test_folds_that_differ_keep_their_rows()
  local function rows(...) return #require("aniso.show.joined_rows").join { ... } end
  lu.assertEquals(rows(folded(1, 2), folded(1, 2), folded(1, 2)), 1)
  lu.assertEquals(rows(folded(1, 2), folded(1, 3)), 2)
  lu.assertEquals(rows(folded(1, 2), folded(1)), 2)
end

-- The chains are equal here too, and each keeps its row.
function T.test_chains_are_never_joined()
  lu.assertEquals(rows_with_priors { false, false }, { "v1 chain 2", "v2 chain 2" })
end

return { JoinedRows = T }
