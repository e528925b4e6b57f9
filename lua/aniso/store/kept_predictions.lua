-- kept_predictions(db, eval_id [, probs]) → {true_idx, pred_idx, conf, probs} of an evaluation, nil if none
-- are stored; probs: as for db:predictions(). The latest are kept for each database, by evaluation and form,
-- until the garbage collector runs.
local kept = setmetatable({}, { __mode = "k" })

return function(db, eval_id, probs)
  local own, key = kept[db] or setmetatable({}, { __mode = "v" }), ("%d %s"):format(eval_id, probs)
  kept[db] = own
  local found = own[key] or db:predictions(eval_id, probs)
  own[key] = found
  return found
end
