-- Runs the sessions of the READMEs again and compares their output with the blocks shown.
--   aniso exec tests/cli/transcript.lua write FOLDER SESSION README.md …   puts the real output into blocks
--   aniso exec tests/cli/transcript.lua check FOLDER SESSION README.md …   compares, in TAP
-- A last argument FIRST-LAST takes these blocks of the page alone, for a test that does more between blocks.
-- FOLDER is new and has ./aniso and recipes/; the commands run there in the order of the pages. SESSION is
-- one word for each block, its command's name.
--
-- A block is indented by four spaces and begins with a command, "$ …". The command continues over lines
-- that end in \, and to the end of its here-document. Its output follows: stdout, and from stderr only
-- the line "written to FILE". FOLDER is shown as HOME, and text without the bold that it has
-- on a terminal: mpirun gives a rank one.
local transcript = {}

local HOME = "/home/me/aniso"

local function here_document(line) return line:match "<<%s*['\"]?(%w+)" end

-- A page's lines → list of { command = text, shown = {lines}, first =, last = } (the output's lines).
function transcript.blocks(lines)
  local blocks, at = {}, 1
  local function take(prefix)
    local text = lines[at]:sub(#prefix + 1)
    at = at + 1
    return text
  end
  while at <= #lines do
    if not lines[at]:find "^    %$ " then
      at = at + 1
    else
      local command = { take "    $ " }
      local stop = here_document(command[1])
      while lines[at] and (command[#command]:find "\\$" or stop and command[#command] ~= stop) do
        command[#command + 1] = take "    "
      end
      local block = { command = table.concat(command, "\n"), shown = {}, first = at }
      while lines[at] and (lines[at] == "" or lines[at]:find "^    ") and not lines[at]:find "^    %$ " do
        block.shown[#block.shown + 1] = take "    "
      end
      while block.shown[#block.shown] == "" do
        table.remove(block.shown)
      end
      block.last = block.first + #block.shown - 1
      blocks[#blocks + 1] = block
    end
  end
  return blocks
end

local function lines_of(path)
  local out = {}
  for line in io.lines(path) do out[#out + 1] = (line:gsub("%s+$", "")) end
  return out
end

-- Runs a block's command; returns the lines it printed, its exit code and the path of its stderr.
function transcript.run(block, folder)
  local script, errors = folder .. "/command", folder .. "/errors"
  local file <close> = assert(io.open(script, "w"))
  file:write(block.command, "\n")
  file:close()
  local _, _, code = os.execute(("cd '%s' && sh command >output 2>errors </dev/null"):format(folder))
  local got = lines_of(folder .. "/output")
  for _, line in ipairs(lines_of(errors)) do
    if line:find "^written to " then got[#got + 1] = line end
  end
  local here = folder:gsub("%p", "%%%0")
  for i, line in ipairs(got) do got[i] = line:gsub("\27%[[%d;]*m", ""):gsub(here, HOME, 1) end
  return got, code, errors
end

-- ── comparing ──

-- Masks what differs between machines and days: ids, dates, durations, judgements about noise, numbers of
-- jobs, and of the line of a task its node and the last line of its log.
local function masked(line)
  line = line:gsub("%f[%w]job %d+", "job JOB"):gsub("^(task %d+  )running on %w+", "%1running on NODE")
  line = line:gsub("^(task .* runs finished)  .*", "%1  LINE")
  line = line:gsub("%(within noise%)", "(JUDGED)"):gsub("%(beyond [^)]+%)", "(JUDGED)")
  line = line:gsub("%f[%w]0[%dA-HJKMNP-TV-Z]+%f[%W]", function(word) return #word >= 8 and "ID" or nil end)
  return (line:gsub("%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d", "DATE"):gsub("%f[%w]%d+:%d%d%f[%W]", "TIME"))
end

-- Extracts the decimals of a line: returns the text with # for each, and the decimals before its first
-- interval or n/a. A decimal inside a name (gamma=0.5) is a part of the name, and whole numbers are text
-- too: seeds, counts and labels must be equal. n/a is an undefined number, [a, b] and [a, 0.000] are
-- intervals.
local function decimals(line)
  local number, list = "([%s%[{(,])([+-]?%d+%.%d+)", {}
  line = " " .. line
  local firm = line:gsub("n/a", "["):match "^[^%[]*"
  for _, found in firm:gmatch(number) do list[#list + 1] = found end
  local text = line:gsub(number, "%1#"):gsub("n/a", "#"):gsub("%[#, #%]", "#")
  return text, list
end

local function places(number) return #number:match "%.(%d+)" end

-- Results of training differ between processors, whose kernels round differently, and small trainings
-- amplify the differences: up to 0.07 over three sets of OpenBLAS kernels, so TRAINED is allowed.
-- Intervals and their p vary widely with three seeds: only their form is compared. Formulas must agree to
-- two units of the last place. The number of decimals must be the one shown.
local TRAINED = 0.2

local function agrees(shown, got, trained)
  local unit = 10.0 ^ -places(shown)
  return places(shown) == places(got) and
    math.abs(tonumber(shown) - tonumber(got)) <= (trained and TRAINED or 2 * unit) + unit / 10
end

-- Rows of a drawing of trained numbers are not compared (nil); those of formulas are text. The note that
-- McNemar's test has too few images is not compared either: it depends on how many.
local function drawn(line, trained)
  if trained and line:find "^%- .*: at seed " then return nil end
  if not line:find "^%s*[%d.-]* ?\xE2\x94[\xA4\x82\x94]" then return line end -- ┤ │ └
  return not trained and "│" .. line or nil
end

local function readable(lines, trained)
  local out = {}
  for _, line in ipairs(lines) do
    local text = drawn(masked(line), trained)
    if text and text ~= "" then
      out[#out + 1] = { (text:gsub("─", "-"):gsub("%-%-+", "-"):gsub("%s+", " ")), line }
    end
  end
  return out
end

-- Returns a list of faults, empty if the output agrees with what is shown.
function transcript.differences(block, got)
  local trained = not block.command:find("aniso schedule", 1, true)
  local a, b, faults = readable(block.shown, trained), readable(got, trained), {}
  for i = 1, math.max(#a, #b) do
    local shown, printed = a[i] or { "", "(nothing)" }, b[i] or { "", "(nothing)" }
    local text, expected = decimals(shown[1])
    local other, found = decimals(printed[1])
    local same = text == other
    for k = 1, same and math.min(#expected, #found) or 0 do
      same = same and agrees(expected[k], found[k], trained)
    end
    if not same then faults[#faults + 1] = ("shown: %s\n# now:   %s"):format(shown[2], printed[2]) end
  end
  return faults
end

-- ── writing and checking ──

-- The blocks of a page, or those of a range.
local function chosen(lines, range)
  local blocks, first, last = transcript.blocks(lines), (range or "1-1000"):match "(%d+)-(%d+)"
  return table.move(blocks, tonumber(first), math.min(tonumber(last), #blocks), 1, {})
end

local function write(path, folder, range)
  local lines = lines_of(path)
  local blocks = chosen(lines, range)
  local outputs = {}
  for i, block in ipairs(blocks) do
    io.stderr:write("$ ", block.command, "\n")
    local got, code, errors = transcript.run(block, folder)
    if code ~= 0 then error(table.concat(lines_of(errors), "\n"), 0) end
    outputs[i] = got
  end
  for i = #blocks, 1, -1 do
    local block, new = blocks[i], {}
    for _, line in ipairs(outputs[i]) do new[#new + 1] = line == "" and "" or "    " .. line end
    table.move(lines, block.last + 1, #lines, #new + 1, new)
    for k = #lines, block.first, -1 do lines[k] = nil end
    table.move(new, 1, #new, block.first, lines)
  end
  assert(require("aniso.core").sys.write_atomic(path, table.concat(lines, "\n") .. "\n"))
end

local number, failures = 0, 0
local function verdict(name, fine, faults)
  number = number + 1
  if not fine then failures = failures + 1 end
  print(("%s %d - %s"):format(fine and "ok" or "not ok", number, name))
  for _, fault in ipairs(not fine and faults or {}) do print("# " .. fault) end
end

-- Changes of the text shown in a README.md that must be detected, or tolerated: { what, pattern, replacement,
-- harmless }.
local changes = {
  run = { { "another digit", "(0%.%d%d)%d", "%11", true }, { "a number far off", "0%.[6-9]", "0.3" },
    { "a number of another form", "(0%.%d%d)%d", "%1" }, { "a missing column", "  macro_f1", "" },
    { "other seeds", "chain      3", "chain      2" }, { "another label", "gamma=0%.5", "gamma=0.6" } },
  ls = { { "another id and day", "01%w+", "01AAAAAAAA", true }, { "a changed word", "finished", "failed" },
    { "another seed", "    2  finished", "    3  finished" }, { "a missing number", "  0%.%d+", "" } },
  notes = { { "another judgement", "%(within noise%)", "(beyond noise)", true },
    { "a missing judgement", " %(%l+ noise%)", "" }, { "another count", "vasc 12", "vasc 13" } },
  metrics = { { "an interval of another form", "%[([^,]+), [^%]]+%]", "[%1]" } },
  curve = { { "another title", "mean ± sd", "median" } },
  schedule = { { "a number one unit off", "0%.9203", "0.9202", true },
    { "a number three units off", "0%.9203", "0.9200" },
    { "an axis label", "2%.0 ┤", "2.1 ┤" }, { "a dot", "⣀", "⣄" },
    { "a legend", "class 4: n 115", "class 4: n 116" } },
  repl = { { "another count of runs", "9 runs", "8 runs" }, { "another count of images", "563", "564" } },
}

-- Checks the output of one block, and that each change of it is detected.
local function check_block(block, name, path, folder)
  local got, code, errors = transcript.run(block, folder)
  local faults = transcript.differences(block, got)
  if code ~= 0 then faults = lines_of(errors) end
  verdict(("%s prints what %s shows"):format(name, path), code == 0 and #faults == 0, faults)
  for _, change in ipairs(path:find "README%.md$" and changes[name] or {}) do
    local what, pattern, replacement, harmless = table.unpack(change)
    local text, count = table.concat(got, "\n"):gsub(pattern, replacement, 1)
    local altered = { command = block.command, shown = {} }
    for line in text:gmatch "[^\n]*" do table.insert(altered.shown, line) end
    local faulty = #transcript.differences(altered, got) > 0
    verdict(("%s: %s is %s"):format(name, what, harmless and "tolerated" or "detected"),
      count == 1 and faulty == not harmless, { "changed " .. count .. " places" })
  end
  if #got > 0 then
    local short = { command = block.command, shown = table.move(got, 1, #got - 1, 1, {}) }
    verdict(name .. ": a missing last line is detected", #transcript.differences(short, got) > 0)
  end
end

local function check(paths, folder, session, range)
  local seen = {}
  for _, path in ipairs(paths) do
    local lines = lines_of(path)
    for _, block in ipairs(chosen(lines, range)) do
      local name = block.command:match "%-%-section (%l+)" or block.command:match "%-%-svg" and "picture"
        or block.command:match "^%./aniso (%l+)" or block.command:match "^%l+"
      seen[#seen + 1] = name
      check_block(block, name, path, folder)
    end
    for picture in table.concat(lines, "\n"):gmatch "!%[[^%]]*%]%(([^)]+)%)" do
      verdict("the picture exists: " .. picture, io.open(picture) ~= nil)
    end
  end
  local found = table.concat(seen, " ")
  verdict("the session is complete", found == session, { found })
end

local mode, folder, session = ...
local paths = { select(4, ...) }
local range = paths[#paths]:find "^%d+%-%d+$" and table.remove(paths)
if mode == "write" then
  for _, path in ipairs(paths) do write(path, folder, range) end
else
  check(paths, folder, session, range)
end
os.exit(failures == 0 and 0 or 1, true)
