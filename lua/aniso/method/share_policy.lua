-- The λ policy `share` (METHOD §3): levels at which each class needs the image for a given share of the time.
-- An entry of lambda.policies.
local options = require "aniso.recipe.options"
local share_levels = require "aniso.method.share_levels"

local target = options.custom(function(given, where)
  local list = type(given) == "table" and given or { given }
  for _, one in ipairs(list) do
    if not (type(one) == "number" and one > 0 and one < 1) then
      error(("option %s: expected a share above 0 and below 1, or one per class, got %s")
        :format(where, tostring(one)), 0)
    end
  end
  return type(given) == "table" and options.copy(given) or given
end, 0.6, { about = { type = "number|number[]",
  text = "R_c, or with relative R_c / (1 − π_c); one per class, or the same for all" } })

local relative = options.custom(function(given, where)
  if type(given) == "boolean" then return given end
  error(("option %s must be true or false, got %s"):format(where, tostring(given)), 0)
end, true, { about = { type = "boolean",
  text = "Whether the target is a part of 1 − π_c, the share at pure noise" } })

-- The target share R_c of each class.
local function targets(counts, o, K)
  local images, out = 0, {}
  for _, n in ipairs(counts) do images = images + n end
  if type(o.target) == "table" and #o.target ~= K then
    error(("option schedule.lambda.target has %d shares for %d classes"):format(#o.target, K), 0)
  end
  for j, n in ipairs(counts) do
    local of_class = type(o.target) == "table" and o.target[j] or o.target
    out[j] = of_class * (o.relative and 1 - n / images or 1)
  end
  return out
end

return {
  text = "The levels at which each class needs the image for the target share of the time.",
  options = { target = target, relative = relative },
  needs_counts = true,
  levels = function(counts, o, K, image_needed)
    return share_levels.solve(targets(counts, o, K), o.min, o.max or math.huge, image_needed)
  end,
}
