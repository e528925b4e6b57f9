-- Texts of a CSV file that no spreadsheet runs as formulas, and back: an apostrophe precedes a formula and
-- the apostrophes before one, at the beginning, and where a cell begins if the separator is a semicolon or a
-- tab, for which no quotes help.
local inert = {}

local FORMULA = { "[=+%-@]", "\239\188[\139\141\157\160]" } -- ASCII, full width

local function replaced(text, form, by)
  text = "\n" .. text
  for _, formula in ipairs(FORMULA) do text = text:gsub(form:format(formula), by) end
  return text:sub(2)
end

function inert.quoted(text)
  return replaced(text, "([\n\t;]%%s*)('*%s)", "%1'%2")
end

-- The text of which quoted() made this one.
function inert.unquoted(text)
  return replaced(text, "([\n\t;]%%s*)'('*%s)", "%1%2")
end

return inert
