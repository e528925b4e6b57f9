-- Levels from the image-needed share R_c(λ) (METHOD §3): the λ_j at which every class has a given share, and
-- the single level at which the isotropic process has a given mean share. image_needed(levels) →
-- {share = (K), mean =} is the estimate for these levels (Schedule:image_needed). Every call uses the same
-- draws, so that it is a smooth function of the levels.
local share_levels = {}

local TOLERANCE, ROUNDS = 5e-4, 80 -- of each share: half the standard error of the estimate
local MEAN_TOLERANCE = 1e-7
local LOWEST, HIGHEST = 1e-3, 1e3   -- levels to search
local STEP, STEP_MOST = 1.4, 2      -- of ln λ against the logit, and at most in a round

local function logit(p)
  p = math.min(math.max(p, 1e-9), 1 - 1e-9)
  return math.log(p / (1 - p))
end

local function clip(x, low, high)
  return x < low and low or x > high and high or x
end

-- The class furthest from its target, and its distance. A class whose level is at an end of its range counts
-- only if its level could still move inwards.
local function furthest(share, targets, levels, low, high)
  local most, class = 0, 1
  for j, target in ipairs(targets) do
    local off = share[j] - target
    local held = off < 0 and levels[j] >= high or off > 0 and levels[j] <= low
    if not held and math.abs(off) > most then most, class = math.abs(off), j end
  end
  return most, class
end

local function unreachable(class, share, target, level)
  error(("lambda share: no levels have these shares: class %d is at %.4g with λ = %.4g, its target is %.4g "
    .. "(s:share() shows what the isotropic process has; sample and class_speed admit few others)")
    :format(class, share, level, target), 0)
end

-- λ_j in [low, high] with R_j(λ) = targets[j] to 5e-4 for every class whose level is inside the range.
-- Fixed-point steps in ln λ on the logit of the share; if they do not converge, raises with the class
-- furthest from its target.
function share_levels.solve(targets, low, high, image_needed)
  local first, last = math.max(low, LOWEST), math.min(high, HIGHEST)
  local levels = {}
  for j = 1, #targets do levels[j] = clip(1, first, last) end
  for round = 1, ROUNDS do
    local share = image_needed(levels).share
    local off, class = furthest(share, targets, levels, low, high)
    if off <= TOLERANCE then return levels end
    if round == ROUNDS or levels[class] <= LOWEST or levels[class] >= HIGHEST then
      unreachable(class, share[class], targets[class], levels[class])
    end
    for j, target in ipairs(targets) do
      local step = clip(STEP * (logit(target) - logit(share[j])), -STEP_MOST, STEP_MOST)
      levels[j] = clip(levels[j] * math.exp(step), first, last)
    end
  end
end

-- A number x in [a, b] with f(x) = 0 to MEAN_TOLERANCE, f rising (regula falsi, Illinois); nil if the sign
-- does not change.
local function root(f, a, b)
  local fa, fb = f(a), f(b)
  if not (fa <= 0 and fb >= 0) then return nil end
  local side = 0
  for _ = 1, 100 do
    local x = (a * fb - b * fa) / (fb - fa)
    local fx = f(x)
    if math.abs(fx) <= MEAN_TOLERANCE then return x end
    if fx < 0 then
      a, fa = x, fx
      if side < 0 then fb = fb / 2 end
      side = -1
    else
      b, fb = x, fx
      if side > 0 then fa = fa / 2 end
      side = 1
    end
  end
  return nil
end

-- The level (a number) of K equal levels whose mean share is `mean` to 1e-7; exactly 1 if λ ≡ 1 already has
-- that share.
function share_levels.matched(mean, K, image_needed)
  local function off(x)
    local levels = {}
    for j = 1, K do levels[j] = math.exp(x) end
    return image_needed(levels).mean - mean
  end
  if math.abs(off(0)) <= MEAN_TOLERANCE then return 1 end
  local reach = math.log(10)
  local x = root(off, -reach, reach) or root(off, math.log(LOWEST), math.log(HIGHEST))
  if not x then
    error(("lambda share_of: no isotropic process has the mean image-needed share %.4g"):format(mean), 0)
  end
  return math.exp(x)
end

return share_levels
