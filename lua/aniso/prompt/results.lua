-- The values of a chunk as the prompt prints them, one string each.
local manual = require "aniso.prompt.help.manual"
local pretty = require "aniso.show.pretty"
local records = require "aniso.show.records"
local visible = require("aniso.core").sys.visible

-- A function or module of the library prints its documentation; rows and their columns, as a
-- query returns them, print as one table; for a failure (nil, message, "ECODE") the message is printed.
return function(...)
  local rows, columns, third = ...
  if rows == nil and type(columns) == "string" and type(third) == "string" and third:find "^E%u+$" then
    return { visible(columns) }
  end
  if columns ~= nil and third == nil and type(rows) == "table" and records.are_names(columns) then
    if #rows == 0 then return { "no rows" } end
    if records.are(rows) then return { records.format(rows, columns) } end
  end
  local out = table.pack(...)
  for i = 1, out.n do out[i] = manual.of_code(out[i]) or pretty.format(out[i]) end
  return out
end
