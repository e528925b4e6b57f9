-- The texts of the progress lines: a bar, a duration, numbers by name.
local width = require("aniso.show.table").width

local text = {}

-- 75 → "1:15", 3700 → "1:01:40"
function text.duration(seconds)
  local s = math.floor(seconds + 0.5)
  if s >= 3600 then return ("%d:%02d:%02d"):format(s // 3600, s // 60 % 60, s % 60) end
  return ("%d:%02d"):format(s // 60, s % 60)
end

function text.left(seconds)
  return "left " .. (seconds and text.duration(seconds) or "–:––")
end

-- "█████░░░░░  50%"
function text.bar(share, cells)
  local filled = math.floor(share * cells)
  return ("%s%s %3d%%"):format(("█"):rep(filled), ("░"):rep(cells - filled), math.floor(share * 100))
end

-- { loss = 0.71, acc = 0.5 } → "acc 0.5  loss 0.71"
function text.fields(fields)
  local names, out = {}, {}
  for name in pairs(fields or {}) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    local value = fields[name]
    out[i] = name .. " " .. (math.type(value) == "float" and ("%.4g"):format(value) or tostring(value))
  end
  return table.concat(out, "  ")
end

function text.pad(label, columns)
  return label .. (" "):rep(math.max(0, columns - width(label)))
end

-- One line: label, bar, time left, the numbers of the step and those of the last epoch.
function text.line(p, now, columns)
  local share = p:share()
  local since, parts = p.first and now - p.first.at or 0, { text.pad(p.label, columns) }
  local rate = since > 0 and (p.done - p.first.done) / since or 0
  if p.total then
    parts[2] = text.bar(share, 20)
    parts[3] = text.left(rate > 0 and (p.total - p.done) / rate)
  end
  for _, more in ipairs { text.fields(p.fields), p.note or "" } do
    if more ~= "" then parts[#parts + 1] = more end
  end
  if parts[1] == "" then table.remove(parts, 1) end
  return table.concat(parts, "  ")
end

return text
