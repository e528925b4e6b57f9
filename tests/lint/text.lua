-- Lengths of files and lines, no tabs, no space at a line's end, a comment first, no words that
-- announce work for later, no parallel loop with an if clause; and the vocabulary of comments and names.
local files = dofile "tests/lint/files.lua"
local source_text = dofile "tests/lint/source_text.lua"

-- README.md is the page for newcomers: it stays short.
local function limit_of(path)
  if path == "README.md" then return 199 end
  return path:match "%.lua$" and 250 or 400
end

local later = { "TO" .. "DO", "FIX" .. "ME", "X" .. "XX" }

-- Words for people, not for code, and words outside of technical English: { word = what to write }. A
-- word is a run of letters, so that words in names count too: "wants_map", "is_told".
local anywhere = {
  nobody = "unused, absent …", everybody = "all …", somebody = "a process, a caller …",
  anybody = "any process …", told = "reported, shown", tells = "reports, shows", beside = "next to",
  lies = "is in, wrong values", stands = "is", dear = "expensive", mood = "depends on …", amid = "during",
  remembers = "stores, keeps", likes = "may have", swallow = "discard",
  spelt = "written", purse = "scratch", afresh = "again", company = "batch, other rows",
}
local in_comments = {
  want = "require", wants = "requires", says = "states, contains", said = "stated", asks = "calls, requests",
  asked = "requested", knows = "has, stores", know = "has, may require",
  ask = "request, call", alive = "in progress, open", obeys = "follows", forgets = "discards",
  survives = "is kept", whoever = "any …",
}
local phrases = {
  ["sees to"] = "handles", ["Lets go of"] = "Releases", ["writer lives"] = "exists",
  ["shows itself"] = "prints as a plot", ["Shows itself"] = "Prints as a plot",
  ["gives back"] = "returns, releases", ["for good"] = "permanently",
  ["that is none"] = "an invalid …", ["live to"] = "are still running", ["worked out"] = "computed",
}

-- The first listed word of a text and its replacement; nil if there is none.
local function listed_word(text, list)
  for word in text:gmatch "%a+" do
    if list[word:lower()] then return word, list[word:lower()] end
  end
end

local function listed_phrase(text)
  for phrase, better in pairs(phrases) do
    if text:find("%f[%a]" .. phrase .. "%f[%A]") then return phrase, better end
  end
end

-- A listed phrase that begins at the end of one comment and ends in the comment of the next line.
local function broken_phrase(before, after)
  local text = before .. " " .. after:gsub("^[%s%-%*/#]+", "")
  for phrase, better in pairs(phrases) do
    local at, stop = text:find("%f[%a]" .. phrase .. "%f[%A]")
    if at and at <= #before and stop > #before then return phrase, better end
  end
end

-- In tests/ and store/ the whole line is checked against all lists, elsewhere only comments are checked
-- against in_comments and phrases. This file has the lists.
local function check_words(path, lines, report)
  if path == "tests/lint/text.lua" then return end
  local whole = path:find "^tests/" or path:find "^store/"
  local comments = source_text.split(lines, path:match "%.(%w+)$" or "sh")
  for number, line in ipairs(lines) do
    local prose = whole and line or comments[number]
    local word, better = listed_word(line, anywhere)
    if not word then word, better = listed_word(prose, in_comments) end
    if not word then word, better = listed_phrase(prose) end
    if not word then word, better = broken_phrase(comments[number - 1] or "", comments[number]) end
    if word then report(("%s:%d: %s; better: %s"):format(path, number, word, better)) end
  end
end

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

local contents, scripts = {}, {}
for _, pattern in ipairs { "%.sh$", "%.py$", "^run$", "^queries$", "^deps$" } do
  for _, path in ipairs(files.find(pattern)) do scripts[#scripts + 1] = { path, files.lines(path) } end
end
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

local faults = {}
for _, list in ipairs { contents, scripts } do
  for _, file in ipairs(list) do
    check_words(file[1], file[2], function(text) faults[#faults + 1] = text end)
  end
end
files.verdict("text: technical words in comments and names", faults)

local readme = {}
checks[1][2]("README.md", files.lines "README.md", function(text) readme[1] = text end)
files.verdict("text: README.md has fewer than 200 lines", readme)

-- Each clause of a rule must detect a file that breaks it. { position of the rule in `checks`, path, text,
-- number of faults }
local planted = {
  { 1, "engine/x.h", ("\n"):rep(400), 1 }, { 1, "engine/x.h", ("\n"):rep(399), 0 },
  { 1, "lua/x.lua", ("\n"):rep(250), 1 }, { 1, "lua/x.lua", ("\n"):rep(249), 0 },
  { 1, "README.md", ("\n"):rep(199), 1 }, { 1, "README.md", ("\n"):rep(198), 0 },
  { 2, "engine/x.h", "\tint a;", 1 }, { 2, "engine/x.h", "int b; ", 1 },
  { 3, "engine/x.h", "int a;", 1 }, { 3, "engine/x.h", "/* x */", 0 }, { 3, "lua/x.lua", "-- x", 0 },
  { 4, "engine/x.h", "/* TO" .. "DO */", 1 }, { 4, "engine/x.h", "/* FIX" .. "ME */", 1 },
  { 4, "engine/x.h", "/* X" .. "XX */", 1 },
  { 5, "engine/x.h", ("é"):rep(101), 1 }, { 5, "engine/x.h", ("é"):rep(100), 0 },
  { 5, "lua/x.lua", ("é"):rep(111), 1 }, { 5, "lua/x.lua", ("é"):rep(110), 0 },
  { 5, "engine/x.h", ("\xff"):rep(101), 1 },
  { 6, "engine/x.h", "#pragma omp parallel for if (n > 1)", 1 },
}
for number, case in ipairs(planted) do
  local rule, path, text, expected = table.unpack(case)
  local lines, found = {}, 0
  for line in (text .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  checks[rule][2](path, lines, function() found = found + 1 end)
  files.verdict(("text: planted file %d: %s"):format(number, checks[rule][1]),
    found == expected and {} or { ("found %d of %d in %s"):format(found, expected, path) })
end
-- { path, text, number of faults }
for _, case in ipairs {
  { "lua/x.lua", "-- which this room does not know", 1 }, { "lua/x.lua", "-- networks keep it alive", 1 },
  { "store/x.sql", "-- if its writer lives", 1 }, { "lua/x.lua", "-- each remembers its style", 1 },
  { "engine/x.c", "/* a buffer that nobody reads */", 1 }, { "engine/x.c", "bool is_told;", 1 },
  { "lua/x.lua", "-- the sampler wants levels", 1 }, { "lua/x.lua", "local wants_map = 1", 0 },
  { "tests/x.lua", "local wants_map = 1", 1 }, { "tests/x.sh", "says out x", 1 },
  { "tests/x.py", "# worked out by hand", 1 }, { "engine/x.h", "/* the cache beside it */", 1 },
  { "store/x.sql", "CREATE VIEW wants_map", 1 }, { "engine/x.c", "int a; /* worked out by hand */", 1 },
  { "lua/x.lua", "-- Shows\n-- itself", 1 }, { "engine/x.h", "/* that\n * is none */", 1 },
  { "lua/x.lua", "local Shows\nlocal itself", 0 }, { "lua/x.lua", "-- for good\n-- ends", 1 },
  { "engine/x.c", 'an_fail("wants");', 0 }, { "engine/x.c", "/* requires a map */", 0 },
} do
  local lines, found = {}, 0
  for line in (case[2] .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  check_words(case[1], lines, function() found = found + 1 end)
  files.verdict("text: technical words: " .. case[2]:gsub("\n", " / "),
    found == case[3] and {} or { found .. " faults" })
end
files.finish()
