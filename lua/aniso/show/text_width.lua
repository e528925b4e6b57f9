-- Measures texts in terminal columns: combining marks take none, wide East Asian letters two. A text
-- that is not UTF-8 takes one column per byte.
local text_width = {}

local function of_code(c)
  if c >= 0x1100 and (c <= 0x115F or (c >= 0x2E80 and c <= 0xA4CF) or (c >= 0xAC00 and c <= 0xD7A3)
      or (c >= 0xF900 and c <= 0xFAFF) or (c >= 0xFE30 and c <= 0xFE6F)
      or (c >= 0xFF00 and c <= 0xFF60) or (c >= 0x1F300 and c <= 0x1FAFF)) then
    return 2
  end
  if (c >= 0x300 and c <= 0x36F) or c == 0x200D or (c >= 0xFE00 and c <= 0xFE0F) then return 0 end
  return 1
end

-- The columns of a text. Most texts are ASCII, for which the search takes a tenth of the loop's time.
function text_width.of(text)
  if not text:find "[\128-\255]" then return #text end
  if not utf8.len(text) then return #text end
  local columns = 0
  for _, c in utf8.codes(text) do columns = columns + of_code(c) end
  return columns
end

-- The longest prefix of a line that fits into `columns` columns.
function text_width.cut(line, columns)
  if not utf8.len(line) then return line:sub(1, columns) end
  local taken = 0
  for at, c in utf8.codes(line) do
    taken = taken + of_code(c)
    if taken > columns then return line:sub(1, at - 1) end
  end
  return line
end

-- Breaks a text into lines of at most `columns` ≥ 2 columns: at spaces, and inside words that are longer
-- than a line. A text without any character is one empty line. Takes linear time.
function text_width.wrap(text, columns)
  local lines, first, taken, space, at = {}, 1, 0, nil, 1
  local is_utf8 = utf8.len(text)
  local function add(last, next_first)
    lines[#lines + 1] = text:sub(first, last):match "^.*[^ ]" or ""
    first, space = next_first, nil
  end
  while at <= #text do
    local after = is_utf8 and utf8.offset(text, 2, at) or at + 1
    local is_space = text:sub(at, after - 1) == " "
    local width = is_utf8 and of_code(utf8.codepoint(text, at)) or 1
    if taken + width > columns then
      if is_space then add(at - 1, after)
      elseif space then add(space - 1, space + 1)
      else add(at - 1, at) end
      taken = text_width.of(text:sub(first, at - 1))
    end
    if is_space then
      if at == first and #lines > 0 then first = after else space = at end
    end
    if first <= at then taken = taken + width end
    at = after
  end
  if first <= #text or #lines == 0 then lines[#lines + 1] = text:sub(first) end
  return lines
end

return text_width
