-- Text from outside (names, paths, notes, values) as text of the page, also inside "…".
-- Invalid UTF-8 and control characters, which no page may contain, become U+FFFD.
local ENTITY = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function clean(text)
  local out, at = {}, 1
  while at <= #text do
    local ok, bad = utf8.len(text, at)
    local stop = ok and #text or bad - 1
    out[#out + 1] = text:sub(at, stop)
    if not ok then out[#out + 1] = "\u{FFFD}" end
    at = stop + 2
  end
  return table.concat(out)
end

return function(text)
  text = tostring(text)
  if not utf8.len(text) then text = clean(text) end
  return (text:gsub("[%z\1-\8\11\12\14-\31\127]", "\u{FFFD}"):gsub("[&<>\"']", ENTITY))
end
