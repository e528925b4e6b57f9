-- The part of tests/lua/independent.lua that works from probabilities: adds its functions to `own`.
return function(own, mean_of)
  -- The share of pairs (image of the class, other image) in the right order, ties one half.
  local function area(true_, probs, c)
    local won, pairs_ = 0, 0
    for a, p in ipairs(probs) do
      for b, q in ipairs(true_[a] == c - 1 and probs or {}) do
        if true_[b] ~= c - 1 then
          pairs_ = pairs_ + 1
          won = won + (p[c] > q[c] and 1 or p[c] == q[c] and 0.5 or 0)
        end
      end
    end
    return pairs_ > 0 and won / pairs_ or nil
  end

  -- Average precision: each image of the class adds the precision among the images that score as high.
  local function precision_area(true_, probs, c)
    local sum, positives = 0, 0
    for a, p in ipairs(true_) do
      if p == c - 1 then
        local above, right = 0, 0
        for b, q in ipairs(probs) do
          if q[c] >= probs[a][c] then
            above, right = above + 1, right + (true_[b] == c - 1 and 1 or 0)
          end
        end
        sum, positives = sum + right / above, positives + 1
      end
    end
    return positives > 0 and sum / positives or nil
  end

  -- Group recalls where class c is called by its probability times its share of the training images ^ −tau.
  local function tilted(true_, probs, counts, shot, tau)
    local called, total = {}, 0
    for _, n in ipairs(counts) do total = total + n end
    for k, row in ipairs(probs) do
      local best, top = 0, -1
      for c, p in ipairs(row) do
        local value = tau == 0 and p or p * (counts[c] / total) ^ -tau
        if value > top then best, top = c - 1, value end
      end
      called[k] = best
    end
    return own.rates(own.matrix(true_, called, #shot), shot), called
  end

  -- Tail recall on test where head recall on val is `target`: walks the grid from its right end.
  function own.tail_at_head(val, test, counts, shot, target)
    local after
    for i = 50, 0, -1 do
      local tau = -1 + i * 0.05
      local many = tilted(val.t, val.probs, counts, shot, tau).many
      if not many then return nil end
      if many >= target then
        if after then tau = tau + 0.05 * (many - target) / (many - after) end
        local rates, called = tilted(test.t, test.probs, counts, shot, tau)
        return rates.few, called
      end
      after = many
    end
  end

  function own.probabilistic(true_, pred, probs, shot)
    local nll, brier, areas, bins, ece = 0, 0, {}, {}, 0
    for k, row in ipairs(probs) do
      nll = nll - math.log(row[true_[k] + 1])
      for c, p in ipairs(row) do brier = brier + (p - (true_[k] == c - 1 and 1 or 0)) ^ 2 end
      local confidence = row[pred[k] + 1]
      local bin = math.max(1, math.ceil(confidence * 15))
      bins[bin] = (bins[bin] or 0) + confidence - (true_[k] == pred[k] and 1 or 0)
    end
    local out, of_group = {}, { auprc = {}, auprc_many = {}, auprc_medium = {}, auprc_few = {} }
    for c = 1, #probs[1] do
      table.insert(areas, area(true_, probs, c))
      local precision = precision_area(true_, probs, c)
      table.insert(of_group.auprc, precision)
      table.insert(of_group["auprc_" .. shot[c]], precision)
    end
    for name, list in pairs(of_group) do out[name] = mean_of(list) end
    for _, gap in pairs(bins) do ece = ece + math.abs(gap) / #probs end
    out.nll, out.brier, out.auc, out.ece = nll / #probs, brier / #probs, mean_of(areas), ece
    return out
  end
end
