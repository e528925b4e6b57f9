-- Results as text: a table of a database and one of the file that was written from it are the same; files
-- of two machines are one study; a file that cannot be one is refused with the line.
local lu = require "luaunit"
local groups_of = require "aniso.store.groups"
local paired = require "aniso.stats.paired"
local result_file = require "aniso.store.result_file"
local result_rows = require "aniso.stats.result_rows"
local stats = require "aniso.stats.groups"
local tables = require "aniso.show.table"
local fixture = dofile "tests/lua/store_fixture.lua"
local description, evaluation = fixture.description, fixture.evaluation

local T = {}

local FOLDS = 3
local METRICS = { "acc", "few", "nll" }

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

-- The runs of a fold, a configuration and a seed; `right`: images of class a that the chain gets right.
local function add(db, label, seed, fold, right)
  local split = description().split
  split.sha256, split.folds, split.fold_set = "s" .. fold, FOLDS, ("f"):rep(64)
  split.n_train = { 100 + fold, 10 }
  local run = db:start_run(description { seed = seed, fold = fold, label = label, split = split,
    config = { train = { epochs = #label } } })
  run:evaluation(evaluation({ { right, 10 - right }, { 1, 3 } },
    { results = { nll = right / 7 }, passes = 160 }))
  run:evaluation(evaluation({ { 9, 1 }, { fold, 4 - fold } }, { sampler = "prior", steps = 0, draws = 1,
    primary = false, results = { nll = 0.1 }, passes = 0 }))
  run:finish()
end

local function stored(seeds)
  local db = fixture.new()
  for _, seed in ipairs(seeds) do
    for fold = 0, FOLDS - 1 do
      add(db, "full", seed, fold, 5 + (seed + fold) % 3)
      add(db, "+ x", seed, fold, 7 + seed * fold % 4)
    end
  end
  return db
end

-- The file of a database's results, written as `aniso table --each --format csv` does.
local function file_of(db, evaluations)
  local runs = groups_of.counted(db, "lambda")
  local list = evaluations and groups_of.of_evaluations(db, runs)
    or groups_of.of_runs(db, runs, { prior = true })
  local columns, rows = result_rows.rows(list, METRICS, function(group) return group.label == "full" end,
    evaluations)
  local path = fixture.folder() .. "/results.csv"
  write(path, tables.format(columns, rows, "csv"))
  return path
end

-- What a table shows: label, whose predictions, moments of each metric, Δ to the first group with its
-- interval.
local function shown(list)
  local out = {}
  for i, group in ipairs(list) do
    local line = { group.label, group.by, group.sampler or "", group.passes or "", #group.members }
    for _, name in ipairs(METRICS) do
      local moments = stats.of(group, name)
      local delta = paired.delta(list[1], group, function(member) return member.metrics[name] end)
      line[#line + 1] = ("%s %s %s %s %s"):format(moments.mean, moments.sd, delta.mean, delta.lo, delta.p)
    end
    out[i] = table.concat(line, " | ")
  end
  return out
end

function T.test_a_file_gives_the_table_of_its_database()
  local db <close> = stored { 0, 1, 2 }
  local results = result_file.read({ file_of(db) }, "lambda")
  lu.assertEquals(shown(results:groups(true)), shown(groups_of.of_study(db, "lambda", { prior = true })))
  lu.assertEquals(shown(results:groups()), shown(groups_of.of_study(db, "lambda")))
  lu.assertEquals(results:baseline(results:groups()).label, "full")
  lu.assertEquals(results:groups()[2].label, "+ x")
  lu.assertFalse(results.has_evaluations)
end

function T.test_all_evaluations()
  local db <close> = stored { 0, 1, 2 }
  local results = result_file.read({ file_of(db, true) }, "lambda")
  lu.assertEquals(shown(results:evaluations()),
    shown(groups_of.of_evaluations(db, groups_of.counted(db, "lambda"))))
  lu.assertEquals(shown(results:groups()), shown(groups_of.of_study(db, "lambda")))
end

function T.test_the_seeds_of_two_machines_are_one_study()
  local whole <close> = stored { 0, 1, 2 }
  local first <close> = stored { 0 }
  local second <close> = stored { 1, 2 }
  local results = result_file.read({ file_of(first), file_of(second) }, "lambda")
  lu.assertEquals(shown(results:groups(true)), shown(groups_of.of_study(whole, "lambda", { prior = true })))
end

-- The database numbers splits as they come: what is the same on two machines is the hash.
function T.test_runs_without_folds_of_two_machines()
  local function on_machine(split_ids)
    local db = fixture.new()
    for seed, hash in ipairs(split_ids) do
      local split = description().split
      split.sha256 = hash:rep(64)
      local run = db:start_run(description { seed = seed, label = "full", split = split,
        config = { train = { epochs = 4 } } })
      run:evaluation(evaluation { { 5, 5 }, { 1, 3 } })
      run:finish()
    end
    return db
  end
  local first <close> = on_machine { "a", "b" }
  local second <close> = on_machine { "b", "b", "b" }
  local groups = result_file.read({ file_of(first) }, "lambda"):groups()
  lu.assertEquals({ #groups, #groups[1].members, #groups[2].members }, { 2, 1, 1 })
  lu.assertErrorMsgContains("seed of full is in", result_file.read, { file_of(first), file_of(second) },
    "lambda")
  local third <close> = on_machine { "c", "c", "b" }
  groups = result_file.read({ file_of(first), file_of(third) }, "lambda"):groups()
  lu.assertEquals({ #groups[1].members, #groups[2].members, #groups[3].members }, { 1, 2, 2 })
end

-- A classifier's evaluation by the prior counts, and that of a diffusion model's prior next to it does not;
-- a further one with a tilt is no prior's own.
function T.test_the_prior_that_counts_and_those_that_do_not()
  local db <close> = fixture.new()
  local function prior(run, right, changes)
    changes.sampler, changes.steps, changes.draws, changes.passes = changes.sampler or "prior", 0, 1, 0
    run:evaluation(evaluation({ { right, 10 - right }, { 2, 2 } }, changes))
  end
  for seed = 0, 1 do
    local run = db:start_run(description { seed = seed, label = "full", config = { train = { epochs = 1 } } })
    run:evaluation(evaluation { { 5 + seed, 5 - seed }, { 1, 3 } })
    prior(run, 9, { primary = false })
    prior(run, 2, { primary = false, sampler = "prior + calibrated bacc 8e6d0f" })
    run:finish()
    run = db:start_run(description { seed = seed, label = "softmax", config = { train = { epochs = 2 } } })
    prior(run, 8, { primary = true })
    run:finish()
  end
  local results = result_file.read({ file_of(db, true) }, "lambda")
  lu.assertEquals(shown(results:groups()), shown(groups_of.of_study(db, "lambda")))
  lu.assertEquals(shown(results:groups(true)), shown(groups_of.of_study(db, "lambda", { prior = true })))
  lu.assertEquals(shown(results:evaluations()),
    shown(groups_of.of_evaluations(db, groups_of.counted(db, "lambda"))))
end

function T.test_labels_that_a_spreadsheet_would_run()
  local db <close> = fixture.new()
  local labels = { "=x", "'=x", "''=x", " -1", "a;=b", "a; '+b", "'a", "\239\188\157x" }
  for i, label in ipairs(labels) do
    local run = db:start_run(description { label = label, config = { train = { epochs = i } } })
    run:evaluation(evaluation { { 5, 5 }, { 1, 3 } })
    run:finish()
  end
  local read = {}
  for i, group in ipairs(result_file.read({ file_of(db) }, "lambda"):groups()) do read[i] = group.label end
  lu.assertEquals(read, labels)
end

-- As long as no seed has all folds, a table pools those that are there; folds of two files have no such row.
function T.test_seeds_without_all_folds()
  local db <close> = fixture.new()
  local other <close> = fixture.new()
  for seed = 0, 1 do
    add(db, "full", seed, 0, 5 + seed)
    add(db, "full", seed, 1, 7)
  end
  add(other, "full", 0, 2, 7)
  local results = result_file.read({ file_of(db) }, "lambda")
  lu.assertEquals(shown(results:groups()), shown(groups_of.of_study(db, "lambda")))
  lu.assertAlmostEquals(stats.of(results:groups()[1], "acc").mean, (18 + 19) / 56, 1e-12)
  local both = result_file.read({ file_of(db), file_of(other) }, "lambda"):groups()[1]
  lu.assertEquals({ both.done, both.members[1].complete, stats.of(both, "acc").n }, { 5, true, 0 })
end

-- A seed without all folds does not count, and the fold that is missing may come from another file.
function T.test_folds_of_two_machines()
  local first <close> = fixture.new()
  local second <close> = fixture.new()
  add(first, "full", 0, 0, 5)
  add(first, "full", 0, 1, 6)
  add(second, "full", 0, 2, 7)
  local group = result_file.read({ file_of(first) }, "lambda"):groups()[1]
  lu.assertEquals({ group.done, group.wanted, group.members[1].complete }, { 2, 3, false })
  group = result_file.read({ file_of(first), file_of(second) }, "lambda"):groups()[1]
  lu.assertEquals({ group.done, group.wanted, group.members[1].complete }, { 3, 3, true })
end

local HEAD = "study,images,label,baseline,by,primary,folds,seed,fold,n,n_train,acc\n"

local function why(text)
  local path = fixture.folder() .. "/r.csv"
  write(path, text)
  local ok, message = pcall(result_file.read, { path }, "s")
  lu.assertFalse(ok)
  return (tostring(message):gsub("%S*/r%.csv", "r.csv"))
end

function T.test_what_is_no_file_of_results()
  lu.assertEquals(why "a,b\n1,2\n",
    "r.csv has no column study: it is not a file of aniso table --each --format csv")
  lu.assertEquals(why(HEAD), "r.csv: there is no study s (it has no rows)")
  lu.assertEquals(why(HEAD .. "t,i,full,1,chain,1,,0,,10,,0.5\n"), "r.csv: there is no study s (it has: t)")
  lu.assertEquals(why(HEAD .. "s,i,full,1,chain,1,,0,,10,,high\n"), "r.csv line 2: acc is not a number")
  lu.assertEquals(why(HEAD .. "s,i,full,1,chain,1,,0,,10,,-1e308\n"),
    "r.csv line 2: acc is -1e+308; no metric is beyond 1e+100")
  lu.assertEquals(why(HEAD .. "s,i,full,1,chain,1,,-1,,10,,0.5\n"),
    "r.csv line 2: seed is not a whole number from 0 on")
  lu.assertEquals(why(HEAD .. "s,i,full,1,chain,1,,,,10,,0.5\n"), "r.csv line 2: seed is empty")
  lu.assertEquals(why(HEAD .. "s,i,full,1,chain,1,2,0,2,10,5,0.5\n"), "r.csv line 2: fold 2 of 2 folds")
  lu.assertEquals(why(HEAD .. "s,i,full,1,chain,1,2,0,1,10,0,0.5\n"),
    "r.csv line 2: n_train is not a number of images")
  lu.assertEquals(why(HEAD .. "s,i,full,1,chain,1,,0,,0,,0.5\n"), "r.csv line 2: n is not a number of images")
  lu.assertEquals(why(HEAD .. "s,i,,1,chain,1,,0,,10,,0.5\n"), "r.csv line 2: label is empty")
  lu.assertEquals(why(HEAD .. "s,i,full,2,chain,1,,0,,10,,0.5\n"),
    "r.csv line 2: baseline is neither 0 nor 1")
  lu.assertEquals(why(HEAD .. "s,i,full,1,chain,3,,0,,10,,0.5\n"), "r.csv line 2: primary is neither 0 nor 1")
  lu.assertEquals(why(HEAD .. "s,i,full,1,chain,1,0,0,,10,,0.5\n"), "r.csv line 2: 0 folds")
  lu.assertEquals(why(HEAD .. "s,i,full,1,chain,1,3,0,,10,,0.5\n"), "r.csv: study s has no row of a fold")
  lu.assertEquals(why((HEAD:gsub("acc", ""))), "r.csv: column 12 has no name")
  lu.assertEquals(why(HEAD .. "s,i,full,1,chain,1,3,0,1,10,5,0.5\ns,i,full,1,chain,1,,0,,10,,0.5\n"),
    "r.csv line 3: these images have no folds, and 3 in r.csv line 2")
  lu.assertEquals(why(HEAD .. "s,i,full,1,chain,1,,0,,10,,0.5\ns,i,full,1,prior,1,,0,,10,,0.5\n"),
    "r.csv line 3: this seed of full is in r.csv line 2 already, with another evaluation that counts")
  lu.assertEquals(why(HEAD .. ("s,i,full,1,chain,1,,0,,10,,0.5\n"):rep(2)),
    "r.csv line 3: this seed of full is in r.csv line 2 already")
  lu.assertEquals(why "study,study\n", "r.csv: two columns are called study")
  lu.assertEquals(why(HEAD .. "s,i,\xff,1,chain,1,,0,,10,,0.5\n"), "r.csv line 2: label is not UTF-8")
end

return T
