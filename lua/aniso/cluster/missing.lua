-- missing(db, submission) → { runs, missing = numbers, text }: the runs of a submitted study that are not
-- finished in a database, by name and with the status of their last attempt.
local folds = require "aniso.recipe.folds"
local must = require("aniso.store.db_error").must

local SHOWN = 10 -- names in the text

-- name → "finished", or the status of the last attempt.
local function status_of(db, study)
  local out = {}
  for _, run in ipairs(must(db:runs { study = study })) do
    local name = folds.name(run.label or run.name, run.seed, run.fold)
    if out[name] ~= "finished" then out[name] = run.status end
  end
  return out
end

return function(db, submission)
  local status, runs, missing, names = status_of(db, submission.study), 0, 0, {}
  for task, list in ipairs(submission.work) do
    for _, name in ipairs(list) do
      runs = runs + 1
      if status[name] ~= "finished" then
        missing = missing + 1
        names[#names + 1] = missing <= SHOWN
          and ("%s (task %d, %s)"):format(name, task, status[name] or "not started") or nil
      end
    end
  end
  if missing > SHOWN then names[#names + 1] = ("and %d more"):format(missing - SHOWN) end
  local which = missing > 0 and "; missing: " .. table.concat(names, ", ") or ""
  return { runs = runs, missing = missing, text = ("study %s: %d of %d runs are finished%s"):format(
    submission.study, runs - missing, runs, which) }
end
