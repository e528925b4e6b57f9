-- Predictions for new images (inference/predictor.lua) as text: a table at the end, or CSV and JSON lines
-- as they arrive.
--   path, label, confidence     the most probable class, "" if the model abstains, and its probability
--   interval, agreement         of the chains: width of the class's 95 % interval, share that vote for it
--   prior, prior_confidence     the prediction of the prior alone
--   p_CLASS                     a column per class (CSV and JSON lines)
--   error                       why an image could not be read
local console = require "aniso.show.console"
local tables = require "aniso.show.table"

local prediction_rows = {}

local FIELDS = { "path", "label", "confidence", "interval", "agreement", "prior", "prior_confidence" }

-- The label of a row; nil if the model abstains.
local function label_of(row, least)
  if row.error or least and row.confidence < least then return nil end
  return row.label
end

local function values_of(row, K, least)
  local out = { row.path, label_of(row, least), row.confidence, row.interval, row.agreement, row.prior,
    row.prior_confidence }
  for k = 1, K do out[#FIELDS + k] = row.probabilities and row.probabilities[k] end
  out[#FIELDS + K + 1] = row.error
  return out
end

local function streamed(classes, format, least)
  local columns = table.move(FIELDS, 1, #FIELDS, 1, {})
  for k, name in ipairs(classes) do columns[#FIELDS + k] = "p_" .. name end
  columns[#columns + 1] = "error"
  local head, text_of = tables.stream(columns, format)
  io.stdout:write(head)
  return { finish = function() io.stdout:flush() end, add = function(rows)
    for _, row in ipairs(rows) do io.stdout:write(text_of(values_of(row, #classes, least))) end
    io.stdout:flush()
  end }
end

local COLUMNS = { "path", "label", { name = "confidence", digits = 3 }, { name = "interval", digits = 3 },
  { name = "agreement", digits = 2 }, "prior", { name = "prior confidence", digits = 3 } }
local MOST_REASONS = 20 -- printed below the table

-- The columns used in any row, by number.
local function used(rows)
  local out = {}
  for j = 1, #COLUMNS do
    local is_used = j <= 3
    for _, row in ipairs(rows) do is_used = is_used or row[j] ~= "" end
    if is_used then out[#out + 1] = j end
  end
  return out
end

local function print_table(lines, reasons)
  local columns, shown = {}, {}
  for i = 1, #lines do shown[i] = {} end
  for at, j in ipairs(used(lines)) do
    columns[at] = COLUMNS[j]
    for i, line in ipairs(lines) do shown[i][at] = line[j] end
  end
  tables.print(columns, shown, "table")
  for i = 1, math.min(#reasons, MOST_REASONS) do console.note("not read: ", reasons[i]) end
  if #reasons > MOST_REASONS then console.note(("… and %d more"):format(#reasons - MOST_REASONS)) end
end

local function collected(least)
  local lines, reasons = {}, {}
  local function add(rows)
    for _, row in ipairs(rows) do
      local line = values_of(row, 0, least)
      line[2] = line[2] or row.error and "not read" or ("abstains (%s)"):format(row.label)
      for j = 3, #COLUMNS do line[j] = line[j] == nil and "" or line[j] end
      lines[#lines + 1], reasons[#reasons + 1] = line, row.error
    end
  end
  return { add = add, finish = function() print_table(lines, reasons) end }
end

-- format: "table", "csv" or "jsonl"; least [opt]: the probability below which the model abstains.
-- → {add = function(rows), finish = function()}
function prediction_rows.printer(classes, format, least)
  if format == "table" then return collected(least) end
  return streamed(classes, format, least)
end

return prediction_rows
