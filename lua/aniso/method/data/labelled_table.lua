-- A table whose rows are labelled images: options and columns shared by the kinds with a user's own table.
-- labelled_table.rows() gives classes, groups, parts and folds.
local columns = require "aniso.method.data.columns"
local fields = require "aniso.method.data.fields"
local labels = require "aniso.method.data.labels"
local options = require "aniso.recipe.options"
local tables = require "aniso.method.data.table"
local warnings = require "aniso.method.data.warnings"

local labelled_table = {}

local join_options = { table = options.optional "string", on = options.optional "string" }

local function check_join(value, where)
  local out = options.check(value, join_options, where)
  for _, key in ipairs { "table", "on" } do
    if not out[key] then error(("option %s.%s is needed"):format(where, key), 0) end
  end
  return out
end

-- Adds the options for such a table to those of a kind.
function labelled_table.options(more)
  more.table, more.label = options.optional "string", "label"
  more.one_hot = options.optional(options.list "string")
  more.group, more.fold = options.optional "string", options.optional "string"
  more.no_group = options.optional(options.list "string")
  more.join = options.optional(options.custom(check_join))
  return more
end

-- The table of the options, joined with that of `join`, for a <close> variable.
function labelled_table.read(root, given)
  local left = tables.read(fields.join(root, fields.need(given, "table", "the CSV file's name")))
  if not given.join then return left end
  return tables.join(left, tables.read(fields.join(root, given.join.table)), given.join.on)
end

-- The ids of groups; those that mean none become "", an image without a group.
local function settle_groups(rows, given, t, facts)
  if not rows.group then return end
  local none, out = {}, {}
  for _, id in ipairs(given.no_group or {}) do none[id] = true end
  for row, id in ipairs(rows.group) do out[row] = none[id] and "" or id end
  rows.group = out
  labels.warn_of_groups(out, given.group, t.path, facts.warnings)
end

-- The rows of a table: { key =, class =, line =, group =, part =, fold = }, the last three if the options
-- name them. key: the column that names the image.
function labelled_table.rows(t, given, key, facts)
  local names = { image = key, label = given.label, one_hot = given.one_hot, group = given.group }
  local rows = columns.rows(t, names, labels.left_out(given)[""] or false)
  settle_groups(rows, given, t, facts)
  local one_hot = not given.one_hot and columns.one_hot_option(t, given.label)
  if one_hot then
    warnings.add(facts.warnings, "%s: the label is 0 or 1, as in other columns; one_hot = %s makes each of "
      .. "them a class", t.path, one_hot)
  end
  if given.fold then rows.fold = columns.folds(t, given.fold) end
  local split = given.split
  if split and t:has(split) then
    rows.part = columns.parts(t, split)
  elseif not split and t:has "split" then
    facts.notes[#facts.notes + 1] = 'the table has a column split, which split = "split" uses'
  end
  return rows
end

return labelled_table
