-- Runs by filters, as typed after `aniso ls` and from Lua alike:
--   db:select({"status=finished", "macro_f1>0.55", "tag:paper", "ham"}, {sort = "macro_f1"})
-- KEY=VALUE, !=, <, <=, >, >= compare, KEY~TEXT searches a text, tag:NAME matches a tag, any
-- other word is searched in id, study, label, data set and status. All filters must match.
local keys = require "aniso.store.keys"

local compare = {
  ["="] = function(a, b) return a == b end,
  ["!="] = function(a, b) return a ~= b end,
  ["<"] = function(a, b) return a < b end,
  ["<="] = function(a, b) return a <= b end,
  [">"] = function(a, b) return a > b end,
  [">="] = function(a, b) return a >= b end,
  ["~"] = function(a, b) return tostring(a):lower():find(b:lower(), 1, true) ~= nil end,
}

-- Numbers where both sides are; a run that lacks the key fits `!=` only.
local function comparison(key, operator, text_value)
  local test, number = compare[operator], tonumber(text_value)
  return function(run)
    local value = key:get(run)
    if value == nil then return operator == "!=" end
    if operator ~= "~" and number and type(value) == "number" then return test(value, number) end
    return test(tostring(value), text_value)
  end
end

local function word(text)
  text = text:lower()
  return function(run)
    return table.concat({ run.uid, run.name, run.study, run.label or "", run.dataset, run.status }, "\n")
      :lower():find(text, 1, true) ~= nil
  end
end

-- One filter → a function of a run, and the key that it compares, if any.
local function filter(text, catalog)
  local tag = text:match "^tag:(.+)$"
  if tag then
    return function(run)
      for _, name in ipairs(run.tags) do
        if name == tag then return true end
      end
      return false
    end
  end
  local name, operator, text_value = text:match "^([%w_.@]+)([!<>]=)(.*)$"
  if not name then name, operator, text_value = text:match "^([%w_]+@[%a_]+=[%d.]+)([=!<>~]=?)(.*)$" end
  if not name then name, operator, text_value = text:match "^([%w_.@]+)([=<>~])(.*)$" end
  if not name then return word(text) end
  local key = catalog:key(name)
  if operator == "=" or operator == "!=" then catalog:check_value(key, text_value) end
  return comparison(key, operator, text_value), key
end

-- Metrics: the best first; anything else: the smallest first; "-KEY": the other way round.
-- Runs without the key come last, equal ones stay newest first.
local function sort(runs, key, backwards)
  local descending = (key.kind == "metric" and key.higher) ~= backwards
  local value, place = {}, {}
  for i, run in ipairs(runs) do value[run], place[run] = key:get(run), i end
  table.sort(runs, function(a, b)
    local x, y = value[a], value[b]
    if x == y then return place[a] < place[b] end
    if x == nil or y == nil then return y == nil end
    if type(x) ~= type(y) then x, y = tostring(x), tostring(y) end
    if descending then return x > y end
    return x < y
  end)
end

local function compile(filters, catalog)
  local tests, mentioned = {}, {}
  for i, text in ipairs(filters) do
    tests[i], mentioned[#mentioned + 1] = filter(text, catalog)
  end
  return function(run)
    for _, test in ipairs(tests) do
      if not test(run) then return false end
    end
    return true
  end, mentioned
end

local function sort_key_of(catalog, name)
  if not name then return nil end
  local bare = name:gsub("^%-", "")
  return catalog:key(bare), bare ~= name
end

-- The rows that fit `filters`, in their order or by filters.sort; see runs() in find.lua.
-- → rows, the catalog of keys, the keys that were mentioned. An unknown key raises.
local function narrow(db, runs, filters)
  local catalog = keys.new(db)
  local fits, mentioned = compile(filters, catalog)
  local key, backwards = sort_key_of(catalog, filters.sort)
  mentioned[#mentioned + 1] = key
  local tags, message, code = db:tags()
  if not tags then return nil, message, code end
  local found = {}
  for _, run in ipairs(runs) do
    run.tags = tags[run.run_id] or {}
    if fits(run) then found[#found + 1] = run end
  end
  local metrics = filters.metrics and catalog:metrics()
  for _, run in ipairs(found) do run.metrics = metrics and (metrics[run.run_id] or {}) end
  local first, last = 1, math.min(#found, filters.limit or #found)
  if key then sort(found, key, backwards) else first, last = #found - last + 1, #found end
  return table.move(found, first, last, 1, {}), catalog, mentioned, #found
end

-- select(filters [, {sort = KEY, limit = N, removed = BOOLEAN}]) → rows like runs(), with `tags`, newest
-- first; the catalog of keys; the keys that were mentioned; how many fit. An unknown key raises.
local function select_runs(db, filters, options)
  options = options or {}
  local runs, message, code = db:runs { removed = options.removed }
  if not runs then return nil, message, code end
  for i = 1, #runs // 2 do runs[i], runs[#runs + 1 - i] = runs[#runs + 1 - i], runs[i] end
  local narrowing = { sort = options.sort }
  table.move(filters or {}, 1, #(filters or {}), 1, narrowing)
  local found, catalog, mentioned, fitting = narrow(db, runs, narrowing)
  if not found then return nil, catalog, mentioned end
  for i = #found, (options.limit or #found) + 1, -1 do found[i] = nil end
  return found, catalog, mentioned, fitting
end

-- `methods` go into the database, the rest serves find.lua.
return { methods = { select = select_runs }, narrow = narrow, word = word }
