-- The labels of a study's variants, by which tables, --only and --baseline name them.
--   variant_labels.problems(study, jobs, overrides) → list of texts, one per mistake
--   variant_labels.check(study, jobs, overrides)      raises the first one
-- jobs: {label =, seed =, cross = or nil}, all those of the study; overrides: as in --set.
local nearest = require "aniso.recipe.nearest"
local typed_name = require "aniso.recipe.typed_name"
local visible = require("aniso.core").sys.visible

local variant_labels = {}

-- --set vary.PATH={…} gives the variants other labels, so the baseline's label may be none of them.
local function has_other_axes(overrides)
  for _, override in ipairs(overrides or {}) do
    if override[1]:find "^vary%." then return true end
  end
  return false
end

local function baseline_problem(study, labels, overrides)
  if type(study.baseline) ~= "string" or has_other_axes(overrides) then return nil end
  for _, label in ipairs(labels) do
    if label == study.baseline then return nil end
  end
  local meant = nearest(study.baseline, labels)
  return ("baseline: no variant is called %s%s"):format(study.baseline,
    meant and (" (did you mean %s?)"):format(meant) or "")
end

function variant_labels.problems(study, jobs, overrides)
  local out, labels, runs, seen, twice = {}, {}, {}, {}, {}
  for _, job in ipairs(jobs) do
    local label = job.label
    local words = label == study.name and "the study's name '%s'" or "the label '%s' of a variant"
    local ok, why = pcall(typed_name, words:format(visible(label)), label)
    if not ok and not seen[label] then out[#out + 1] = why end
    local run = ("%s\0%s\0%s"):format(label, job.seed, job.cross and job.cross.fold)
    if runs[run] and not twice[label] then
      twice[label] = true
      out[#out + 1] = ("two variants are called %s; give one of them another label"):format(label)
    end
    if not seen[label] then labels[#labels + 1] = label end
    runs[run], seen[label] = true, true
  end
  out[#out + 1] = baseline_problem(study, labels, overrides)
  return out
end

function variant_labels.check(study, jobs, overrides)
  local first = variant_labels.problems(study, jobs, overrides)[1]
  if first then error(first, 0) end
end

return variant_labels
