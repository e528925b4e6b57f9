-- What a comment or a README names must exist: a section of engine/METHOD.md, a file, a function, an option,
-- a command, a target of make. Each rule of reference_rules.lua must detect the violation planted for it.
local files = dofile "tests/lint/files.lua"
local source_text = dofile "tests/lint/source_text.lua"

local rules = dofile "tests/lint/reference_rules.lua"

local KINDS = "%.(%a+)$"
local READ = rules.READ
local ROOT = { "README.md", "Makefile", ".clang-format" }

-- ── the index: what exists ──

-- All suffixes of a path: "a/b/c.h" → "b/c.h" and "c.h" too.
local function add_suffixes(set, path)
  while path do
    set[path] = true
    path = path:match "/(.*)$"
  end
end

local function add_words(set, text)
  for word in text:gmatch "[%a_][%w_]*" do set[word] = true end
end

-- The definitions in a line of code: a C function or variable starts in the first column, a Lua function is
-- `function a.name(` or `name =`.
local function add_definitions(set, code, kind)
  if kind == "lua" then
    set[code:match "function [%w_%.:]-([%w_]+)%s*%(" or ""] = true
    for name in code:gmatch "([%a_][%w_]*)%s*=" do set[name] = true end
  elseif code:find "^%a" then
    set[code:match "([%a_][%w_]*)%s*[%(%[=;]" or ""] = true
  end
end

local function add_file(index, path, lines)
  local kind = path:match(KINDS)
  local _, codes = source_text.split(lines, kind)
  local words, defined = {}, {}
  for _, code in ipairs(codes) do
    add_words(words, code)
    add_definitions(defined, code, kind)
  end
  index.words[path], index.defined[path] = words, defined
  if path:find "^recipes/" then
    index.lines[path] = {}
    for _, line in ipairs(lines) do index.lines[path][line] = true end
  end
  add_suffixes(index.stems, (path:gsub("%.%a+$", "")))
  if kind == "c" or kind == "h" then
    for word in pairs(words) do index.c[word] = true end
    for _, code in ipairs(codes) do
      add_suffixes(index.paths, code:match "^#include <(.+)>") -- a library's header
    end
  elseif kind == "lua" then
    local name = path:match "([%w_]+)/init%.lua$" or path:match "([%w_]+)%.lua$"
    if not path:find "^tests/lint/reference" then add_words(index.lua, table.concat(codes, "\n")) end
    index.modules[name] = index.modules[name] or {}
    table.insert(index.modules[name], path)
  end
end

-- The options of every command: those in its file and those in files that commands share.
local SHARED = { common = true, own_parts = true, study_jobs = true, init = true }
local function add_flags(index, contents)
  local shared, own = { ["--help"] = true }, {}
  for _, file in ipairs(contents) do
    local name = file.path:match "^lua/aniso/cli/(%w[%w_]*)%.lua$"
    local set = SHARED[name] and shared or {}
    for _, line in ipairs(name and file.lines or {}) do
      for flag in line:gmatch "%-%-[%l][%l%-]+" do set[flag] = true end
      for name_of_flag in line:gmatch '"(%l+)"' do set["--" .. name_of_flag] = true end -- show.names
    end
    if name then own[name] = set end
  end
  for name, set in pairs(own) do
    index.flags[name] = setmetatable({}, { __index = function(_, flag) return set[flag] or shared[flag] end })
  end
end

local function build_index(contents)
  local index = { paths = {}, folders = {}, words = {}, defined = {}, lines = {}, c = {}, modules = {},
    sections = {}, section_texts = {}, targets = {}, tables = {}, lua = {}, stems = {}, flags = {} }
  for _, path in ipairs(files.find ".") do
    add_suffixes(index.paths, path)
    local folder = path:match "^(.*)/"
    while folder do
      add_suffixes(index.folders, folder)
      folder = folder:match "^(.*)/"
    end
  end
  for _, path in ipairs(ROOT) do index.paths[path] = io.open(path) ~= nil end
  for _, line in ipairs(files.lines "store/schema.sql") do
    index.tables[line:match "^CREATE TABLE ([%w_]+)" or line:match "^CREATE VIEW ([%w_]+)" or ""] = true
  end
  for _, file in ipairs(contents) do add_file(index, file.path, file.lines) end
  local section
  for _, line in ipairs(files.lines "engine/METHOD.md") do
    section = line:match "^##+ (%d+)[%. ]" or section
    if section then
      index.sections[section] = true
      index.section_texts[section] = (index.section_texts[section] or "") .. line .. "\n"
    end
  end
  add_flags(index, contents)
  for _, line in ipairs(files.lines "Makefile") do
    for target in (line:match "^([%a][%w%- ]*):" or ""):gmatch "%S+" do index.targets[target] = true end
  end
  return index
end

-- ── running them ──

-- Local names of modules in a Lua file: { ["summary"] = "groups" }.
local function required(lines)
  local out = {}
  for _, line in ipairs(lines) do
    local name, module = line:match '^local ([%w_]+) = require "aniso%.([%w_%.]+)"$'
    if name then out[name] = module:match "[%w_]+$" end
  end
  return out
end

local function faults_of(path, lines, index, only)
  local kind, out = path:match(KINDS), {}
  local at = { path = path, kind = kind, required = kind == "lua" and required(lines) or {} }
  for number, text in ipairs((source_text.split(lines, kind))) do
    for name, rule in pairs(only and { [only] = rules.of[only] } or rules.of) do
      if text ~= "" then
        rule(text, at, index, function(fault)
          out[name] = out[name] or {}
          table.insert(out[name], ("%s:%d: %s"):format(path, number, fault))
        end)
      end
    end
  end
  return out
end

local contents = { { path = "README.md", lines = files.lines "README.md" } }
for _, path in ipairs(files.find(KINDS)) do
  if READ[path:match(KINDS)] then contents[#contents + 1] = { path = path, lines = files.lines(path) } end
end
local index = build_index(contents)

-- The options of a recipe, by their first and by their other parts.
index.options, index.option_names = {}, {}
local listed = { "aniso.method.config", "aniso.method.networks", "aniso.method.schedule", "aniso.method.data",
  "aniso.method.prior_loss" }
for group in pairs(require(listed[1]).defaults) do index.options[group] = true end
for _, module in ipairs(listed) do
  for word in pairs(index.words["lua/" .. module:gsub("%.", "/") .. ".lua"]) do
    index.option_names[word] = true
  end
end

local names, all = {}, {}
for name in pairs(rules.of) do names[#names + 1] = name end
table.sort(names)
for _, file in ipairs(contents) do
  if not file.path:find "^tests/lint/reference" then -- their examples name missing files
    for name, faults in pairs(faults_of(file.path, file.lines, index)) do
      all[name] = all[name] or {}
      table.move(faults, 1, #faults, #all[name] + 1, all[name])
    end
  end
end
for _, name in ipairs(names) do files.verdict("references: " .. name:gsub("_", " "), all[name] or {}) end

-- ── the table of checks in tests/README.md ──
-- Helpers of the checks are no checks: they print no verdict.
local function unlisted(paths, page)
  local out = {}
  for _, path in ipairs(paths) do
    local is_check = path:find "^tests/lint/[%w_]+%.lua$" and source_text.has_verdict(files.lines(path))
    if is_check and not page:find("| `" .. path .. "` |", 1, true) then
      out[#out + 1] = path .. " is not in the table of tests/README.md"
    end
  end
  return out
end
local page = table.concat(files.lines "tests/README.md", "\n")
local paths = files.find "%.lua$"
files.verdict("references: tests/README.md lists every check", unlisted(paths, page))
local without = page:gsub("`tests/lint/bound%.lua`", "`nothing`")
files.verdict("references: an unlisted check is seen",
  #unlisted(paths, without) == 1 and {} or { "found " .. #unlisted(paths, without) })

-- ── planted violations: { rule, path, text that is wrong, text that is right } ──
local planted = {
  { "sections", "engine/x.c", "/* see METHOD §1–91 */", "/* see METHOD §1–2 */" },
  { "sections", "lua/x.lua", "-- METHOD.md §77", "x = 'METHOD §77' -- METHOD.md §7" },
  { "files", "engine/x.h", "/* base/nothing.h has it */", "/* base/par.h has it */" },
  { "files", "README.md", "`engine/nothing/`", "`engine/base/`, engine/base/par.{c,h}" },
  { "files", "lua/README.md", "[a](../engine/README.c)", "[a](../engine/README.md)" },
  { "files", "README.md", "engine/base/par.{c,lua}", "`my.lua`, `NAME.lua`, <lua.h>, https://x.org/no.c" },
  { "files", "engine/x.c", "/* engine/base/{par,no}.c */", "/* engine/base/{par,rng}.c */" },
  { "files", "lua/README.md", "[a](engine/METHOD.md)", "[a](../engine/METHOD.md)" },
  { "files", "README.md", "[a](engine/METHOD.md#nothing)", "[a](engine/METHOD.md#2-reverse-process)" },
  { "files", "README.md", "[a](#nothing)", "[a](#what-you-get)" },
  { "files_without_endings", "README.md", "`tests/lint/nothing`", "`tests/lint/run`, `engine/base/par`" },
  { "files_without_endings", "lua/x.lua", "-- tests/Makefile has it", "-- Makefile has it" },
  { "tables", "lua/x.lua", "-- see `v_nothing`", "-- see `v_run.uid`, the table `nothing`" },
  { "tables", "README.md", "tables `run`, `nothing`", "tables `run`, `confusion` and `metric`" },
  { "tables", "store/x.sql", "-- the table `nothing`", "-- the table `run`" },
  { "c_names", "engine/x.c", "int a; // an_nothing()", "/* an_par_for(), an_k_… and an_open_NAME */" },
  { "functions_of_files", "README.md", "`engine/base/par.c: an_par_for, an_nothing`",
    "`engine/base/par.c: an_par_for, an_threads`" },
  { "functions_of_files", "README.md", "`engine/diffusion/vote.c: an_alloc`",
    "`base/memory/mem.c: an_alloc`" },
  { "functions_of_files", "README.md", "`method/sampler.lua: nothing`", "`method/sampler.lua: run`" },
  { "members", "README.md", "`sampler.nothing`", "`sampler.run{}`, `train.epochs`" },
  { "members", "lua/x.lua", "local s = require \"aniso.method.sampler\"\n-- as s.nothing()",
    "local s = require \"aniso.method.sampler\"\n-- as s.run()" },
  { "members", "lua/x.lua", "local checkpoint = require \"aniso.train.checkpoint\"\n-- checkpoint.nothing()",
    "local checkpoint = require \"aniso.train.checkpoint\"\n-- checkpoint.path()" },
  { "bare_functions", "engine/x.c", "/* transpose_nothing() does it. */",
    "/* an_par_for(), process_noised() */" },
  { "bare_functions", "lua/x.lua", "-- nothing_at_all() writes it.", "-- config_of() makes it." },
  { "paths_without_endings", "lua/x.lua", "-- see train/nothing",
    "-- see train/checkpoint, see train/run.lua" },
  { "paths_without_endings", "engine/x.c", "/* see engine/nothing */",
    "/* see engine/io, see base/par.h */" },
  { "sections", "engine/x.c", "/* METHOD section 44 */", "/* METHOD section 4 */" },
  { "flags", "README.md", "    ./aniso ls --nothing", "    ./aniso ls --sort tail | head --lines 3" },
  { "flags", "README.md", "`aniso eval RUN --recipes`",
    "`aniso eval RUN --recipe FILE`, `aniso exec a.lua --own`" },
  { "letters", "lua/aniso/method/objective.lua", "-- + η MMD²", "-- w_m MMD² (2303.10610)" },
  { "letters", "lua/aniso/method/objective.lua", "-- w_q MMD²", "-- w_m MMD²" },
  { "letters", "lua/aniso/types/options_train.lua", "---@field global? number μ_g, weight of",
    "---@field global? number w_g, weight of" },
  { "excerpts", "README.md", "-- from recipes/staged.lua\n  seeds = 77,",
    "-- from recipes/staged.lua\n  seeds = 5," },
  { "commands", "README.md", "    ./aniso nothing", "    ./aniso table five" },
  { "commands", "README.md", "`aniso nothing`", "`aniso run`" },
  { "commands", "README.md", "`make nothing`", "`make test`, `aniso run`" },
}
for _, plant in ipairs(planted) do
  local rule, path, wrong, right = table.unpack(plant)
  local function count(text)
    local lines = {}
    for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
    return #(faults_of(path, lines, index, rule)[rule] or {})
  end
  local seen, false_alarms = count(wrong), count(right)
  files.verdict(("references: %s: %q is seen"):format(rule:gsub("_", " "), wrong:gsub("\n", " ")),
    seen > 0 and false_alarms == 0 and {} or { ("found %d, and %d in %q"):format(seen, false_alarms, right) })
end
files.finish()
