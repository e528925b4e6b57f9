-- Rows for documents: Markdown (GitHub's tables) and LaTeX (booktabs). heads: names of the
-- columns; cells[i][j] = {text =, bold =}; right[j]: the column holds numbers.
local markup = {}

local function padded(text, width, right)
  local space = (" "):rep(width - (utf8.len(text) or #text))
  return right and space .. text or text .. space
end

-- A text, such as a name from outside, escaped so that Markdown shows it literally.
function markup.md_text(text)
  return (text:gsub("[|*_`~%[%]!\\]", "\\%0"):gsub("&", "&amp;"):gsub("<", "&lt;"))
end

function markup.md(heads, cells, right)
  local lines, widths = { {} }, {}
  for j, head in ipairs(heads) do lines[1][j] = markup.md_text(head) end
  for i, row in ipairs(cells) do
    lines[i + 1] = {}
    for j, cell in ipairs(row) do
      local text = markup.md_text(cell.text)
      lines[i + 1][j] = cell.bold and "**" .. text .. "**" or text
    end
  end
  for j in ipairs(heads) do
    widths[j] = 3
    for _, line in ipairs(lines) do widths[j] = math.max(widths[j], utf8.len(line[j]) or #line[j]) end
  end
  local out, rule = {}, {}
  for j in ipairs(heads) do
    rule[j] = ("-"):rep(widths[j] - (right[j] and 1 or 0)) .. (right[j] and ":" or "")
  end
  for _, line in ipairs(lines) do
    for j in ipairs(heads) do line[j] = padded(line[j], widths[j], right[j]) end
    out[#out + 1] = "| " .. table.concat(line, " | ") .. " |\n"
  end
  table.insert(out, 2, "| " .. table.concat(rule, " | ") .. " |\n")
  return table.concat(out)
end

local LATEX = { ["\\"] = "\\textbackslash{}", ["{"] = "\\{", ["}"] = "\\}", ["~"] = "\\textasciitilde{}",
  ["^"] = "\\textasciicircum{}", ["&"] = "\\&", ["%"] = "\\%", ["$"] = "\\$", ["#"] = "\\#",
  ["_"] = "\\_", ["<"] = "\\textless{}", [">"] = "\\textgreater{}", ["|"] = "\\textbar{}" }
local LETTERS = { ["±"] = "$\\pm$", ["λ"] = "$\\lambda$", ["γ"] = "$\\gamma$", ["Δ"] = "$\\Delta$",
  ["−"] = "$-$", ["…"] = "\\dots{}", ["·"] = "$\\cdot$", ["–"] = "--" }

local function latex_text(text)
  text = text:gsub("[\\{}~^&%%$#_<>|]", LATEX)
  return (text:gsub("[\xC2-\xF4][\x80-\xBF]+", LETTERS))
end

-- Needs \usepackage{booktabs}.
function markup.latex(heads, cells, right)
  local out, spec, line = {}, {}, {}
  for j, head in ipairs(heads) do spec[j], line[j] = right[j] and "r" or "l", latex_text(head) end
  out[1] = "\\begin{tabular}{" .. table.concat(spec) .. "}\n\\toprule\n"
  out[2] = table.concat(line, " & ") .. " \\\\\n\\midrule\n"
  for _, row in ipairs(cells) do
    line = {}
    for j, cell in ipairs(row) do
      local text = cell.text == "n/a" and "--" or latex_text(cell.text)
      line[j] = cell.bold and "\\textbf{" .. text .. "}" or text
    end
    out[#out + 1] = table.concat(line, " & ") .. " \\\\\n"
  end
  out[#out + 1] = "\\bottomrule\n\\end{tabular}\n"
  return table.concat(out)
end

return markup
