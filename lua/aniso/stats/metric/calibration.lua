-- calibration: how far the probabilities can be trusted: NLL, Brier score, and the expected
-- calibration error (1706.04599) with its bins, whose sums the database keeps.

local calibration = {}

local SMALLEST = 1e-12   -- a float32 softmax can underflow to 0; its logarithm must not be −∞

-- Mean of −ln p of the true class, p not below 1e-12.
function calibration.nll(true_, rows)
  local sum = 0
  for i, row in ipairs(rows) do
    sum = sum - math.log(math.max(row[true_[i] + 1], SMALLEST))
  end
  return sum / #rows
end

-- Mean over images of Σ_j (p_j − y_j)², 0 … 2 (Brier 1950).
function calibration.brier(true_, rows)
  local sum = 0
  for i, row in ipairs(rows) do
    for j, p in ipairs(row) do
      local d = p - (true_[i] == j - 1 and 1 or 0)
      sum = sum + d * d
    end
  end
  return sum / #rows
end

-- `count` bins of equal width, bin b holding (b−1)/count < confidence ≤ b/count, where the
-- confidence is the probability of the predicted class. Empty bins are kept.
function calibration.bins(true_, pred, rows, count)
  local bins = {}
  for b = 1, count do bins[b] = { n = 0, sum_conf = 0.0, n_correct = 0 } end
  for i, row in ipairs(rows) do
    local confidence = row[pred[i] + 1]
    local bin = bins[math.max(1, math.min(count, math.ceil(confidence * count)))]
    bin.n = bin.n + 1
    bin.sum_conf = bin.sum_conf + confidence
    bin.n_correct = bin.n_correct + (true_[i] == pred[i] and 1 or 0)
  end
  return bins
end

-- Σ_b |sum_conf_b − n_correct_b| / Σ_b n_b, as in the view v_ece.
function calibration.ece(bins)
  local gap, n = 0, 0
  for _, bin in ipairs(bins) do
    gap = gap + math.abs(bin.sum_conf - bin.n_correct)
    n = n + bin.n
  end
  return n > 0 and gap / n or nil
end

return calibration
