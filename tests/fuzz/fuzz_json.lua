-- Any bytes as JSON: a value that is read can be written, and reading what was written gives the same text.
-- Covers: engine/io/json.c engine/bind/json_decode.c engine/bind/json_encode.c
local json = require("aniso.core").json

return function(text)
  local value = json.decode(text)
  if value == nil then return end
  local written = json.encode(value)
  local again, why = json.decode(written)
  if again == nil then return "its own text cannot be read: " .. why end
  if json.encode(again) ~= written then return "another text: " .. written end
end
