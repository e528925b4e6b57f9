-- aniso show RUN [SECTION | --SECTION …]: what is stored about one run: the facts, its evaluations and
-- what calibrated them, the search that chose its levels, the classes, the confusion matrix, the
-- configuration, the curves, the log, the recipe's text, and how to repeat it.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local core = require "aniso.core"
local many_classes = require "aniso.show.many_classes"
local printed = require("aniso.stats.metric.catalog").printed
local tables = require "aniso.show.table"

local show = { summary = "show everything about one run" }

-- Digits of the numbers of a section.
-- How many columns name a row, if more than one: part, sampler, steps, draws.
local KEYS = { evaluations = 4 }
local DIGITS = { evaluations = 3, calibration = 3, search = 4, classes = 3 }

show.names = { "facts", "evaluations", "calibration", "search", "classes", "confusion", "config", "curve",
  "log", "env", "recipe", "repro" }

function show.arguments(parser)
  parser:argument("run", common.TEXT.run)
  parser:argument("section", "show only this section"):args "?":choices(show.names)
  for _, name in ipairs(show.names) do
    parser:flag(name == "curve" and "--curve --curves" or "--" .. name, "show the section " .. name)
  end
  common.db(parser)
  common.format(parser)
end

local function read(db, name, run)
  return common.guarded(require("aniso.store.sections").rows, db, name, run)
end

local function facts(db, run)
  local found, columns = read(db, "facts", run)
  local rows = {}
  for _, name in ipairs(columns) do
    local value = found[1][name]
    if value ~= nil then rows[#rows + 1] = { name, tostring(value) } end
  end
  local pruned = common.call(db, "pruned_of", run.study)[run.run_id]
  if pruned then
    rows[#rows + 1] = { "pruned", require("aniso.stats.pruning").sentence(pruned) }
  end
  local tags = common.call(db, "tags")[run.run_id]
  if tags then rows[#rows + 1] = { "tags", table.concat(tags, " ") } end
  for _, note in ipairs(common.call(db, "notes", run)) do
    rows[#rows + 1] = { "note", note.at:sub(1, 16) .. "  " .. note.text }
  end
  return { "fact", "value" }, rows
end

-- The machine, the command line and the environment that were recorded.
local function env(db, run)
  local origin = common.call(db, "origin", run)
  local rows = {}
  for _, name in ipairs { "hostname", "os", "arch", "cpu", "cores", "ram_bytes", "blas" } do
    rows[#rows + 1] = { name, tostring(origin[name]) }
  end
  if origin.argv then rows[#rows + 1] = { "argv", table.concat(origin.argv, " ") } end
  for _, leaf in ipairs(require("aniso.recipe.paths").flatten(origin.env or {})) do
    if type(leaf.value) ~= "table" then rows[#rows + 1] = { leaf.key, tostring(leaf.value) } end
  end
  return { "fact", "value" }, rows
end

-- Replaces stored names of columns and groups by their printed names: many is head, few is tail.
local function print_names(columns, rows)
  for j, column in ipairs(columns) do
    for _, row in ipairs(column.name == "shot" and rows or {}) do row[j] = printed(row[j]) end
    column.name = column.name == "shot" and "group" or printed(column.name)
  end
end

-- → columns, rows, a note on rows that are left out
local function rows_of(db, run, name, format)
  local programs, note = tables.is_for_programs(format), nil
  if name == "facts" then return facts(db, run) end
  if name == "env" then return env(db, run) end
  local found, names = read(db, name, run)
  if name == "confusion" then return many_classes.matrix(found, read(db, "classes", run), programs) end
  if name == "classes" then found, note = many_classes.worst(found, "f1", programs) end
  local columns, rows = { keys = KEYS[name] }, {}
  for j, column in ipairs(names) do columns[j] = { name = column, digits = DIGITS[name] } end
  for i, row in ipairs(found) do
    rows[i] = {}
    for j, column in ipairs(names) do rows[i][j] = row[column] end
  end
  if not programs and DIGITS[name] then print_names(columns, rows) end
  return columns, rows, note
end

-- Prints one section of a run.
function show.section(db, run, name, format)
  if name == "recipe" then
    local text = common.call(db, "origin", run).recipe_text
    if not text then cli.fail(cli.NO_MATCH, "the run was not made from a recipe") end
    -- Unchanged for a file or a pipe; a terminal would execute its control characters.
    io.stdout:write(core.sys.isatty "stdout" and core.sys.visible(text, true) or text)
    return
  end
  if name == "repro" then
    return console.print_text(table.concat(cli.need(require "aniso.store.reproduce" (db, run)), "\n"))
  end
  local columns, rows, note
  if name == "curve" and format == "table" then
    local figures
    figures, columns, rows = require "aniso.show.run_curves" (common.call(db, "curves", run))
    if figures then
      require("aniso.show.plot").draw(figures)
      console.print()
    end
  else
    columns, rows, note = rows_of(db, run, name, format)
  end
  if format == "table" and #rows == 0 then return console.print(("%s: nothing recorded"):format(name)) end
  tables.print(columns, rows, format)
  if note then console.note(note) end
end

function show.run(args)
  local db = common.open(args)
  local run = common.find(db, args.run)
  local sections = { args.section }
  for _, name in ipairs(show.names) do
    if args[name] and name ~= args.section then sections[#sections + 1] = name end
  end
  if args.format ~= "table" then
    if #sections > 1 then cli.fail(cli.USAGE, ("--format %s takes one section"):format(args.format)) end
    return show.section(db, run, sections[1] or "facts", args.format)
  end
  if #sections == 0 then
    local K = #read(db, "classes", run)
    sections = K > 0 and { "facts", "evaluations", "classes", "confusion" } or { "facts" }
    for _, name in ipairs { "search", "calibration" } do
      if #sections > 1 and #read(db, name, run) > 0 then table.insert(sections, 3, name) end
    end
  end
  for i, name in ipairs(sections) do
    if i > 1 then console.print() end
    show.section(db, run, name, "table")
  end
end

return show
