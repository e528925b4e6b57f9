-- The numbers of a comparison as cells for table.lua: {text, value}; nil is n/a.
local cells = {}

function cells.mean(moments)
  if moments.n == 0 then return nil end
  local text = ("%.3f"):format(moments.mean)
  local cell = { text = text, value = moments.mean, shown = tonumber(text) }
  if moments.sd then cell.text = ("%s ± %.3f"):format(text, moments.sd) end
  return cell
end

-- +0.012, and 0.000 for what rounds to nothing.
local function with_sign(value)
  return (("%+.3f"):format(value):gsub("^[+-]0%.000$", "0.000"))
end

function cells.signed(value)
  return value and { text = with_sign(value), value = value } or nil
end

function cells.interval(of)
  if not (of and of.lo) then return nil end
  return { text = ("[%s, %s]"):format(with_sign(of.lo), with_sign(of.hi)) }
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

cells.with_sign = with_sign

return cells
