-- A self-contained HTML page: no script, nothing fetched, light and dark, printable, and also well-formed
-- XML. All text from outside (names, paths, notes) passes through escape.
local escape = require "aniso.show.escape"
local output_file = require "aniso.show.output_file"
local style = require "aniso.show.report.style"

local page = { escape = escape }

local POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

-- A cell is a value, or {text =, bold =, value =} as show/group_rows.lua returns them.
local function shown(value)
  if value == nil then return "n/a" end
  if type(value) == "table" then
    local text = escape(value.text)
    return value.bold and "<strong>" .. text .. "</strong>" or text
  end
  return escape(math.type(value) == "float" and ("%.6g"):format(value) or value)
end

-- A number as a cell; nil stays nil.
function page.cell(value, format)
  return value and { text = format:format(value), value = value } or nil
end

local function is_number(value)
  if type(value) == "table" then return type(value.value) == "number" end
  return value == nil or type(value) == "number"
end

-- Columns of numbers are aligned to the right.
local function sides(columns, rows)
  local right = {}
  for j = 2, #columns do
    right[j] = #rows > 0
    for _, row in ipairs(rows) do right[j] = right[j] and is_number(row[j]) end
  end
  return right
end

-- Content that may be wider than the screen scrolls separately, also by keyboard.
local function wide(name, body)
  return ('<div class="wide" tabindex="0" role="group" aria-label="%s">%s</div>'):format(escape(name), body)
end

-- Columns are names; rows are lists of cells, the first of which names the row; row.class [opt].
function page.table(caption, columns, rows)
  local right = sides(columns, rows)
  local out = { ("<table><caption>%s</caption><thead><tr>"):format(escape(caption)) }
  for j, column in ipairs(columns) do
    out[#out + 1] = ('<th scope="col"%s>%s</th>'):format(right[j] and ' class="num"' or "", escape(column))
  end
  out[#out + 1] = "</tr></thead><tbody>"
  for _, row in ipairs(rows) do
    out[#out + 1] = ('\n<tr%s><th scope="row">%s</th>'):format(
      row.class and (' class="%s"'):format(row.class) or "", shown(row[1]))
    for j = 2, #columns do
      out[#out + 1] = (right[j] and '<td class="num">' or "<td>") .. shown(row[j]) .. "</td>"
    end
    out[#out + 1] = "</tr>"
  end
  out[#out + 1] = "</tbody></table>"
  return wide(caption, table.concat(out))
end

function page.paragraph(format, ...)
  return "<p>" .. escape(select("#", ...) > 0 and format:format(...) or format) .. "</p>"
end

-- {{name, text} …}; instead of text, markup = … is possible.
function page.facts(list)
  local out = { '<dl class="facts">' }
  for _, fact in ipairs(list) do
    out[#out + 1] = ("<dt>%s</dt><dd>%s</dd>"):format(escape(fact[1]), fact.markup or escape(fact[2]))
  end
  return table.concat(out) .. "</dl>"
end

function page.details(summary, body)
  return ("<details><summary>%s</summary>%s</details>"):format(escape(summary), body)
end

-- drawing: one SVG text, or several side by side; caption: a sentence; data: the table behind it.
function page.figure(drawing, caption, data)
  local inner = type(drawing) == "table" and '<div class="pair">' .. table.concat(drawing, "\n") .. "</div>"
    or wide("Figure", drawing)
  return ("<figure>%s<figcaption>%s</figcaption>%s</figure>"):format(inner, escape(caption),
    page.details("The numbers of this figure", data))
end

-- {id =, name =, body =}: a section with its heading; nil without a body.
function page.section(id, name, body)
  if type(body) == "table" then body = table.concat(body, "\n") end
  return { id = id, name = name, body = body }
end

local function contents(sections)
  local out = { '<nav aria-label="Contents"><ul>' }
  for _, section in ipairs(sections) do
    out[#out + 1] = ('<li><a href="#%s">%s</a></li>'):format(section.id, escape(section.name))
  end
  return table.concat(out) .. "</ul></nav>"
end

-- title, lead, footer: texts; opening: markup before the contents.
function page.whole(of)
  local out = { ([[
<!DOCTYPE html>
<html lang="en" xmlns="http://www.w3.org/1999/xhtml"><head><meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="%s"/>
%s
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>%s</title>
<style>
%s</style></head>
<body><a class="skip" href="#main">To the content</a>
<header><h1>%s</h1><p class="lead">%s</p></header>
<main id="main" tabindex="-1">
%s
%s]]):format(POLICY, output_file.marks.report, escape(of.title), style.sheet(), escape(of.title),
    escape(of.lead), of.opening, contents(of.sections)) }
  for _, section in ipairs(of.sections) do
    out[#out + 1] = ('<section id="%s" aria-labelledby="%s-h"><h2 id="%s-h">%s</h2>\n%s\n</section>'):format(
      section.id, section.id, section.id, escape(section.name), section.body)
  end
  out[#out + 1] = ("</main>\n<footer><p>%s</p></footer></body></html>\n"):format(escape(of.footer))
  return table.concat(out, "\n")
end

return page
