-- Permitted imports between the folders of lua/aniso: a file may require modules of its own folder and of
-- lower layers, not of a higher layer or a sibling folder, and it assigns to no field of another folder's
-- module. Only store/ contains SQL. A require inside a function, and the name of a module in a table or a
-- concatenation, count as well. Only init.lua is in no folder.
local files = dofile "tests/lint/files.lua"
local source = dofile "tests/lint/lua_source.lua"

-- Lower number, lower layer. aniso.core, the engine, is below all of them.
local layer = {
  recipe = 0, -- options, recipes, studies
  stats = 1,  -- numbers: no SQL, no printing
  method = 2, -- networks, schedules, losses, samplers
  store = 2,  -- all SQL
  train = 3,  -- sessions, stages, checkpoints
  inference = 4, -- trained models for new images
  cluster = 4, -- batch systems: scripts, jobs, shards
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
  if path == "lua/aniso/init.lua" or own == "types" then return end
  if not own then return report(path .. ": a module belongs to a folder of lua/aniso") end
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

local REQUIRE = 'require%s*%(?%s*["\'](aniso[%w_%.]*)["\']%s*%)?'
local DIRECT = REQUIRE .. "[%w_%.%[%]]*%s*=%f[^=]"
local CALLS = { "%f[%w_]function%s+([%w_]+)[%.:]", "%f[%w_]rawset%s*%(%s*([%w_]+)",
  "%f[%w_]setmetatable%s*%(%s*([%w_]+)" }

-- Adds the names that `local a, b <const> = require "…", c.methods` binds to foreign modules, their tables,
-- or to a name that has one.
local function add_names(names, code, is_foreign)
  local list, values = code:match "%f[%w_]local%s+([%w_%s,<>]-)%s*=%s*(.*)$"
  local value = (values or ""):gmatch "[^,]+"
  for name in (list or ""):gsub("<%s*%l+%s*>", ""):gmatch "[%w_]+" do
    local text = value() or ""
    local module = text:match("^%s*" .. REQUIRE .. "[%w_%.]*%s*$")
    local other = text:match "^%s*([%a_][%w_]*)[%w_%.]*%s*$"
    if is_foreign(module) or names[other] then names[name] = true end
  end
end

-- The position behind `.name` or `[key]` at `at`; nil if there is neither.
local function field_end(code, at)
  return code:match("^%.[%a_][%w_]*()", at) or code:match("^%b[]()", at)
end

-- Whether code assigns to a field of one of the names, anywhere in the line: `name.a["b"] =`, and at the
-- beginning of a statement of several targets `name.a, b =`.
local function sets_field(names, code)
  for _, pattern in ipairs(CALLS) do
    for name in code:gmatch(pattern) do if names[name] then return true end end
  end
  for start, name, after in code:gmatch "%f[%w_%.:]()([%a_][%w_]*)()" do
    local at, stop = after, names[name] and field_end(code, after)
    while stop do at, stop = stop, field_end(code, stop) end
    local is_first = code:sub(1, start - 1):match "^%s*$"
    local is_set = code:find("^%s*=%f[^=]", at) or is_first and code:find("^%s*,[%w_%.%[%]%s,]*=%f[^=]", at)
    if at > after and is_set then return true end
  end
  return false
end

-- Reports assignments to fields of modules of other folders: `name.field =`, `function name.field()`, and
-- the same through require "…". The tables of aniso.core may get methods: they are the engine's classes.
local function assignments_of(path, text, report)
  local own, names = folder_of(path), {}
  if not own or own == "types" then return end
  local function is_foreign(module)
    local target = module and target_of(module)
    return target and target ~= own
  end
  local number = 0
  for line in (text .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    local code = line:gsub("%-%-.*$", "")
    local masked = code:gsub('"[^"]*"', '""'):gsub("'[^']*'", "''")
    add_names(names, code, is_foreign)
    if is_foreign(code:match(DIRECT)) or sets_field(names, masked) then
      report(("%s:%d: assigns to a module of another folder: %s"):format(path, number, code))
    end
  end
end

-- Beginnings of statements, and clauses that occur in the middle of a statement.
local BEGINNINGS = { "SELECT", "INSERT", "UPDATE", "DELETE", "PRAGMA", "VACUUM", "WITH", "CREATE", "ALTER",
  "DROP", "ATTACH" }
local CLAUSES = { "%f[%w]SELECT%f[%W].-%f[%w]FROM%f[%W]", "%f[%w]INSERT%s+INTO%f[%W]",
  "%f[%w]DELETE%s+FROM%f[%W]", "%f[%w]UPDATE%s+[%w_]+%s+SET%f[%W]" }

-- In any case: beginnings that are no beginning of an English sentence in lower case.
local ANY_CASE = { "^%s*PRAGMA%s+[%w_]+%s*$", "^%s*PRAGMA%s+[%w_]+%s*[=%(]", "^%s*CREATE%s+TABLE%f[%W]",
  "^%s*CREATE%s+%a*%s*VIEW%f[%W]", "^%s*DROP%s+%a+%s+[%w_]+%s*$", "^%s*ALTER%s+TABLE%f[%W]",
  "^%s*ATTACH%s+DATABASE%f[%W]", "^%s*SELECT%s+[%w_%(%)%*]+%s*$", "^%s*SELECT%s+[%w_]+%s*,",
  "^%s*INSERT%s+INTO%s+[%w_]+%s*%(", "^%s*UPDATE%s+[%w_]+%s+SET%s+[%w_]+%s*=",
  "^%s*DELETE%s+FROM%s+[%w_]+%s*$", "^%s*DELETE%s+FROM%s+[%w_]+%s+WHERE%f[%W]",
  "^%s*SELECT%s+[%w_%.%*%(%)]+%s+FROM%s+[%w_]+", "^%s*SELECT%s+DISTINCT%f[%W]" }

local function is_sql(text)
  local upper = text:upper()
  for _, pattern in ipairs(ANY_CASE) do
    if upper:find(pattern) then return true end
  end
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

-- planted: {folder or file, code, number of faults}
local function planted(name, check, cases)
  local wrong = {}
  for _, case in ipairs(cases) do
    local seen = 0
    local path = "lua/aniso/" .. case[1] .. (case[1]:find "%.lua$" and "" or "/planted.lua")
    check(path, case[2], function() seen = seen + 1 end)
    if seen ~= case[3] then
      wrong[#wrong + 1] = ("%s: %d faults seen, %d planted"):format(case[2], seen, case[3])
    end
  end
  files.verdict(name, wrong)
end

verdict("lua layers: who requires whom", imports_of)
-- The entries of `allowed` that are not in `seen`.
local function unused(seen)
  local out = {}
  for pair in pairs(allowed) do
    if not seen[pair] then out[#out + 1] = pair .. " is allowed and not used" end
  end
  return out
end
files.verdict("lua layers: each exception is in use", unused(used))
files.verdict("lua layers: an unused exception is detected",
  #unused { ["cli aniso"] = true } == 1 and {} or { "not one" })
planted("lua layers: a planted import is detected", imports_of, {
  { "store", 'local run = require "aniso.train.run"', 1 },
  { "store", "return function() return require('aniso.cli').sentence end", 1 },
  { "store", 'local data = require "aniso.method.data"', 1 },
  { "show", 'local speakers = { x = "aniso.prompt.explore.runs" }', 1 },
  { "method", 'methods.plot = function() return require("aniso.prompt.explore." .. name) end', 1 },
  { "stats", 'require [[aniso.store]]', 1 },
  { "train", 'local aniso = require "aniso"', 1 },
  { "attic", "return 1", 1 },
  { "planted.lua", "return 1", 1 },
  { "init.lua", 'return require "aniso.train.run"', 0 },
  { "train", 'local core, config = require "aniso.core", require "aniso.method.config"', 0 },
  { "recipe", '-- require "aniso.cli"\n--[[ require "aniso.cli" ]] return "a \\" -- aniso.RunDatabase"', 0 },
})
verdict("lua layers: a module's fields are assigned in its own folder", assignments_of)
planted("lua layers: a planted assignment is detected", assignments_of, {
  { "show", 'require("aniso.train.session").new_board = function() end', 1 },
  { "prompt", 'local keys = require "aniso.store.keys"\nfunction keys.choices_of(option) end', 1 },
  { "prompt", 'local keys = require "aniso.store.keys"\nkeys.choices_of = nil', 1 },
  { "prompt", 'local store = require "aniso.store"\nstore.methods.__pretty = print', 1 },
  { "prompt", 'local store = require("aniso.store").methods\nstore["x"] = print', 1 },
  { "cli", 'local tables = require "aniso.show.table"\nrawset(tables, "print", nil)', 1 },
  { "cli", 'local tables = require "aniso.show.table"\nsetmetatable(tables, {})', 1 },
  { "cli", 'local groups = require "aniso.stats.x"\nlocal function f() groups.x = 1 end', 1 },
  { "cli", 'local groups = require "aniso.stats.x"\nif a then function groups.x() end end', 1 },
  { "cli", 'local core, groups = require "aniso.core", require "aniso.stats.x"\ngroups.x = 1', 1 },
  { "cli", 'local groups = require "aniso.stats.x"\nlocal g = groups\ng["x"].y = 1', 1 },
  { "cli", 'local a <const>, groups <const> = 1, require "aniso.stats.x"\ngroups.x = 1', 1 },
  { "cli", 'local groups = require "aniso.stats.x"\ngroups.x, a = 1, 2', 1 },
  { "cli", 'local groups = require "aniso.stats.x"\na, groups.x = 1, 2', 1 },
  { "cli", 'local a = 1; require("aniso.stats.x").y = 1', 1 },
  { "cli", 'local groups = require "aniso.stats.x"\nf(groups.x, a == 1, "groups.x = 1")', 0 },
  { "cli", 'local core, groups = require "aniso.core", require "aniso.stats.x"\ncore.x = 1', 0 },
  { "cli", 'local groups = require "aniso.stats.x"\nlocal a = groups.of(b)\na.x = a.groups.x', 0 },
  { "store", 'local keys = require "aniso.store.keys"\nkeys.choices_of = nil', 0 },
  { "prompt", 'local keys = require "aniso.store.keys"\nlocal set = keys.x == nil\nkeys.add({ a = 1 })', 0 },
  { "method", 'local core = require "aniso.core"\ncore.schedule.methods.bound = print', 0 },
})
verdict("lua layers: SQL is in store/ alone", sql_of)
planted("lua layers: planted SQL is detected", sql_of, {
  { "cli", 'db:query "SELECT uid FROM run"', 1 },
  { "stats", "db:query([[\n  WITH x AS (SELECT 1) SELECT * FROM x]])", 1 },
  { "show", 'db:exec("UPDATE run " .. set)', 1 },
  { "prompt", 'db:query("PRAGMA quick_check")', 1 },
  { "cli", 'db:query "select uid from run"', 1 },
  { "show", 'db:exec "delete from run where run_id = 1"', 1 },
  { "stats", 'db:exec("update run set seed = 1")', 1 },
  { "cli", 'db:query("pragma quick_check")', 1 },
  { "cli", 'error "select one label from the list; update the recipe, delete what follows from it"', 0 },
  { "cli", 'db:exec("  delete; DELETE FROM run")', 1 },
  { "cli", 'parser:argument("query", "one SELECT; the views are made for it") -- SELECT 1 FROM x', 0 },
  { "store", 'db:query "SELECT 1"', 0 },
})
files.finish()
