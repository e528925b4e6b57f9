-- The rules of references.lua: each is a function of (text, at, index, fail) over one line of comment or
-- README. at: {path, kind = extension, required = local names of Lua modules}; index: what exists.
local rules = { of = {} }

-- The kinds of files that are read and whose names are checked.
rules.READ = { c = true, h = true, lua = true, sql = true, py = true, sh = true, md = true }
local READ = rules.READ

-- Files of users, in examples.
local EXAMPLES = { ["my.lua"] = true, ["include/stb"] = true }

-- METHOD §3, METHOD §1–2, METHOD.md §7; within METHOD.md every §.
function rules.of.sections(text, at, index, fail)
  local pattern = at.path == "engine/METHOD.md" and "§([%d–]+)" or "METHOD[%.md]*,? §([%d–]+)"
  for list in text:gmatch(pattern) do
    for number in list:gmatch "%d+" do
      if not index.sections[number] then fail("METHOD has no §" .. number) end
    end
  end
  for number in text:gmatch "METHOD[%.md]*,? [Ss]ections? (%d+)" do
    if not index.sections[number] then fail("METHOD has no section " .. number) end
  end
end

-- Files whose letters are those of a section: Greek ones, and any with a subscript (w_g, μ_l). In the
-- options of `loss`, the letters of the weights.
local LETTERS = { ["lua/aniso/method/objective.lua"] = "6", ["lua/aniso/types/options_train.lua"] = "6" }

function rules.of.letters(text, at, index, fail)
  local section = LETTERS[at.path]
  local is_weight = not at.path:find "/types/" or text:find ", weight of"
  local known = section and is_weight and index.section_texts[section]
  local function check(letter)
    if not known:find(letter, 1, true) then fail(("METHOD §%s has no %s"):format(section, letter)) end
  end
  for letter, mark in (known and text or ""):gmatch "([\xCE\xCF][\x80-\xBF])(_?%l?)" do
    check(mark:find "_%l" and letter .. mark or letter)
  end
  for letter in (known and text or ""):gmatch "%f[%w_]%a_%l%f[^%w_]" do check(letter) end
end

-- The anchors of a page's headings, as GitHub forms them: lower case, no punctuation, a hyphen per space.
local function anchors_of(path)
  local out = {}
  for line in io.lines(path) do
    local title = line:match "^#+ +(.*)$"
    if title then out[title:lower():gsub("[^%w%s_\x80-\xff-]", ""):gsub(" ", "-")] = true end
  end
  return out
end

-- foo.c, base/par.h, lambda.{h,c}; in READMEs `folder/` too.
function rules.of.files(text, at, index, fail)
  local function check(stem, ending)
    local path = stem:gsub("^[%./]+/", "") .. "." .. ending
    if stem:find "NAME" or stem:find "NNNN" or stem:find "^%$" then return end -- a pattern, a variable
    if not READ[ending] or stem:find "[%w_]%.[%w_]" or path:find "^build/" then return end
    if not EXAMPLES[path] and not index.paths[path] then fail("there is no file " .. path) end
  end
  text = text:gsub("https?://%S+", "")
  for stem, ends in text:gmatch "([%w_/%-%.]+)%.{([%w,]+)}" do
    for ending in ends:gmatch "%w+" do check(stem, ending) end
  end
  for stem, names, ending in text:gmatch "([%w_/%-%.]*){([%w_,]+)}%.(%l+)" do
    for name in names:gmatch "[^,]+" do check(stem .. name, ending) end
  end
  for stem, ending in text:gmatch "%f[%w_/%.%-$]([%$%w_/%-%.]*[%w_])%.(%l+)%f[^%w_/%-]" do
    check(stem, ending)
  end
  if at.kind ~= "md" then return end
  for link, anchor in text:gmatch "%]%(([%w_%-%./]*)#?([^%s()]*)%)" do -- relative to its page
    local path = link == "" and at.path or (at.path:match "^.*/" or "") .. link
    while path:find "[%w_]+/%.%./" do path = path:gsub("[%w_]+/%.%./", "", 1) end
    local known = io.open(path)
    if not known then fail("there is no file " .. path) end
    if known and anchor ~= "" and not anchors_of(path)[anchor] then
      fail(("%s has no heading #%s"):format(path, anchor))
    end
  end
  for path in text:gmatch "`([%w_%-%./]+)/`" do
    path = path:gsub("^%.+/", "")
    local known = EXAMPLES[path] or path:find "^build/" or index.folders[path]
    if not known then fail("there is no folder " .. path .. "/") end
  end
end

-- `tests/lint/run`, Makefile, tests/Makefile: a file without an ending, or a path without its ending.
function rules.of.files_without_endings(text, _, index, fail)
  for root, rest in text:gmatch "`(%l+)/([%w_%-/]+)`" do
    local path = root .. "/" .. rest
    local is_root = index.folders[root] and not rest:find "/$"
    if is_root and not (index.paths[path] or index.stems[path] or index.folders[path]) then
      fail("there is no file " .. path)
    end
  end
  for path in text:gmatch "%f[%w_/%-][%w_/%-]*Makefile%f[^%w_/%-]" do
    if not index.paths[path] then fail("there is no file " .. path) end
  end
end

-- `v_run`: a view; the table `run`, in a README or SQL: a table or view of the database.
function rules.of.tables(text, at, index, fail)
  for name in text:gmatch "`(v_[%w_]+)" do
    if not index.tables[name] then fail("the database has no view " .. name) end
  end
  local is_database = at.kind == "md" or at.kind == "sql"
  for list in (is_database and text or ""):gmatch "%f[%a]tables? (`[%w_`, and]+`)" do
    for name in list:gmatch "`([%w_]+)`" do
      if not index.tables[name] then fail("the database has no table " .. name) end
    end
  end
end

-- Every name of the engine's C: an_matmul, an_fail(). A name that continues (an_k_…, an_open_NAME) is
-- a pattern.
function rules.of.c_names(text, _, index, fail)
  for name, after in text:gmatch "%f[%w_](an_[%w_]+)([^%w_]?[\x80-\xff*]?)" do
    local pattern = name:find "%u" or name:find "_$" or after:find "[\x80-\xff*]"
    if not pattern and not index.c[name] then fail("no C code names " .. name) end
  end
end

-- name() in a comment of C or Lua. A name with a capital or at its end alone, open_PART(), is a pattern.
function rules.of.bare_functions(text, at, index, fail)
  local is_code = at.kind == "c" or at.kind == "h" or at.kind == "lua"
  for name in (is_code and text or ""):gmatch "%f[%w_%.:](%l[%w_]+)%(%)" do
    local known = name:find "%u" or index.c[name] or index.lua[name]
    if not known then fail("no code has a function " .. name) end
  end
end

-- "see train/checkpoint", `train/`: a path without its ending that begins with a folder of the tree.
function rules.of.paths_without_endings(text, _, index, fail)
  for path, after in text:gmatch "%f[%a]see `?([%l_]+/[%l_/]*[%l_])(.?)" do
    local known = index.stems[path] or index.folders[path] or after == "." and index.paths[path]
    if not known and not (after == "." and text:find(path .. ".%l", 1, true)) then
      fail("there is no " .. path)
    end
  end
end

-- `file.c: name, other` and `file.lua: name`: that file defines the functions.
function rules.of.functions_of_files(text, _, index, fail)
  for path, list in text:gmatch "`([%w_/%-%.]+%.%l+): ([^`]+)`" do
    local known
    for full, defined in pairs(index.defined) do
      if full == path or full:sub(-#path - 1) == "/" .. path then known = defined end
    end
    for name in (known and list or ""):gmatch "[%a_][%w_]*" do
      if not known[name] then fail(path .. " does not define " .. name) end
    end
    if not known then fail("there is no file " .. path) end
  end
end

-- `module.name` in a README or in backquotes: a function of a Lua module, or an option.
local function check_member(index, module, name, fail)
  for _, path in ipairs(index.modules[module] or {}) do
    if index.defined[path][name] or module == "aniso" and index.words[path][name] then return end
  end
  if index.modules[module] or index.options[module] then
    if not (index.options[module] and index.option_names[name]) then
      fail(("neither a function nor an option: %s.%s"):format(module, name))
    end
  end
end

function rules.of.members(text, at, index, fail)
  for module, name in text:gmatch "`([%l_]+)%.([%l_]+)[`%(%s{=]" do
    if not READ[name] then check_member(index, module, name, fail) end
  end
  for module, name in (at.kind == "lua" and text or ""):gmatch "%f[%w_%.]([%l_]+)%.([%l_]+)%(%)" do
    if at.required[module] then
      check_member(index, at.required[module], name, fail)
    end
  end
end

-- ./aniso table … and `aniso table`, `make test`.
function rules.of.commands(text, at, index, fail)
  if at.kind ~= "md" then return end
  local function command(name)
    if not index.paths["lua/aniso/cli/" .. name .. ".lua"] then fail("there is no command " .. name) end
  end
  for name in (" " .. text:gsub("^ *%$? ?", "`")):gmatch "`%./aniso (%l+)" do command(name) end
  for name in text:gmatch "`aniso (%l+)" do command(name) end
  for target in text:gmatch "`make ([%l%-]+)" do
    if not index.targets[target] then fail("make has no target " .. target) end
  end
end

-- ./aniso ls --sort in a README: an option of that command. `aniso exec` hands all to its script.
function rules.of.flags(text, at, index, fail)
  if at.kind ~= "md" then return end
  for command, rest in (text .. "\n"):gmatch "%f[%w]aniso (%l+)%f[%A]([^`|#]*)" do
    local known = index.flags[command]
    rest = rest:gsub("'[^']*'", ""):gsub('"[^"]*"', "")
    for flag in (known and command ~= "exec" and rest or ""):gmatch "%f[%-%w]%-%-[%l%-]+" do
      if not known[flag] then fail(("aniso %s has no option %s"):format(command, flag)) end
    end
  end
end

-- A block "-- from recipes/x.lua" of a README: each line, up to the fence, is a line of that file.
function rules.of.excerpts(text, at, index, fail)
  local from = text:match "^%-%- from ([%w_/]+%.lua)$"
  if from or text:find "^```" then
    at.excerpt = from and (index.lines[from] or fail("there is no file " .. from))
  elseif at.excerpt and not at.excerpt[text] then
    fail "this line is not in the file that it is from"
  end
end

return rules
