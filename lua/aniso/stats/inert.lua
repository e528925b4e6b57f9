-- Prevents a spreadsheet from running texts of a CSV file as formulas, and reverses this. An apostrophe is
-- put before a formula and the apostrophes in front of it, at the beginning of a text and wherever a cell
-- begins if the separator is a semicolon or a tab, against which quotes do not help.
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

-- The text from which quoted() made this one.
function inert.unquoted(text)
  return replaced(text, "([\n\t;]%%s*)'('*%s)", "%1%2")
end

return inert
