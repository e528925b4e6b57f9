-- Labels of trials: the runs that the λ policy `search` compares on validation (train/search.lua). They are
-- runs of the study, but its tables omit them.
--   trial_label.of("γ 0.25") → "search: γ 0.25"      trial_label.is(label)
local trial_label = { PREFIX = "search: " }

function trial_label.of(candidate)
  return trial_label.PREFIX .. candidate
end

-- Whether a label, or nil, is a trial's.
function trial_label.is(label)
  return label ~= nil and label:sub(1, #trial_label.PREFIX) == trial_label.PREFIX
end

-- Raises if a variant has the label of a trial. jobs: {label =, …}, as a recipe gives them.
function trial_label.check(jobs)
  for _, job in ipairs(jobs) do
    if trial_label.is(job.label) then
      error(("a variant is called %s: labels that begin with \"%s\" are those of the trials of a search")
        :format(job.label, trial_label.PREFIX), 0)
    end
  end
end

return trial_label
