-- What commands and the prompt print passes through aniso.show.console or aniso.show.table, which show
-- control characters as codes. A line that is allowed to use Lua's own functions prints text of the program
-- alone, or text that has passed through there; it is listed here.
local files = dofile "tests/lint/files.lua"

local PLAIN = { "%f[%w_.:]print%s*[(\"]", "io%.stdout:write", "io%.stderr:write", "io%.write" }

-- path → texts of the lines that are allowed.
local ALLOWED = {
  ["lua/aniso/cli/compare.lua"] = { "compare_records", "show.text(" },
  ["lua/aniso/cli/completion.lua"] = { "finish[args.shell]" },
  ["lua/aniso/cli/exec.lua"] = { "print(usage)", 'rawset(_G, "print"' },
  ["lua/aniso/cli/help.lua"] = { "manual.contents()", "concat(texts", ".summary", "print(ending)",
    "classification" },
  ["lua/aniso/cli/init.lua"] = { "sys.version" },
  ["lua/aniso/cli/schedule.lua"] = { "colours of a figure" },
  ["lua/aniso/cli/show.lua"] = { "sys.visible" },
  ["lua/aniso/prompt/repl.lua"] = { '"aniso.prompt.results"(...)', "%s threads" },
}

local function is_allowed(path, line)
  for _, text in ipairs(ALLOWED[path] or {}) do
    if line:find(text, 1, true) then return true end
  end
  return false
end

local function is_fault(path, line)
  if is_allowed(path, line) then return false end
  local code = line:gsub("%-%-.*$", ""):gsub('"[^"]*"', '""')
  for _, pattern in ipairs(PLAIN) do
    if code:find(pattern) then return true end
  end
  return false
end

local faults = {}
for _, path in ipairs(files.find "%.lua$") do
  local checked = path:find "^lua/aniso/cli/" or path:find "^lua/aniso/prompt/[^/]+%.lua$"
  for number, line in ipairs(checked and files.lines(path) or {}) do
    if is_fault(path, line) then
      faults[#faults + 1] = ("%s:%d: prints by itself; aniso.show.console does"):format(path, number)
    end
  end
end
files.verdict("commands print through aniso.show.console", faults)

local planted = {
  { "  print(run.label)", true },
  { '  io.stderr:write("x ", path, "\\n")', true },
  { "  io.stdout:write(text)", true },
  { "  console.print(run.label)", false },
  { "  tables.print(columns, rows)", false },
  { "  board:print(line)", false },
  { "  -- print(x) is not used", false },
}
local wrong = {}
for _, case in ipairs(planted) do
  if is_fault("lua/aniso/cli/x.lua", case[1]) ~= case[2] then wrong[#wrong + 1] = case[1] end
end
files.verdict("commands print through aniso.show.console: planted lines are seen", wrong)
files.finish()
