-- An HTML page that stands alone: no script, nothing fetched, light and dark, printable.
-- Whatever comes from outside (names, paths, notes) passes through page.escape.
local page = {}

local STYLE = [[
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif}
body{max-width:60rem;margin:auto;padding:1rem}
table{border-collapse:collapse}th,td{padding:.2rem .7rem;text-align:left;border-bottom:1px solid #8886}
.wide{overflow-x:auto}figure{margin:1rem 0}svg{max-width:100%;height:auto}pre{white-space:pre-wrap}
.verdict{font-size:1.2rem;border-left:.3rem solid #0072b2;padding-left:.8rem}
:focus-visible{outline:3px solid #d55e00}.skip:not(:focus){position:absolute;left:-99rem}
@media print{body{max-width:none}figure,tr{break-inside:avoid}.skip{display:none}}
]]

local ENTITY = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

function page.escape(text)
  return (tostring(text):gsub("[&<>\"']", ENTITY))
end

local function shown(value)
  if value == nil then return "n/a" end
  if type(value) == "table" then
    local text = page.escape(value.text)
    return value.bold and "<strong>" .. text .. "</strong>" or text
  end
  return page.escape(math.type(value) == "float" and ("%.6g"):format(value) or value)
end

-- Columns are names, rows as table.lua takes them.
function page.table(caption, columns, rows)
  local name = page.escape(caption)
  local out = { ('<div class="wide" tabindex="0" role="region" aria-label="%s">'):format(name),
    ("<table><caption>%s</caption><tr>"):format(name) }
  for _, name in ipairs(columns) do out[#out + 1] = '<th scope="col">' .. page.escape(name) .. "</th>" end
  for _, row in ipairs(rows) do
    out[#out + 1] = "</tr>\n<tr>"
    for i = 1, #columns do out[#out + 1] = "<td>" .. shown(row[i]) .. "</td>" end
  end
  out[#out + 1] = "</tr></table></div>"
  return table.concat(out)
end

function page.section(name, body)
  return ("<section>\n<h2>%s</h2>\n%s\n</section>"):format(page.escape(name), body)
end

-- An SVG text (plot.svg) with the table of its numbers behind it.
function page.figure(svg, data)
  return ("<figure>%s<details><summary>The numbers</summary>%s</details></figure>"):format(svg, data)
end

function page.whole(title, sections)
  local name = page.escape(title)
  return ([[<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width"><title>%s</title><style>%s</style></head>
<body><a class="skip" href="#main">To the content</a><main id="main"><h1>%s</h1>
]]):format(name, STYLE, name) .. table.concat(sections, "\n") .. "\n</main></body></html>\n"
end

return page
