-- kept_predictions(db, eval_id [, probs]) → {true_idx, pred_idx, conf, probs} of an evaluation, nil where
-- none are stored; probs: as db:predictions() takes it. The latest are kept until the garbage collector runs,
-- by evaluation and form, per database.
local kept = setmetatable({}, { __mode = "k" })

return function(db, eval_id, probs)
  local own, key = kept[db] or setmetatable({}, { __mode = "v" }), ("%d %s"):format(eval_id, probs)
  kept[db] = own
  local found = own[key] or db:predictions(eval_id, probs)
  own[key] = found
  return found
end
