-- Operating curves (METHOD §7): the recall of head and tail as stored predictions are tilted,
-- q̃_k ∝ q_k exp(−τ ln π_k) with π the training shares (METHOD §2): τ = 0 leaves the predictions as they
-- are, a larger τ favours rare classes. A part is {true_idx, probs = N rows of K numbers or one string of N K
-- float32, counts = training images per class}; the parts of several folds are pooled, each with its own π.
--   operating.curve(parts, shot [, taus])      operating.tau_at(part, shot, 0.9)
--   operating.predictions(part, tau)           operating.recall("few", shot, true_idx, called)
--   operating.band(curves, heads)              operating.tail_at(curve, h)      operating.grid
local core = require "aniso.core"
local significance = require "aniso.stats.metric.significance"

local operating = {}

-- −2, −1.95, …, 2: below −1 for predictions after a balanced training, which favour rare classes even
-- without a tilt
operating.FROM, operating.TO, operating.STEP = -2, 2, 0.05
operating.grid = {}
for i = 0, math.floor((operating.TO - operating.FROM) / operating.STEP + 0.5) do
  operating.grid[i + 1] = operating.FROM + i * operating.STEP
end

-- ln π of a part.
local function log_shares(part)
  local shares, total = {}, 0
  for _, n in ipairs(part.counts) do total = total + n end
  for k, n in ipairs(part.counts) do shares[k] = math.log(n / total) end
  return shares
end

-- τ ln π of a part.
local function tilted_shares(part, tau)
  local shares = log_shares(part)
  for k, share in ipairs(shares) do shares[k] = tau * share end
  return shares
end

-- The predicted class, 0-based, of each image after the tilt; ties go to the lower class, as without a tilt.
function operating.predictions(part, tau)
  return core.tilted.called(part.probs, tilted_shares(part, tau))
end

-- The mean recall of the classes of a group, "many", "medium" or "few", that have images; nil if none has
-- any. called: the predicted class, from 0, of each image.
function operating.recall(group, shot, true_idx, called)
  return core.tilted.recall(group, shot, true_idx, called)
end

-- {tau = {…}, many = {…}, medium = {…}, few = {…}}: recalls over all parts at each τ, ascending; false if
-- undefined.
function operating.curve(parts, shot, taus)
  taus = taus or operating.grid
  local counted = {}
  for p, part in ipairs(parts) do
    counted[p] = { probs = part.probs, true_idx = part.true_idx, log_shares = log_shares(part) }
  end
  local out = core.tilted.recalls(counted, shot, taus)
  out.tau = taus
  return out
end

-- Tail recall where a curve() has the head recall h, linearly interpolated between the points of its grid
-- around the largest such τ, and the number of that point; nil outside its range. from [opt]: a point after
-- which no head recall reaches h, the last one if left out.
function operating.tail_at(curve, h, from)
  local many, few = curve.many, curve.few
  for i = from or #many, 1, -1 do
    local head, tail = many[i], few[i]
    if not head or not tail then return nil end
    if head >= h then
      local next_head, next_tail = many[i + 1], few[i + 1]
      if not next_head then return head == h and tail or nil, i end
      return tail + (next_tail - tail) * (head - h) / (head - next_head), i
    end
  end
  return nil, 1
end

-- The tail recalls of a curve at several head recalls; false outside its range. The point of a larger head
-- recall is not after that of a smaller one.
local function tails_at(curve, heads)
  local out, from = {}, nil
  for i, h in ipairs(heads) do
    local tail, at = operating.tail_at(curve, h, i > 1 and h >= heads[i - 1] and from or nil)
    out[i], from = tail or false, at
  end
  return out
end

-- Several curves, of the seeds of one configuration, at equal head recall: {head = heads, mean, sd (false
-- for one seed), n}, lists; mean is false if no curve reaches the head recall.
function operating.band(curves, heads)
  local out, tails = { head = heads, mean = {}, sd = {}, n = {} }, {}
  for c, curve in ipairs(curves) do tails[c] = tails_at(curve, heads) end
  for i in ipairs(heads) do
    local values = {}
    for c in ipairs(curves) do values[#values + 1] = tails[c][i] or nil end
    local moments = significance.mean_sd(values)
    out.mean[i], out.sd[i], out.n[i] = moments.mean or false, moments.sd or false, moments.n
  end
  return out
end

-- The τ at which the head recall of a part, with its classes weighted equally, is `target`: linearly
-- interpolated between the last point of the grid with at least `target` and the next point. The end of the
-- grid if the recall never falls below `target`; nil if it never reaches it, or no class is in the head.
function operating.tau_at(part, shot, target)
  local many = operating.curve({ part }, shot).many
  for i = #many, 1, -1 do
    if not many[i] then return nil end
    if many[i] >= target then
      local tau, after = operating.grid[i], many[i + 1]
      if not after then return tau end
      return tau + operating.STEP * (many[i] - target) / (many[i] - after)
    end
  end
  return nil
end

return operating
