-- A comparison as tables for people. compare_records.lua gives the same numbers to programs.
local cells = require "aniso.show.compare_cells"
local derived = require "aniso.stats.derived"
local many_classes = require "aniso.show.many_classes"
local printed = require("aniso.stats.metric.catalog").printed
local markup = require "aniso.show.markup"
local sys = require("aniso.core").sys
local tables = require "aniso.show.table"
local text_width = require "aniso.show.text_width"
local turned = require "aniso.show.compare_turned"

local show = {}

show.names = { "groups", "config", "metrics", "tests", "mcnemar", "classes", "confusion", "notes" }

local TITLES = {
  groups = "Compared, the baseline first", config = "Configuration: what differs",
  metrics = "Test set", tests = "Tests of Δ", mcnemar = "McNemar's test on the images",
  classes = "Classes", confusion = "Confusion: change per run", notes = "To keep in mind",
}

-- Up to MATRIX classes the confusion is a matrix, above that a list of CELLS cells.
local MATRIX, CELLS = 12, 15
local TESTED = { "acc", "bacc", "macro_f1", "many", "medium", "few", derived.TAIL }

-- Comparisons of more groups than this have a row per group, in blocks of at most TURNED_ROOM columns.
local MOST_ACROSS, TURNED_ROOM = 3, 100

local function is_turned(result)
  return #result.groups > MOST_ACROSS
end

local function group_columns(result, columns, what)
  for k, group in ipairs(result.groups) do
    columns[#columns + 1] = what and what .. " " .. group.label or group.label
    if k > 1 then columns[#columns + 1] = "Δ" end
  end
  return columns
end

-- The heading of the test over runs (stats/paired.lua).
local function over_runs(result)
  return result.groups[1].run.fold and "95 % over folds, seeds" or "95 % over seeds"
end

local make = {}

function make.groups(result)
  local rows = {}
  for k, group in ipairs(result.groups) do
    local seeds, run = {}, group.runs[1]
    for i, member in ipairs(group.members) do
      seeds[i] = member.parts and not member.complete and ("%d (%d/%d folds)"):format(member.seed,
        #member.parts, member.folds) or member.seed
    end
    rows[k] = { group.label, run.study, #group.runs, table.concat(seeds, " "), group.members[1].n,
      run.dataset .. (run.content and " " .. run.content:sub(1, 8) or ""),
      run.fold and ("%d folds"):format(run.folds) or run.split }
  end
  return { "name", "study", "runs", "seeds", "test images", "data", "split" }, rows
end

function make.config(result)
  if is_turned(result) then return turned.config(result) end
  local columns, rows = { "option" }, {}
  for k, group in ipairs(result.groups) do columns[k + 1] = group.label end
  for i, one in ipairs(result.config) do rows[i] = { one.key, table.unpack(one.values) } end
  return columns, rows
end

-- Two groups: everything in one table. More groups: the values, and the tests in a table of their own.
function make.metrics(result)
  if is_turned(result) then return turned.numbers(result, result.metrics) end
  local columns, rows, two = group_columns(result, { "metric" }), {}, #result.groups == 2
  if two then
    for _, name in ipairs { over_runs(result), "p", "95 % bootstrap" } do columns[#columns + 1] = name end
  end
  for i, one in ipairs(result.metrics) do
    local row = { printed(one.name) }
    local at = cells.put(row, 2, one, one.higher)
    if two then
      local pair = result.pairs[2]
      row[at], row[at + 1] = cells.interval(one.delta[2]), cells.probability(one.delta[2].p)
      row[at + 2] = cells.interval(pair.intervals and pair.intervals[one.name])
    end
    rows[i] = row
  end
  return columns, rows
end

local function metric_named(result, name)
  for _, one in ipairs(result.metrics) do
    if one.name == name then return one end
  end
end

-- Only for more than two groups: for two, the tests are in the table of the values.
function make.tests(result)
  local rows = {}
  for k = 2, #result.groups > 2 and #result.groups or 0 do
    local pair = result.pairs[k]
    for _, name in ipairs(TESTED) do
      local one = metric_named(result, name)
      if one and one.delta[k].mean then
        local delta = one.delta[k]
        rows[#rows + 1] = { pair.label, printed(name), cells.signed(delta.mean), delta.n,
          cells.interval(delta), cells.probability(delta.p),
          cells.interval(pair.intervals and pair.intervals[name]) }
      end
    end
  end
  return { "name", "metric", "Δ", "seeds", over_runs(result), "p", "95 % bootstrap", keys = 2 }, rows
end

function make.mcnemar(result)
  local rows = {}
  for k = 2, #result.groups do
    for _, test in ipairs(result.pairs[k].mcnemar or {}) do
      rows[#rows + 1] = { result.groups[k].label, test.first, test.second, test.b, test.c,
        cells.probability(test.p) }
    end
  end
  return { "name", "seed before", "seed now", "right only before", "right only now", "p" }, rows
end

function make.classes(result)
  local classes, note = many_classes.changed(result)
  if is_turned(result) then
    local columns, rows = turned.classes(result, classes)
    return columns, rows, note
  end
  local columns = { "class", "n_train", "group", "images" }
  group_columns(result, columns, "recall")
  if #result.groups == 2 then group_columns(result, columns, "F1") end
  local rows = {}
  for i, class in ipairs(classes) do
    local row = { class.name, class.n_train, printed(class.shot), class.support }
    local at = cells.put(row, 5, class.recall, true)
    if #result.groups == 2 then cells.put(row, at, class.f1, true) end
    rows[i] = row
  end
  return columns, rows, note
end

local function as_matrix(result)
  local columns, rows = { "true \\ predicted" }, {}
  for i, class in ipairs(result.classes) do
    columns[i + 1], rows[i] = class.name, { class.name }
    for j = 1, #result.classes do rows[i][j + 1] = cells.change(0) end
  end
  for _, cell in ipairs(result.confusion) do
    local one = cells.change(cell.delta[2])
    one.bold = cell.i == cell.j and cell.delta[2] ~= 0
    rows[cell.i][cell.j + 1] = one
  end
  return columns, rows
end

-- The cells that changed most, over all groups.
function make.confusion(result)
  if #result.groups == 2 and #result.classes <= MATRIX then return as_matrix(result) end
  local changed, rows = {}, {}
  for _, cell in ipairs(result.confusion) do
    for k = 2, #result.groups do
      if cell.delta[k] ~= 0 then changed[#changed + 1] = { cell = cell, k = k } end
    end
  end
  table.sort(changed, function(a, b)
    local x, y = math.abs(a.cell.delta[a.k]), math.abs(b.cell.delta[b.k])
    if x ~= y then return x > y end
    if a.k ~= b.k then return a.k < b.k end
    if a.cell.i ~= b.cell.i then return a.cell.i < b.cell.i end
    return a.cell.j < b.cell.j
  end)
  for i = 1, math.min(#changed, CELLS) do
    local cell, k = changed[i].cell, changed[i].k
    rows[i] = { result.groups[k].label, cell["true"], cell.pred, cells.count(cell.of[1]),
      cells.count(cell.of[k]), cells.change(cell.delta[k]) }
  end
  return { "name", "true", "predicted", result.groups[1].label, "now", "Δ" }, rows
end

function make.notes(result)
  local rows = {}
  for i, note in ipairs(result.notes) do rows[i] = { note } end
  return { "note" }, rows
end

-- Leaves out columns that are empty in every row.
local function without_empty(columns, rows)
  local kept, reduced = {}, {}
  for j, column in ipairs(columns) do
    local filled = #rows == 0
    for _, row in ipairs(rows) do filled = filled or row[j] ~= nil end
    if filled then kept[#kept + 1] = j end
  end
  local names = { keys = columns.keys, blocks = columns.blocks }
  for at, j in ipairs(kept) do names[at] = columns[j] end
  for i, row in ipairs(rows) do
    reduced[i] = {}
    for at, j in ipairs(kept) do reduced[i][at] = row[j] end
  end
  return names, reduced
end

-- → list of {name, title, columns, rows}, without the empty ones; `only` names one. A title includes the note
-- on omitted rows.
local function sections(result, only)
  local out = {}
  for _, name in ipairs(show.names) do
    if not only or only == name then
      local all, all_rows, note = make[name](result)
      local columns, rows = without_empty(all, all_rows)
      if #rows > 0 or only then
        local title = note and ("%s: %s"):format(TITLES[name], note) or TITLES[name]
        out[#out + 1] = { name = name, title = title, columns = columns, rows = rows }
      end
    end
  end
  return out
end

local TITLE = { table = "%s\n", md = "### %s\n\n", latex = "%% %s\n" }

-- A note as a list item, broken into lines that fit the terminal.
local function item(mark, note, room)
  local lines = room and room > 4 and text_width.wrap(sys.visible(note), room - 2) or { sys.visible(note) }
  return mark .. table.concat(lines, "\n  ") .. "\n"
end

-- The text of all sections, or of one, in the formats for people: table, md, latex. bold: for a
-- terminal; room [opt]: its columns.
function show.text(result, format, only, bold, room)
  local out = {}
  for i, section in ipairs(sections(result, only)) do
    local text = only and "" or TITLE[format]:format(section.title)
    if section.name == "notes" then
      local mark, plain = format == "latex" and "% " or "- ", format == "md" and markup.md_text or tostring
      local width = format == "table" and room
      for _, row in ipairs(section.rows) do text = text .. item(mark, plain(row[1]), width) end
    else
      text = text .. tables.format(section.columns, section.rows, format, bold,
        section.columns.blocks and math.min(room or TURNED_ROOM, TURNED_ROOM) or room)
    end
    out[i] = text
  end
  return table.concat(out, "\n")
end

return show
