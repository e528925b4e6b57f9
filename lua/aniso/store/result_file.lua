-- Results as text: a CSV file of `aniso table --each` (stats/result_rows.lua) instead of a database. Tables
-- of published results are made from such files, and one study's seeds may come from several machines.
--   result_file.read(paths, study) → results (result_groups.lua has their groups); a file that cannot be used
--                                    raises a db_error, one line
--   results.metrics: name → true     results.metric_order: the names in the order of the first file
--   results.has_evaluations: whether there are samplers and draws
--   results.rows, .pooled: the rows of seeds and folds; name and n of pooled folds → their metrics
--   results.named: list of the labels that a file names as the baseline
local core = require "aniso.core"
local inert = require "aniso.stats.inert"
local must = require("aniso.store.db_error").must
local result_groups = require "aniso.store.result_groups"
local result_rows = require "aniso.stats.result_rows"

local result_file = {}

local MOST_ROWS = 200000
local MOST_INTEGER = 2 ^ 53
local MOST_METRIC = 1e100 -- the mean and variance of larger numbers would exceed the range of a double

local FIELDS, OF_EVALUATIONS = result_rows.FIELDS, result_rows.EVALUATION_FIELDS
local TEXT = { study = true, images = true, label = true, by = true, sampler = true }
local OPTIONAL = { folds = true, fold = true, n_train = true }

local function fail(form, ...)
  must(nil, core.sys.visible(form:format(...)), "EFORMAT")
end

-- column name → list of strings; the names of the metrics.
local function columns_of(path)
  local csv <close> = must(core.csv.read(path))
  local out, known, metrics, order, fields = {}, {}, {}, {}, table.move(FIELDS, 1, #FIELDS, 1, {})
  for j, name in ipairs(csv:header()) do
    if out[name] then fail("%s: two columns are called %s", path, name) end
    out[name] = csv:column(j)
  end
  if csv:n() > MOST_ROWS then
    fail("%s has %d rows, at most %d are supported", path, csv:n(), MOST_ROWS)
  end
  if out.sampler then table.move(OF_EVALUATIONS, 1, #OF_EVALUATIONS, #fields + 1, fields) end
  for _, name in ipairs(fields) do
    known[name] = true
    if not out[name] then
      fail("%s has no column %s: it is not a file of aniso table --each --format csv", path, name)
    end
  end
  for j, name in ipairs(csv:header()) do
    if name == "" then fail("%s: column %d has no name", path, j) end
    if not known[name] then metrics[name], order[#order + 1] = true, name end
  end
  return { path = path, n = csv:n(), lines = csv:lines(), cells = out, metrics = metrics, order = order,
    fields = fields, has_evaluations = out.sampler ~= nil }
end

-- The number in a cell; nil if the cell is empty.
local function number_of(file, row, name, whole)
  local text = file.cells[name][row]
  if text == "" then return nil end
  local value = tonumber(text)
  if not value or value ~= value or math.abs(value) == math.huge then
    fail("%s line %d: %s is not a number", file.path, file.lines[row], name)
  end
  if not whole and math.abs(value) > MOST_METRIC then
    fail("%s line %d: %s is %g; no metric is beyond %g", file.path, file.lines[row], name, value, MOST_METRIC)
  end
  if not whole then return value + 0.0 end
  if value < 0 or value > MOST_INTEGER or value % 1 ~= 0 then
    fail("%s line %d: %s is not a whole number from 0 on", file.path, file.lines[row], name)
  end
  return math.tointeger(value)
end

local function text_of(file, row, name)
  local text = file.cells[name][row]
  if text == "" and name ~= "sampler" then return nil end
  if not utf8.len(text) then fail("%s line %d: %s is not UTF-8", file.path, file.lines[row], name) end
  return inert.unquoted(text)
end

local function fields_of(file, row)
  local out = { at = ("%s line %d"):format(file.path, file.lines[row]) }
  for _, name in ipairs(file.fields) do
    local read = TEXT[name] and text_of or number_of
    out[name] = read(file, row, name, true)
    if out[name] == nil and not OPTIONAL[name] then fail("%s: %s is empty", out.at, name) end
  end
  if out.fold and not (out.folds and out.fold < out.folds) then
    fail("%s: fold %d of %d folds", out.at, out.fold, out.folds or 0)
  end
  for _, name in ipairs { "n", out.fold and "n_train" } do
    if (out[name] or 0) < 1 then fail("%s: %s is not a number of images", out.at, name) end
  end
  if out.folds == 0 then fail("%s: 0 folds", out.at) end
  for _, name in ipairs { "baseline", "primary" } do
    if out[name] > 1 then fail("%s: %s is neither 0 nor 1", out.at, name) end
  end
  return out
end

local function metrics_of(file, row)
  local out = {}
  for name in pairs(file.metrics) do out[name] = number_of(file, row, name, false) end
  return out
end

-- What identifies an evaluation of a seed's configuration.
local function name_of(row)
  return table.concat({ row.images, row.label, row.by, row.primary, row.sampler or "", row.steps or "",
    row.draws or "", row.noise or "", row.seed }, "\0")
end

-- Whether a row pools the folds of a seed: all folds, or those in its file.
local function is_pooled(row)
  return row.folds ~= nil and not row.fold
end

local function check_once(seen, key, row, what)
  if seen[key] then
    fail("%s: this seed of %s is in %s already%s", row.at, row.label, seen[key], what or "")
  end
  seen[key] = row.at
end

-- Raises for a duplicate row, for a second evaluation that tables count, and for images that another row
-- splits into a different number of folds.
local function check_row(results, row, own)
  check_once(results.seen, own, row)
  local seed = ("primary\0%s\0%s\0%d\0%s"):format(row.images, row.label, row.seed, row.fold)
  if row.primary == 1 and not is_pooled(row) then
    check_once(results.seen, seed, row, ", with another evaluation that counts")
  end
  local cut = ("folds\0%s"):format(row.images)
  local folds = results.seen[cut] or row
  if folds.folds ~= row.folds then
    fail("%s: these images have %s folds, and %s in %s", row.at, row.folds or "no", folds.folds or "none",
      folds.at)
  end
  results.seen[cut] = folds
end

-- Adds the rows of a file: runs and scores as groups.form() takes them, and the metrics of pooled folds.
local function add_file(results, file, study)
  for i = 1, file.n do
    local row = fields_of(file, i)
    results.studies[row.study] = true
    local name = name_of(row)
    local own = ("%s\0%s"):format(name, is_pooled(row) and file.path or row.fold)
    if row.study == study then
      check_row(results, row, own)
      if row.baseline == 1 and not results.seen["baseline\0" .. row.label] then
        results.seen["baseline\0" .. row.label] = true
        results.named[#results.named + 1] = row.label
      end
      if is_pooled(row) then
        results.pooled[("%s\0%d"):format(name, row.n)] = metrics_of(file, i)
      else
        local id = #results.rows + 1
        row.metrics, row.name, row.id = metrics_of(file, i), name, id
        results.rows[id] = row
      end
    end
  end
end

function result_file.read(paths, study)
  local results = result_groups.new { rows = {}, pooled = {}, seen = {}, studies = {}, metrics = {},
    named = {}, has_evaluations = true }
  for _, path in ipairs(paths) do
    local file = columns_of(path)
    results.metric_order = results.metric_order or file.order
    for name in pairs(file.metrics) do results.metrics[name] = true end
    results.has_evaluations = results.has_evaluations and file.has_evaluations
    add_file(results, file, study)
  end
  if #results.rows == 0 and results.studies[study] then
    fail("%s: study %s has no row of a fold", paths[1], study)
  end
  if #results.rows == 0 then
    local names = {}
    for name in pairs(results.studies) do names[#names + 1] = name end
    table.sort(names)
    fail("%s: there is no study %s (%s)", paths[1], study,
      #names > 0 and "it has: " .. table.concat(names, ", ") or "it has no rows")
  end
  return results
end

return result_file
