-- Adds the methods for exploring to Schedule: s:plot(), s:simulate(), s:share(), s:tilt(), and
-- s:bound_curve(), which s:bound() calls for a range of γ. Each is loaded on its first call.
local methods = require("aniso.core").schedule.methods

for name, file in pairs {
  plot = "plot", simulate = "simulate", share = "share", tilt = "tilt", bound_curve = "bound",
} do
  methods[name] = function(...) return require("aniso.prompt.explore." .. file)(...) end
end

return methods
