-- s:plot{what = "all", class = …, file = …}: signal, noise and log-SNR of the classes over
-- time. class: a number or a list; all classes, or seven of many, if it is not given.
local curves = require "aniso.prompt.explore.curves"
local options = require "aniso.recipe.options"
local plot = require "aniso.show.plot"

local known = curves.options "all"

return function(s, given)
  local o = options.check(given, known, "plot")
  return plot.show(curves.figures(s, curves.quantities(o.what), curves.chosen(s, o.class)), o)
end
