-- Permitted imports between the folders of lua/aniso: a file may require modules of its own folder and of
-- lower layers, not of a higher layer or a sibling folder. Only store/ contains SQL. A require inside a
-- function, and the name of a module in a table or a concatenation, count as well.
local files = dofile "tests/lint/files.lua"
local source = dofile "tests/lint/lua_source.lua"

-- Lower number, lower layer. aniso.core, the engine, is below all of them.
local layer = {
  recipe = 0, -- options, recipes, studies
  stats = 1,  -- numbers: no SQL, no printing
  method = 2, -- networks, schedules, losses, samplers
  store = 2,  -- all SQL
  train = 3,  -- sessions, stages, checkpoints
  show = 4,   -- texts, tables, figures, pages
  prompt = 5, -- the prompt, its help, exploring
  cli = 6,    -- the commands
}

-- "folder target" → the reason why this import is allowed.
local allowed = {
  ["prompt aniso"] = "chunks at the prompt and the manual see the library as its users do",
  ["cli aniso"] = "aniso exec gives a script the library as its users see it",
}

-- "folder target" → true for each entry of `allowed` that a file uses.
local used = {}

local function folder_of(path)
  return path:match "^lua/aniso/(%w+)/"
end

-- The folder that a literal names, "aniso" for the library as a whole; nil for any other text.
local function target_of(text)
  if text == "aniso" then return "aniso" end
  local folder = text:match "^aniso%.(%w+)$" or text:match "^aniso%.(%w+)%."
  return layer[folder] and folder
end

-- Reports the imports of a file that the layers forbid. `path` determines the folder.
local function imports_of(path, text, report)
  local own = folder_of(path)
  if not own or own == "types" then return end
  if not layer[own] then return report(("%s: the folder %s has no layer"):format(path, own)) end
  for _, literal in ipairs(source.literals(text)) do
    local target = target_of(literal.text)
    local lower = target and (target == own or (layer[target] or math.huge) < layer[own])
    local import = target and (target ~= "aniso" or text:find 'require%s*%(?%s*["\']aniso["\']')
    local pair = target and own .. " " .. target
    if import and not lower then used[pair] = true end
    if import and not lower and not allowed[pair] then
      report(("%s:%d: %s may not require %s"):format(path, literal.line, own, literal.text))
    end
  end
end

-- Beginnings of statements, and clauses that occur in the middle of a statement.
local BEGINNINGS = { "SELECT", "INSERT", "UPDATE", "DELETE", "PRAGMA", "VACUUM", "WITH", "CREATE", "ALTER",
  "DROP", "ATTACH" }
local CLAUSES = { "%f[%w]SELECT%f[%W].-%f[%w]FROM%f[%W]", "%f[%w]INSERT%s+INTO%f[%W]",
  "%f[%w]DELETE%s+FROM%f[%W]", "%f[%w]UPDATE%s+[%w_]+%s+SET%f[%W]" }

local function is_sql(text)
  for _, word in ipairs(BEGINNINGS) do
    if text:find("^%s*" .. word .. "%f[%W]") then return true end
  end
  for _, clause in ipairs(CLAUSES) do
    if text:find(clause) then return true end
  end
  return false
end

local function sql_of(path, text, report)
  local own = folder_of(path)
  if own == "store" or own == "types" then return end
  for _, literal in ipairs(source.literals(text)) do
    if is_sql(literal.text) then report(("%s:%d: SQL outside store/"):format(path, literal.line)) end
  end
end

-- ── the files, and planted violations, which the checks must detect ────────────────────────
local function verdict(name, check)
  local faults = {}
  for _, path in ipairs(files.find "%.lua$") do
    if path:match "^lua/aniso/" then
      check(path, source.read(path), function(text) faults[#faults + 1] = text end)
    end
  end
  files.verdict(name, faults)
end

-- planted: {folder, code, number of faults}
local function planted(name, check, cases)
  local wrong = {}
  for _, case in ipairs(cases) do
    local seen = 0
    check("lua/aniso/" .. case[1] .. "/planted.lua", case[2], function() seen = seen + 1 end)
    if seen ~= case[3] then
      wrong[#wrong + 1] = ("%s: %d faults seen, %d planted"):format(case[2], seen, case[3])
    end
  end
  files.verdict(name, wrong)
end

verdict("lua layers: who requires whom", imports_of)
local unused = {}
for pair in pairs(allowed) do
  if not used[pair] then unused[#unused + 1] = pair .. " is allowed and not used" end
end
files.verdict("lua layers: each exception is in use", unused)
planted("lua layers: a planted import is detected", imports_of, {
  { "store", 'local run = require "aniso.train.run"', 1 },
  { "store", "return function() return require('aniso.cli').sentence end", 1 },
  { "store", 'local data = require "aniso.method.data"', 1 },
  { "show", 'local speakers = { x = "aniso.prompt.explore.runs" }', 1 },
  { "method", 'methods.plot = function() return require("aniso.prompt.explore." .. name) end', 1 },
  { "stats", 'require [[aniso.store]]', 1 },
  { "train", 'local aniso = require "aniso"', 1 },
  { "attic", "return 1", 1 },
  { "train", 'local core, config = require "aniso.core", require "aniso.method.config"', 0 },
  { "recipe", '-- require "aniso.cli"\n--[[ require "aniso.cli" ]] return "a \\" -- aniso.RunDatabase"', 0 },
})
verdict("lua layers: SQL is in store/ alone", sql_of)
planted("lua layers: planted SQL is detected", sql_of, {
  { "cli", 'db:query "SELECT uid FROM run"', 1 },
  { "stats", "db:query([[\n  WITH x AS (SELECT 1) SELECT * FROM x]])", 1 },
  { "show", 'db:exec("UPDATE run " .. set)', 1 },
  { "prompt", 'db:query("PRAGMA quick_check")', 1 },
  { "cli", 'db:exec("  delete; DELETE FROM run")', 1 },
  { "cli", 'parser:argument("query", "one SELECT; the views are made for it") -- SELECT 1 FROM x', 0 },
  { "store", 'db:query "SELECT 1"', 0 },
})
files.finish()
