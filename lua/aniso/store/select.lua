-- Runs by filters, as typed after `aniso ls` and from Lua alike:
--   db:select({"status=finished", "macro_f1>0.55", "tag:paper", "ham"}, {sort = "macro_f1"})
-- KEY=VALUE, !=, <, <=, >, >= compare, KEY~TEXT searches a text, tag:NAME matches a tag, any
-- other word is searched in id, study, label, data set and status. All filters must match.
local keys = require "aniso.store.keys"
local must = require("aniso.store.db_error").must
local run_rows = require "aniso.store.run_rows"

local compare = {
  ["="] = function(a, b) return a == b end,
  ["!="] = function(a, b) return a ~= b end,
  ["<"] = function(a, b) return a < b end,
  ["<="] = function(a, b) return a <= b end,
  [">"] = function(a, b) return a > b end,
  [">="] = function(a, b) return a >= b end,
  ["~"] = function(a, b) return tostring(a):lower():find(b:lower(), 1, true) ~= nil end,
}

-- Compares numbers if both sides are numbers. A run that lacks the key fits only `!=`.
local function comparison(key, operator, text_value)
  local test, number = compare[operator], tonumber(text_value)
  return function(run)
    local value = key:get(run)
    if value == nil then return operator == "!=" end
    if operator ~= "~" and number and type(value) == "number" then return test(value, number) end
    return test(tostring(value), text_value)
  end
end

local WORD = { "uid", "name", "study", "label", "dataset", "status" }

local function word(text)
  text = text:lower()
  return function(run)
    return table.concat({ run.uid, run.name, run.study, run.label or "", run.dataset, run.status }, "\n")
      :lower():find(text, 1, true) ~= nil
  end
end

local function tagged(db, name)
  local has = {}
  local sql = "SELECT run_id FROM tag WHERE name = ?1"
  for _, row in ipairs(db.core:version() >= 2 and must(db.core:query(sql, name)) or {}) do
    has[row.run_id] = true
  end
  return function(run) return has[run.run_id] or false end
end

-- One filter → a function of a run, the columns of its row that it reads, and the key that it compares, if
-- any.
local function filter(text, catalog)
  local tag = text:match "^tag:(.+)$"
  if tag then return tagged(catalog.db, tag), { "run_id" } end
  local name, operator, text_value = text:match "^([%w_.@]+)([!<>]=)(.*)$"
  if not name then name, operator, text_value = text:match "^([%w_]+@[%a_]+=[%d.]+)([=!<>~]=?)(.*)$" end
  if not name then name, operator, text_value = text:match "^([%w_.@]+)([=<>~])(.*)$" end
  if not name then return word(text), WORD end
  local key = catalog:key(name)
  if operator == "=" or operator == "!=" then catalog:check_value(key, text_value) end
  return comparison(key, operator, text_value), key.columns, key
end

-- Metrics: the best first; anything else: the smallest first; "-KEY": the other way round.
-- Runs without the key come last, equal ones stay newest first.
-- → the runs in this order.
local function sorted(runs, key, backwards)
  local descending = (key.kind == "metric" and key.higher) ~= backwards
  local value, places, out = {}, {}, {}
  for i, run in ipairs(runs) do value[i], places[i] = key:get(run), i end
  table.sort(places, function(a, b)
    local x, y = value[a], value[b]
    if x == y then return a < b end
    if x == nil or y == nil then return y == nil end
    if type(x) ~= type(y) then x, y = tostring(x), tostring(y) end
    if descending then return x > y end
    return x < y
  end)
  for i, place in ipairs(places) do out[i] = runs[place] end
  return out
end

-- Filters and an order → {fits = function of a run, key = that of the order, backwards, mentioned = the keys
-- of both, columns = what they read of a row, as SQL}.
local function compile(filters, sort_name, catalog)
  local tests, mentioned, seen, columns = {}, {}, {}, {}
  local function read(names)
    for _, name in ipairs(names) do
      if not seen[name] then seen[name], columns[#columns + 1] = true, name end
    end
  end
  read { "run_id", "status", "ended_at" }
  for i, text in ipairs(filters) do
    local own
    tests[i], own, mentioned[#mentioned + 1] = filter(text, catalog)
    read(own)
  end
  local bare = sort_name and sort_name:gsub("^%-", "")
  local key = bare and catalog:key(bare)
  if key then read(key.columns) end
  mentioned[#mentioned + 1] = key
  return { key = key, backwards = bare ~= sort_name, mentioned = mentioned,
    columns = table.concat(columns, ", "), is_all = #tests == 0 and not key,
    fits = function(run)
      for _, test in ipairs(tests) do
        if not test(run) then return false end
      end
      return true
    end }
end

local function fitting(runs, compiled)
  local out = {}
  for _, run in ipairs(runs) do
    if compiled.fits(run) then out[#out + 1] = run end
  end
  return compiled.key and sorted(out, compiled.key, compiled.backwards) or out
end

local function add_tags(db, runs)
  local tags, message, code = db:tags()
  if not tags then return nil, message, code end
  for _, run in ipairs(runs) do run.tags = tags[run.run_id] or {} end
  return runs
end

-- Those of `runs` that fit `filters`, in their order or by filters.sort; see runs() in find.lua. An unknown
-- key raises.
local function narrow(db, runs, filters)
  local catalog = keys.new(db)
  local compiled = compile(filters, filters.sort, catalog)
  local found = fitting(runs, compiled)
  local first, last = 1, math.min(#found, filters.limit or #found)
  if not compiled.key then first, last = #found - last + 1, #found end
  found = table.move(found, first, last, 1, {})
  local metrics = filters.metrics and catalog:read_metrics(found)
  for _, run in ipairs(found) do run.metrics = metrics and metrics[run.run_id] end
  return add_tags(db, found)
end

-- The newest runs, without a filter → rows, and how many runs there are.
local function newest(db, options)
  local runs, message, code = run_rows.read(db, options.removed, "*", "ORDER BY run_id DESC LIMIT ?1",
    options.limit or -1)
  local all = runs and run_rows.read(db, options.removed, "count(*) AS n, 0 AS ended_at", "")
  if not all then return nil, message, code end
  return runs, all[1] and all[1].n or 0
end

-- Reads only the columns that filters and order need of every run, and whole rows of those that are listed.
local function filtered(db, compiled, options)
  local runs, message, code = run_rows.read(db, options.removed, compiled.columns, "ORDER BY run_id DESC")
  if not runs then return nil, message, code end
  local found = fitting(runs, compiled)
  local listed = table.move(found, 1, math.min(#found, options.limit or #found), 1, {})
  return run_rows.complete(db, options.removed, listed), #found
end

-- select(filters [, {sort = KEY, limit = N, removed = BOOLEAN}]) → rows like runs(), with `tags`, newest
-- first; the catalog of keys; the keys that were mentioned; how many fit. An unknown key raises.
local function select_runs(db, filters, options)
  options = options or {}
  local catalog = keys.new(db)
  local compiled = compile(filters or {}, options.sort, catalog)
  local runs, count, code
  if compiled.is_all then runs, count, code = newest(db, options)
  else runs, count, code = filtered(db, compiled, options) end
  if not runs then return nil, count, code end
  local done, message
  done, message, code = add_tags(db, runs)
  if not done then return nil, message, code end
  return runs, catalog, compiled.mentioned, count
end

-- `methods` go into the database, the rest serves find.lua.
return { methods = { select = select_runs }, narrow = narrow, word = word }
