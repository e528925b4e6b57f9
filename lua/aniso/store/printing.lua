-- How a database and a comparison print at the prompt. Higher layers register the functions that make the
-- text.
local printing = {}

local text_of = {}

-- database(db) → what the prompt prints for it; comparison(result) → its text.
function printing.register(database, comparison)
  text_of.database, text_of.comparison = database, comparison
end

function printing.database(db)
  return text_of.database and text_of.database(db) or tostring(db)
end

function printing.comparison(result)
  return text_of.comparison and text_of.comparison(result) or "aniso.Comparison"
end

return printing
