-- Numbers over seeds, and those of a comparison, as cells for table.lua: {text, value}; nil is n/a.
local signed = require("aniso.stats.comparison_notes").signed

local cells = {}

function cells.mean(moments)
  if not moments.mean then return nil end
  local text = ("%.3f"):format(moments.mean)
  local cell = { text = text, value = moments.mean, shown = tonumber(text) }
  if moments.sd then cell.text = ("%s ± %.3f"):format(text, moments.sd) end
  return cell
end

function cells.signed(value)
  return value and { text = signed(value), value = value } or nil
end

function cells.interval(of)
  if not (of and of.lo) then return nil end
  return { text = ("[%s, %s]"):format(signed(of.lo), signed(of.hi)) }
end

function cells.probability(p)
  return p and { text = p < 0.001 and "< 0.001" or ("%.3f"):format(p), value = p } or nil
end

-- Images per run: a mean over seeds.
function cells.count(value)
  return { text = (value % 1 == 0 and "%d" or "%.1f"):format(value), value = value }
end

function cells.change(value)
  if value == 0 then return { text = "·", value = 0 } end
  return { text = (value % 1 == 0 and "%+d" or "%+.1f"):format(value), value = value }
end

-- The values of one number in all groups with their Δ, from column `at` on; the best after rounding
-- is bold. → the next column
function cells.put(row, at, one, higher)
  local means, best = {}, nil
  for k, moments in ipairs(one.of) do
    local cell = cells.mean(moments)
    row[at], at = cell, at + 1
    if k > 1 then row[at], at = cells.signed(one.delta[k].mean), at + 1 end
    means[#means + 1] = cell
    if cell and (not best or (higher and cell.shown > best) or (not higher and cell.shown < best)) then
      best = cell.shown
    end
  end
  for _, cell in ipairs(means) do cell.bold = cell.shown == best end
  return at
end

return cells
