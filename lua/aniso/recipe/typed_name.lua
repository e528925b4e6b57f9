-- Names that a user gives: they are printed in lines, and typed.
--   typed_name(what, name)      raises for what is no such name; what: how the message calls it
local visible = require("aniso.core").sys.visible

return function(what, name)
  if not name:find "%S" or visible(name) ~= name then
    error(("%s must be UTF-8 with a visible character and without control characters"):format(what), 0)
  end
end
