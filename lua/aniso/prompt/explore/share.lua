-- s:share{draws = 65536, seed = 0, points = 50} → {share = (K), error = (K), mean =, mean_error =,
-- draws =, t = {…}, curve = {[j] = {…}}}: the image-needed share of each class, before any training (METHOD
-- §3), its standard error, both for the mean over classes, and the share in each of `points` intervals of
-- time, whose ends are t. draws: those that were made, fewer for many classes. Prints as a plot.
local curves = require "aniso.prompt.explore.curves"
local options = require "aniso.recipe.options"
local plot = require "aniso.show.plot"

local known = {
  draws = options.integer { default = 65536, min = 2, max = 4194304 },
  seed = options.integer { default = 0 },
  points = options.integer { default = 50, min = 1, max = 1000 },
}

local function figure(s, r)
  local series = {}
  for i, j in ipairs(curves.chosen(s)) do
    local label = curves.label(s, j):gsub("^images of ", "")
    series[i] = { x = r.t, y = r.curve[j],
      label = ("%s, share %.3f ± %.1g"):format(label, r.share[j], r.error[j]) }
  end
  return { title = ("Image-needed share 1 − q: %s, mean %.3f ± %.1g"):format(curves.describe(s), r.mean,
    r.mean_error), x = "t", series = series }
end

return function(s, given)
  local o = options.check(given, known, "share")
  local r = s:image_needed(o.draws, o.seed, o.points)
  local rows, points = r.curve, #r.curve
  r.t, r.curve = {}, {}
  for j = 1, s.K do r.curve[j] = {} end
  for i = 1, points do
    r.t[i] = i * s.T // points
    for j = 1, s.K do r.curve[j][i] = rows[i][j] end
  end
  return plot.result(r, figure(s, r))
end
