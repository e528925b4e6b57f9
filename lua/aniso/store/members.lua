-- What is stored about a member of a group (stats/groups.lua). A member with folds has `parts`, a list of
-- {run_id, eval_id, fold, …}, and its counts are sums over them. Results of its predictions are in
-- member_predictions.lua.
local confusions = require "aniso.stats.metric.confusion"
local must = require("aniso.store.db_error").must

local members = {}

-- {run_id, eval_id, …} of each fold, or only the member itself if it has no folds.
function members.parts(member)
  return member.parts or { member }
end

-- K rows of K counts.
function members.confusion(db, member)
  local matrices = {}
  for i, part in ipairs(members.parts(member)) do matrices[i] = must(db:confusion(part.eval_id)):totable() end
  return confusions.sum(matrices)
end

-- Rows as from db:classes(). For folds, the counts are sums, n_train is the mean over the folds, and the
-- scores are left out. scores [opt]: false always leaves them out.
function members.classes(db, member, scores)
  if not member.parts then return must(db:classes(member.eval_id, scores)) end
  local out, n = confusions.classes(members.confusion(db, member)), #member.parts
  for _, part in ipairs(member.parts) do
    for j, class in ipairs(must(db:classes(part.eval_id, false))) do
      out[j].class, out[j].shot, out[j].scores = class.class, class.shot, {}
      out[j].n_train = (out[j].n_train or 0) + class.n_train / n
    end
  end
  for _, class in ipairs(out) do class.n_train = math.floor(class.n_train + 0.5) end
  return out
end

-- Bins of the calibration error; an empty list where none are stored.
function members.bins(db, member)
  local sum = {}
  for _, part in ipairs(members.parts(member)) do
    for b, bin in ipairs(must(db:bins(part.eval_id))) do
      sum[b] = sum[b] or { n = 0, sum_conf = 0, n_correct = 0 }
      for key, value in pairs(sum[b]) do sum[b][key] = value + bin[key] end
    end
  end
  return sum
end

return members
