-- Checks names given by a user, which are printed within lines and typed.
--   typed_name(what, name)      raises for an invalid name; what: how the message calls it
local visible = require("aniso.core").sys.visible

return function(what, name)
  if not name:find "%S" or visible(name) ~= name then
    error(("%s must be UTF-8 with a visible character and without control characters"):format(what), 0)
  end
end
