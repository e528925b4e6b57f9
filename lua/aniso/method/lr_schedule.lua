-- Learning-rate schedules: lr_schedule.cosine{…} returns a function of (step, total), step from 1 to total,
-- that gives lr times a factor. `warmup` is a share of all steps.
local options = require "aniso.recipe.options"

local lr_schedule = {}

local lr = options.number { default = 1, above = 0 }
local share = options.number { default = 0, min = 0, below = 1 }

-- From a to b along half a cosine, x from 0 to 1.
local function ease(a, b, x)
  return b + (a - b) * 0.5 * (1 + math.cos(math.pi * x))
end

-- A rate that rises linearly during warm-up, then follows after(x), x in [0, 1).
local function warmed(o, after)
  return function(step, total)
    local warm = math.floor(o.warmup * total + 0.5)
    if step <= warm then return o.lr * step / warm end
    return o.lr * after((step - 1 - warm) / (total - warm))
  end
end

function lr_schedule.constant(given)
  return warmed(options.check(given or {}, { lr = lr, warmup = share },
    "lr_schedule.constant"), function() return 1 end)
end

-- Half a cosine from 1 to `final` (1608.03983).
function lr_schedule.cosine(given)
  local o = options.check(given or {}, { lr = lr, warmup = share,
    final = options.number { default = 0, min = 0, max = 1 } }, "lr_schedule.cosine")
  return warmed(o, function(x) return ease(1, o.final, x) end)
end

-- One cycle (1708.07120) with PyTorch's numbers: from 1/25 up to 1 during warm-up, then down
-- to 1/250,000, along half cosines.
function lr_schedule.one_cycle(given)
  local o = options.check(given or {}, { lr = lr,
    warmup = options.number { default = 0.3, min = 0, below = 1 },
    start = options.number { default = 1 / 25, above = 0, max = 1 },
    final = options.number { default = 1 / 250000, min = 0, max = 1 } }, "lr_schedule.one_cycle")
  return function(step, total)
    local done, top = step - 1, o.warmup * total - 1
    if done < top then return o.lr * ease(o.start, 1, done / top) end
    top = math.max(top, 0)
    return o.lr * ease(1, o.final, math.min(1, (done - top) / math.max(1, total - 1 - top)))
  end
end

return lr_schedule
