-- Filters, keys, sorting, tags and notes, and tables derived from stored counts.
local lu = require "luaunit"
local keys = require "aniso.store.keys"
local metric = require "aniso.stats.metric"
local store = require "aniso.prompt.explore.database"
local groups_of = require "aniso.store.groups"
local group_rows = require "aniso.show.group_rows"
local stats = require "aniso.stats.groups"
local tables = require "aniso.show.table"
local fixture = dofile "tests/lua/store_fixture.lua"
local description, evaluation = fixture.description, fixture.evaluation

-- Two values of γ and an isotropic baseline, two seeds each; one run fails, one has other data.
local COUNTS = {
  { 0.5, { { { 8, 2 }, { 2, 2 } }, { { 9, 1 }, { 1, 3 } } } },
  { 1, { { { 10, 0 }, { 4, 0 } }, { { 7, 3 }, { 0, 4 } } } },
  { "isotropic", { { { 6, 4 }, { 2, 2 } }, { { 6, 4 }, { 2, 2 } } } },
}

local function config_of(gamma)
  return { data = { "ham10000", root = "x" }, train = { lr = 0.1, amsgrad = true },
    schedule = { "cosine", lambda = gamma == "isotropic" and gamma or { "power", gamma = gamma } } }
end

local function filled()
  local db, path = fixture.new()
  for _, one in ipairs(COUNTS) do
    for seed, confusion in ipairs(one[2]) do
      local run = db:start_run(description { seed = seed, label = "γ=" .. one[1],
        config = config_of(one[1]) })
      run:evaluation(evaluation(confusion, { results = { nll = seed } }))
      run:evaluation(evaluation({ { 10, 0 }, { 0, 4 } }, { sampler = "prior", primary = false }))
      run:finish()
    end
  end
  db:start_run(description { name = "late", label = "late", study = "other", seed = 9 }):fail "no"
  return db, path
end

local function ids(db, filters, options)
  local out = {}
  for i, run in ipairs(assert(db:select(filters, options))) do out[i] = run.run_id end
  return out
end

local Select = {}

function Select.test_filters()
  local db <close> = filled()
  local function found(...) return ids(db, { ... }) end
  lu.assertEquals(found(), { 7, 6, 5, 4, 3, 2, 1 })
  lu.assertEquals(found "status=finished", { 6, 5, 4, 3, 2, 1 })
  lu.assertEquals(found "status!=finished", { 7 })
  lu.assertEquals(found "study=other", { 7 })
  lu.assertEquals(found "data=ham10000", { 6, 5, 4, 3, 2, 1 })
  lu.assertEquals(found("data=ham10000", "seed=2"), { 6, 4, 2 })
  lu.assertEquals(found "seed>=2", { 7, 6, 4, 2 })
  lu.assertEquals(found "schedule.lambda.gamma>0.5", { 4, 3 })
  lu.assertEquals(found "schedule.lambda=isotropic", { 6, 5 })
  lu.assertEquals(found "train.amsgrad=true", { 6, 5, 4, 3, 2, 1 })
  lu.assertEquals(found "train.lr<0.1", { 7 })
  lu.assertEquals(found "label~=1", { 4, 3 })
  lu.assertEquals(found "LATE", { 7 })
  lu.assertEquals(found("late", "status=finished"), {})
  -- accuracies 10/14, 12/14, 10/14, 11/14, 8/14, 8/14; recalls of the rare class .5 .75 0 1 .5 .5
  lu.assertEquals(found "acc>0.75", { 4, 2 })
  lu.assertEquals(found "all>0.75", { 4, 2 })
  lu.assertEquals(found "tail<=0.5", { 6, 5, 3, 1 })
  lu.assertEquals(found "nll=2", { 6, 4, 2 })
end

function Select.test_sorting_and_limits()
  local db <close> = filled()
  lu.assertEquals(ids(db, {}, { sort = "tail" }), { 4, 2, 6, 5, 1, 3, 7 })
  lu.assertEquals(ids(db, {}, { sort = "-tail", limit = 2 }), { 3, 6 })
  lu.assertEquals(ids(db, { "seed<3" }, { sort = "seed" }), { 5, 3, 1, 6, 4, 2 })
  lu.assertEquals(ids(db, {}, { sort = "-seed", limit = 1 }), { 7 })
  lu.assertEquals(ids(db, {}, { sort = "nll", limit = 1 }), { 5 })
end

function Select.test_unknown_keys_are_errors()
  local db <close> = filled()
  lu.assertErrorMsgContains("did you mean macro_f1?", db.select, db, { "macrof1>0.5" })
  lu.assertErrorMsgContains("did you mean train.lr?", db.select, db, { "train.rl=1" })
  lu.assertErrorMsgContains("no key zzzzzzzz", db.select, db, {}, { sort = "zzzzzzzz" })
end

function Select.test_a_column_of_tables_is_not_a_key()
  local db <close> = filled()
  lu.assertErrorMsgEquals("column predicts is now by", db.select, db, { "predicts=chain" })
  lu.assertErrorMsgEquals("column predicts is now by", db.select, db, {}, { sort = "predicts" })
  lu.assertErrorMsgContains("by is a column of tables, not a key of runs", db.select, db, { "by=chain" })
end

-- Every column with a fixed set of values refuses the others.
function Select.test_a_value_that_a_column_never_has()
  local db <close> = filled()
  lu.assertErrorMsgEquals(
    "status is never \"dne\"; it is one of crashed, failed, finished, interrupted, running", db.select, db,
    { "status=dne" })
  lu.assertErrorMsgContains('status is never "finshed" (did you mean finished?); it', db.select, db,
    { "status!=finshed" })
  local rows, why, code = db:runs { status = "done" }
  lu.assertEquals({ rows, code }, { nil, "EINVAL" })
  lu.assertStrContains(why, "it is one of crashed, failed")
  lu.assertErrorMsgContains(
    "(did you mean ham10000?); it is one of cifar10, cifar100, csv, features, folder, ", db.select, db,
    { "data=ham1000" })
  lu.assertErrorMsgContains("(did you mean isotropic?)", db.select, db, { "schedule.lambda=isotropc" })
  lu.assertEquals(ids(db, { "status~dne" }), {})
  lu.assertEquals(ids(db, { "label=of no run" }), {})
  lu.assertEquals(ids(db, { "train.lr=7" }), {})
end

function Select.test_varying_options()
  local db <close> = filled()
  local runs, catalog = db:select { "study=lambda" }
  lu.assertEquals(catalog:varying(runs), { "schedule.lambda", "schedule.lambda.gamma" })
  lu.assertEquals(catalog:varying { runs[1], runs[2] }, {})
  lu.assertEquals(catalog:key("schedule.lambda.gamma"):get(runs[3]), 1.0)
  lu.assertNil(catalog:key("schedule.lambda.gamma"):get(runs[1]))
end

function Select.test_tags_and_notes()
  local db, path = filled()
  local run = db:find(2)
  lu.assertEquals(db:tag(run, { "paper", "star" }), 2)
  lu.assertEquals(db:tag(run, { "paper" }), 0)
  lu.assertEquals(ids(db, { "tag:paper" }), { 2 })
  lu.assertEquals(ids(db, { "tag:pap" }), {})
  lu.assertEquals(db:select({ "tag:star" })[1].tags, { "paper", "star" })
  lu.assertEquals(db:untag(run, { "star", "none" }), 1)
  lu.assertEquals(db:tags(), { [2] = { "paper" } })
  lu.assertErrorMsgContains("one word", db.tag, db, run, { "two words" })
  db:note(run, "first")
  db:note(run, "second")
  lu.assertErrorMsgContains("a non-empty string", db.note, db, run, " ")
  lu.assertEquals({ db:notes(run)[1].text, db:notes(run)[2].text }, { "first", "second" })
  lu.assertStrMatches(db:notes(run)[1].at, "%d+-%d+-%d+T.*Z")
  db:close()
  local reader <close> = assert(store.open(path, { readonly = true }))
  lu.assertErrorMsgContains("open for reading", reader.tag, reader, run, { "x" })
end

function Select.test_rows_of_filtered_runs_are_whole()
  local db <close> = filled()
  local whole = {}
  for _, run in ipairs(db:runs()) do whole[run.run_id] = run end
  for _, how in ipairs { {}, { "status=finished" }, { "tail>0" }, { "late" }, { "tag:none" } } do
    for _, run in ipairs(db:select(how, { sort = how[1] and "acc" })) do
      whole[run.run_id].tags = {}
      lu.assertEquals(run, whole[run.run_id])
    end
  end
end

-- Every number of a table, recomputed independently from the stored matrices.
function Select.test_a_table_follows_from_the_stored_counts()
  local db <close> = filled()
  local catalog, metrics = keys.new(db), {}
  for i, name in ipairs { "all", "head", "tail", "macro_f1", "kappa" } do
    local key = catalog:key(name)
    metrics[i] = { name = name, metric = key.metric, higher = key.higher }
  end
  local groups = groups_of.of_runs(db, db:runs { status = "finished" })
  local columns, rows = group_rows.rows(groups, { group_rows.heads.method, group_rows.heads.seeds }, metrics,
    { programs = true })
  lu.assertEquals({ columns[3], columns[4], columns[12] }, { "all", "all_sd", "kappa_sd" })
  lu.assertEquals(#rows, 3)
  for i, one in ipairs(COUNTS) do
    lu.assertEquals({ rows[i][1], rows[i][2] }, { "γ=" .. one[1], 2 })
    local a = metric.from_confusion(one[2][1], { "many", "few" })
    local b = metric.from_confusion(one[2][2], { "many", "few" })
    for j, name in ipairs { "acc", "many", "few", "macro_f1", "kappa" } do
      local mean = (a[name] + b[name]) / 2
      lu.assertAlmostEquals(rows[i][1 + 2 * j].value, mean, 1e-12)
      lu.assertAlmostEquals(rows[i][2 + 2 * j], math.abs(a[name] - b[name]) / math.sqrt(2), 1e-12)
      lu.assertStrContains(rows[i][1 + 2 * j].text, ("%.3f ± "):format(mean))
    end
  end
  lu.assertEquals({ rows[1][3].bold, rows[2][3].bold, rows[3][3].bold }, { true, nil, nil })
  lu.assertTrue(rows[1][7].bold) -- tail: 0.625, 0.5, 0.5
end

function Select.test_groups_separate_configurations_and_the_prior()
  local db <close> = filled()
  local other = db:start_run(description { seed = 1, label = "γ=1", config = config_of(2) })
  other:evaluation(evaluation { { 10, 0 }, { 0, 4 } })
  other:finish()
  local groups = groups_of.of_runs(db, db:runs { status = "finished" }, { prior = true })
  lu.assertEquals(#groups, 7)
  lu.assertEquals(stats.of(groups[2], "acc").mean, 1)
  lu.assertTrue(groups[2].prior)
  lu.assertEquals({ groups[7].label, #groups[7].members }, { "γ=1", 1 })
  lu.assertEquals(stats.of(groups[1], "medium"), { n = 0, seeds = {}, values = {} })
  lu.assertEquals(stats.of(groups[1], "nll").seeds, { 1, 2 })
end

function Select.test_percent_applies_only_to_shares()
  local db <close> = filled()
  local _, rows = group_rows.rows(groups_of.of_runs(db, db:runs { status = "finished" }), {},
    { { name = "acc", metric = "acc", higher = true }, { name = "nll", metric = "nll", higher = false } },
    { percent = true })
  lu.assertEquals(rows[1][1].text, "78.6 ± 10.1")
  lu.assertEquals(rows[1][2].text, "1.500 ± 0.707")
  lu.assertTrue(rows[1][2].bold and rows[3][2].bold) -- equal means are equally good
end

local Markup = {}
local columns = { "a|b", "x_1" }
local rows = { { "λ=50%", { text = "0.5 ± 0.1", value = 0.5, bold = true } }, { "*", nil } }

function Markup.test_markdown()
  lu.assertEquals(tables.format(columns, rows, "md"), [[
| a\|b  |          x\_1 |
| ----- | ------------: |
| λ=50% | **0.5 ± 0.1** |
| \*    |           n/a |
]])
end

function Markup.test_latex()
  lu.assertEquals(tables.format(columns, rows, "latex"), [[
\begin{tabular}{lr}
\toprule
a\textbar{}b & x\_1 \\
\midrule
$\lambda$=50\% & \textbf{0.5 $\pm$ 0.1} \\
* & -- \\
\bottomrule
\end{tabular}
]])
end

return { Select = Select, Markup = Markup }
