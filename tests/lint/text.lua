-- Lengths of files and lines, no tabs, no space at a line's end, a comment first, none of the
-- words that promise work for later, and no parallel loop that may form a team of one.
local files = dofile "tests/lint/files.lua"

-- A file that is longer for a reason: path → {limit, reason}.
local longer = {}

local function limit_of(path)
  if longer[path] then return longer[path][1] end
  return path:match "%.lua$" and 250 or 400
end

local later = { "TO" .. "DO", "FIX" .. "ME", "X" .. "XX" }

local checks = {
  { "lengths of files", function(path, lines, report)
    local most = limit_of(path)
    if #lines > most then report(("%s: %d lines, at most %d"):format(path, #lines, most)) end
  end },
  { "no tabs, no trailing spaces", function(path, lines, report)
    for number, line in ipairs(lines) do
      if line:find "\t" or line:find "%s$" then report(path .. ":" .. number) end
    end
  end },
  { "the first line is a comment", function(path, lines, report)
    if not (lines[1] or ""):match "^/%*" and not (lines[1] or ""):match "^%-%-" then report(path) end
  end },
  { "nothing is left for later", function(path, lines, report)
    for number, line in ipairs(lines) do
      for _, word in ipairs(later) do
        if line:find("%f[%w]" .. word .. "%f[%W]") then report(path .. ":" .. number .. ": " .. word) end
      end
    end
  end },
  { "lines of at most 100 columns in C, 110 in Lua", function(path, lines, report)
    local most = path:match "%.lua$" and 110 or 100
    for number, line in ipairs(lines) do
      if (utf8.len(line) or #line) > most then report(path .. ":" .. number) end
    end
  end },
  { "short loops are plain calls: an_par_for(), no if clause", function(path, lines, report)
    for number, line in ipairs(lines) do
      if line:find "^%s*#pragma omp parallel.*%f[%w]if%s*%(" then report(path .. ":" .. number) end
    end
  end },
}

local contents = {}
for _, pattern in ipairs { "%.[ch]$", "%.lua$" } do
  for _, path in ipairs(files.find(pattern)) do contents[#contents + 1] = { path, files.lines(path) } end
end
for _, check in ipairs(checks) do
  local faults = {}
  for _, file in ipairs(contents) do
    check[2](file[1], file[2], function(text) faults[#faults + 1] = text end)
  end
  files.verdict("text: " .. check[1], faults)
end

-- Each rule has to find a file that breaks it.
local later_word = later[1]
local planted = {
  ["lengths of files"] = { "/* x */", ("\n"):rep(400) },
  ["no tabs, no trailing spaces"] = { "/* x */", "\tint a;", "int b; " },
  ["the first line is a comment"] = { "int a;" },
  ["nothing is left for later"] = { "/* " .. later_word .. " */" },
  ["lines of at most 100 columns in C, 110 in Lua"] = { "/* x */", ("é"):rep(101) },
  ["short loops are plain calls: an_par_for(), no if clause"] = { "#pragma omp parallel for if (n > 1)" },
}
for _, check in ipairs(checks) do
  local lines, found = {}, 0
  for line in table.concat(planted[check[1]], "\n"):gmatch "[^\n]*" do lines[#lines + 1] = line end
  check[2]("engine/x.h", lines, function() found = found + 1 end)
  files.verdict("text: a violation is seen: " .. check[1], found > 0 and {} or { "found none" })
end
files.finish()
