-- Annotations as text for a terminal: a member with its arguments, a class with its members, the
-- table of contents. See manual.lua, which finds them.
local annotations = require "aniso.prompt.help.annotations"
local width = require("aniso.show.table").width

local text = {}

local function short(name)
  return (name:gsub("%f[%w]aniso%.", ""))
end

local LINE, LEFT = 100, 34

-- Wraps words into lines of at most `columns`.
local function wrapped(words, columns)
  local lines, line = {}, nil
  for word in words:gmatch "%S+" do
    if line and width(line) + 1 + width(word) > columns then
      lines[#lines + 1], line = line, word
    else
      line = line and line .. " " .. word or word
    end
  end
  lines[#lines + 1] = line
  return lines
end

-- Rows as columns; the last one continues on further lines. A row that is wide on the left has its last cell
-- below.
local function columns(rows, indent)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for j = 1, #row - 1 do
      widths[j] = math.max(widths[j] or 0, width(row[j]) <= LEFT and width(row[j]) or 0)
    end
  end
  for _, row in ipairs(rows) do
    local left = indent
    for j = 1, #row - 1 do
      left = left .. row[j] .. (" "):rep(widths[j] - width(row[j])) .. "  "
    end
    local start = #indent
    for j = 1, #row - 1 do start = start + widths[j] + 2 end
    for i, line in ipairs(wrapped(row[#row], LINE - start)) do
      if i == 1 and width(left) > start then
        lines[#lines + 1], left = left:gsub("%s+$", ""), ""
      end
      lines[#lines + 1] = left .. (" "):rep(start - width(left)) .. line
      left = ""
    end
    if not row[#row]:find "%S" then lines[#lines + 1] = (left:gsub("%s+$", "")) end
  end
  return lines
end

local function append(lines, more)
  for _, line in ipairs(more) do lines[#lines + 1] = line end
end

local function paragraph(lines, words)
  for _, line in ipairs(wrapped(words, LINE - 2)) do lines[#lines + 1] = "  " .. line end
end

-- "noised(y0, m, t, eps [, level]) → Tensor"
local function signature(member)
  if member.kind == "field" then return ("%s: %s"):format(member.name, short(member.type)) end
  local arguments, results, open = "", {}, 0
  for i, param in ipairs(member.params) do
    local comma = i > 1 and ", " or ""
    if param.optional then
      arguments, open = arguments .. (i > 1 and " [" or "[") .. comma .. param.name, open + 1
    else
      arguments = arguments .. comma .. param.name
    end
  end
  for i, result in ipairs(member.returns) do results[i] = short(result.type) end
  return ("%s(%s%s)%s"):format(member.name, arguments, ("]"):rep(open),
    #results > 0 and " → " .. table.concat(results, ", ") or "")
end

local function of_member(one)
  local member = one.member
  local before = short(one.path):match "^(.*)%." or ""
  local mark = before == "" and "" or member.kind == "method" and ":" or "."
  local lines, rows = { before .. mark .. signature(member) }, {}
  paragraph(lines, member.text)
  for _, param in ipairs(member.params or {}) do
    rows[#rows + 1] = { param.name .. (param.optional and "?" or ""), short(param.type), param.text }
  end
  for _, result in ipairs(member.returns or {}) do
    if result.text ~= "" then rows[#rows + 1] = { "→", short(result.type), result.text } end
  end
  if #rows > 0 then append(lines, columns(rows, "    ")) end
  return lines
end

local function of_class(all, class)
  local lines, fields, functions = { short(class.name) }, {}, {}
  paragraph(lines, class.text)
  for _, overload in ipairs(class.overloads) do
    lines[#lines + 1] = "  called: " .. short(overload:gsub("^fun", ""))
  end
  for _, member in ipairs(annotations.list(all, class.name)) do
    local first = member.text:match "^(.-%.)%s" or member.text
    if member.kind == "field" then
      local name = math.type(member.name) and ("[%d]"):format(member.name) or member.name
      fields[#fields + 1] = { name .. (member.optional and "?" or ""), short(member.type), member.text }
    else
      functions[#functions + 1] = { (member.kind == "method" and ":" or ".") .. signature(member), first }
    end
  end
  append(lines, columns(fields, "    "))
  append(lines, columns(functions, "    "))
  return lines
end

-- For an option, also the members of its classes.
local function below_option(all, parts)
  local lines = {}
  for _, part in ipairs(parts) do
    local class = all.classes[part]
    if class and part:match "^aniso%.option%." then
      lines[#lines + 1] = ""
      append(lines, of_class(all, class))
    end
  end
  return lines
end

-- one: {class =, member = or nil, path =}
function text.of(all, one)
  local lines = one.member and of_member(one) or of_class(all, one.class)
  if one.member and one.member.kind == "field" then
    local parts = annotations.parts(all, one.member.type)
    append(lines, below_option(all, parts))
  end
  return table.concat(lines, "\n")
end

function text.contents(all)
  local rows, values, options = {}, {}, {}
  for _, member in ipairs(all.classes.aniso.members) do
    local class = all.classes[member.type]
    local summary = member.text ~= "" and member.text or class and class.text or ""
    rows[#rows + 1] = { "aniso." .. member.name, summary:match "^(.-%.)%s" or summary }
  end
  for _, class in ipairs(all.order) do
    local name = class.name:match "^aniso%.(%u%w+)$"
    for _, member in ipairs(name and class.members or {}) do
      if member.kind == "method" then
        values[#values + 1] = name
        break
      end
    end
  end
  table.sort(values)
  for _, member in ipairs(all.classes["aniso.Config"].members) do
    options[#options + 1] = { member.name, member.text }
  end
  local lines = { 'help(x), help "schedule.lambda" or aniso help lua NAME explains these.', "" }
  append(lines, columns(rows, "  "))
  append(lines, { "", "Values, as help \"Schedule\" or help(s):" })
  paragraph(lines, table.concat(values, ", "))
  append(lines, { "", "Options of a run, as help \"train.lr\":" })
  append(lines, columns(options, "  "))
  return table.concat(lines, "\n")
end

return text
