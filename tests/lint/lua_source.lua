-- Extracts the string literals of a Lua file, for the lint of the Lua layers. Comments are skipped.
local source = {}

-- The end of a long bracket [[…]] or [=[…]=] that starts at `at`: its content and the position behind it.
local function long(text, at)
  local equals = text:match("^%[(=*)%[", at)
  if not equals then return nil end
  local close = "]" .. equals .. "]"
  local from = at + #equals + 2
  local stop = text:find(close, from, true) or #text + 1
  return text:sub(from, stop - 1), stop + #close
end

-- The end of a quoted string that starts at `at`.
local function quoted(text, at)
  local quote, place = text:sub(at, at), at + 1
  while place <= #text do
    local char = text:sub(place, place)
    if char == "\\" then
      place = place + 1
    elseif char == quote then
      break
    end
    place = place + 1
  end
  return text:sub(at + 1, place - 1), place + 1
end

-- literals(text) → {{line =, text =}, …} in the order of the file.
function source.literals(text)
  local out, at, line = {}, 1, 1
  while at <= #text do
    local char, content, next_at = text:sub(at, at), nil, at + 1
    if text:find("^%-%-", at) then
      local _, stop = long(text, at + 2)
      next_at = stop or text:find("\n", at, true) or #text + 1
    elseif char == '"' or char == "'" then
      content, next_at = quoted(text, at)
    elseif char == "[" then
      content, next_at = long(text, at)
      next_at = next_at or at + 1
    end
    if content then out[#out + 1] = { line = line, text = content } end
    for _ in text:sub(at, next_at - 1):gmatch "\n" do line = line + 1 end
    at = next_at
  end
  return out
end

-- The text of a file.
function source.read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

return source
