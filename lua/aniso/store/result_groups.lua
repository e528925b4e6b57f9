-- The groups of results that were read from files (result_file.lua), in the form that a database gives them.
--   result_groups.new(results) → results with methods
--   results:groups(prior)            as store/groups.lua, of_study(): primary evaluations; prior [opt]: with
--                                    those of the prior next to them
--   results:evaluations()            as of_evaluations()
--   results:baseline(list, label)    as baseline(); raises if the files name two and label is nil
--   results.unpooled [opt]           whether a seed has all folds but no pooled row, once groups are made:
--                                    its folds come from several files
local db_error = require "aniso.store.db_error"
local stats = require "aniso.stats.groups"

local result_groups = {}

local Results = {}
Results.__index = Results

-- The runs and scores of some rows.
local function of_rows(rows)
  local runs, scores, configurations, n = {}, {}, {}, 0
  for i, row in ipairs(rows) do
    if not configurations[row.label] then n, configurations[row.label] = n + 1, n + 1 end
    runs[i] = { run_id = row.id, study = row.study, label = row.label, config_id = configurations[row.label],
      fold_set = row.images, folds = row.folds, fold = row.fold, seed = row.seed, n_train = row.n_train,
      uid = row.name }
    scores[i] = { run_id = row.id, eval_id = row.id, by = row.by, n = row.n, metrics = row.metrics,
      prior = row.by == "prior" and row.primary == 0, primary = row.primary == 1, sampler = row.sampler,
      steps = row.steps, draws = row.draws, noise = row.noise, passes = row.passes }
  end
  return runs, scores
end

-- groups.form(). Members with several folds get the metrics of the pooled row with as many images; folds of
-- two files have none.
local function form(results)
  return function(runs, scores)
    return stats.form(runs, scores, function(member)
      if member.parts then
        local pooled = results.pooled[("%s\0%d"):format(member.uid, member.n)]
        results.unpooled = results.unpooled or member.complete and not pooled
        member.metrics = pooled or {}
      end
    end)
  end
end

-- Whether a table counts a row; prior [opt]: also the prior's own predictions, but none of them with a tilt.
local function counts(row, prior)
  return row.primary == 1 or prior and row.by == "prior" and (row.sampler or "prior") == "prior"
end

-- In the order of a database: the prior's evaluations after a configuration's primary ones.
function Results:groups(prior)
  local rows, place = {}, {}
  for i, row in ipairs(self.rows) do
    place[row.label] = place[row.label] or i
    if counts(row, prior) then rows[#rows + 1] = row end
  end
  table.sort(rows, function(a, b)
    if a.label ~= b.label then return place[a.label] < place[b.label] end
    if a.primary ~= b.primary then return a.primary > b.primary end
    return a.id < b.id
  end)
  return form(self)(of_rows(rows))
end

function Results:evaluations()
  local runs, scores = of_rows(self.rows)
  return stats.of_evaluations(runs, scores, form(self))
end

-- The label in a list of groups that the files name as the baseline; nil if they name none of them.
local function named_in(results, list)
  local there, named = {}, {}
  for _, group in ipairs(list) do there[group.label] = true end
  for _, label in ipairs(results.named) do
    if there[label] then named[#named + 1] = label end
  end
  if #named > 1 then
    error(("%s and %s are each a baseline in the files: --baseline LABEL chooses one"):format(
      named[1], named[2]), 0)
  end
  return named[1]
end

function Results:baseline(list, label)
  local named = not label and named_in(self, list) or nil
  local base, message = stats.choose_baseline(list, label, named, function() return false end)
  return base or db_error.raise(message, "ENOTFOUND")
end

function result_groups.new(results)
  return setmetatable(results, Results)
end

return result_groups
