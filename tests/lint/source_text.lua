-- Splits a source file into its comments and its code, for the checks in this folder.
local source_text = {}

-- What starts a comment up to the end of its line, by the file's extension.
local line_marks = { c = "//", h = "//", lua = "%-%-", sql = "%-%-", py = "%f[#]#%s", sh = "%f[#]#%s" }

-- Masks the quoted strings of a line, which may contain the mark of a comment.
local function without_texts(line)
  return (line:gsub('\\.', "  "):gsub('"[^"]*"', function(text) return (" "):rep(#text) end))
end

-- The comment at the end of a line, its code, and whether a block comment continues after it.
local function split_c(line, open)
  local comment, code, at = {}, {}, 1
  local masked = without_texts(line)
  while at <= #line do
    if open then
      local _, stop = line:find("*/", at, true)
      comment[#comment + 1] = line:sub(at, stop or #line)
      if not stop then return table.concat(comment), table.concat(code), true end
      open, at = false, stop + 1
    else
      local start = masked:find("/%*", at)
      local rest = masked:find("//", at, true)
      if rest and (not start or rest < start) then
        comment[#comment + 1], code[#code + 1] = line:sub(rest), line:sub(at, rest - 1)
        break
      end
      code[#code + 1] = line:sub(at, start and start - 1 or #line)
      if not start then break end
      open, at = true, start
    end
  end
  return table.concat(comment), table.concat(code), open
end

-- Returns two lists, the comment and the code of each line. `kind` is the file's extension; in a Markdown
-- file everything is comment.
function source_text.split(lines, kind)
  local comments, codes, open = {}, {}, false
  for i, line in ipairs(lines) do
    if kind == "md" then
      comments[i], codes[i] = line, ""
    elseif kind == "c" or kind == "h" then
      comments[i], codes[i], open = split_c(line, open)
    else
      local start = without_texts(line):find(line_marks[kind] or "#")
      comments[i] = start and line:sub(start) or ""
      codes[i] = start and line:sub(1, start - 1) or line
    end
  end
  return comments, codes
end

-- Whether a Lua file of tests/lint prints verdicts, so that it is a check and not a helper of one.
function source_text.has_verdict(lines)
  for _, line in ipairs(lines) do
    if line:find "^%s*files%.verdict%(" then return true end
  end
  return false
end

return source_text
