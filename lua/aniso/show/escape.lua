-- Escapes text from outside (names, paths, notes, values) for the page, also for use inside "…".
-- Control characters, which no page may contain, characters that reorder a line, and bytes that are not
-- UTF-8 become codes such as \x1B.
local visible = require("aniso.core").sys.visible

local ENTITY = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

return function(text)
  text = tostring(text)
  if not text:find "[^0-9A-Za-z .,:%-]" then return text end -- most are numbers and words
  return (visible(text, true):gsub("[&<>\"']", ENTITY))
end
