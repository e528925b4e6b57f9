-- A comparison for programs: flat records of the numbers that compare_text.lua prints. JSON has a list
-- of records per section, CSV holds all of them in one table with the columns below.
local core = require "aniso.core"
local derived = require "aniso.stats.derived"
local tables = require "aniso.show.table"

local records = {}

-- section, name, and group of a number; its value (mean over runs), sd and n; Δ to the
-- baseline with its sd over the pairs of seeds, interval, t and p; McNemar's b and c.
records.columns = { "section", "name", "quantity", "predicted", "group", "value", "sd", "n", "delta",
  "delta_sd", "pairs", "lo", "hi", "t", "p", "b", "c" }

local function measured(add, section, name, quantity, groups, one)
  for k, moments in ipairs(one.of) do
    local delta = one.delta[k] or {}
    add(section, { name = name, quantity = quantity, group = groups[k].label, value = moments.mean,
      sd = moments.sd, n = moments.n, delta = delta.mean, delta_sd = delta.sd, pairs = delta.n,
      lo = delta.lo, hi = delta.hi, t = delta.t, p = delta.p })
  end
end

local function of_classes(add, result)
  for _, class in ipairs(result.classes) do
    for _, name in ipairs { "n_train", "support" } do
      add("classes", { name = class.name, quantity = name, value = class[name] })
    end
    add("classes", { name = class.name, quantity = "group", value = class.shot })
    for _, name in ipairs { "recall", "precision", "f1" } do
      measured(add, "classes", class.name, name, result.groups, class[name])
    end
  end
end

local function of_pair(add, pair)
  for _, name in ipairs { "acc", "bacc", "macro_f1", "many", "medium", "few", derived.TAIL } do
    local of = pair.intervals and pair.intervals[name]
    if of then
      add("images", { name = name, group = pair.label, delta = of.value, lo = of.lo, hi = of.hi, n = pair.n,
        pairs = #pair.seeds })
    end
  end
  for _, test in ipairs(pair.mcnemar or {}) do
    add("mcnemar", { name = ("seed %d"):format(test.second), group = pair.label, n = pair.n, b = test.b,
      c = test.c, p = test.p })
  end
end

-- → list of records in the order of the sections
function records.of(result)
  local out, groups = {}, result.groups
  local function add(section, record)
    record.section = section
    out[#out + 1] = record
  end
  for k, group in ipairs(groups) do
    for i, member in ipairs(group.members) do
      add("groups", { name = member.uid, quantity = "seed", group = group.label, value = member.seed,
        n = group.members[i].n, predicted = k == 1 and "baseline" or nil })
    end
  end
  for _, one in ipairs(result.config) do
    for k, value in ipairs(one.values) do
      add("config", { name = one.key, group = groups[k].label, value = value })
    end
  end
  for _, one in ipairs(result.metrics) do measured(add, "metrics", one.name, nil, groups, one) end
  for k = 2, #groups do of_pair(add, result.pairs[k]) end
  of_classes(add, result)
  for _, cell in ipairs(result.confusion) do
    for k, value in ipairs(cell.of) do
      add("confusion", { name = cell["true"], predicted = cell.pred, group = groups[k].label, value = value,
        delta = cell.delta[k] })
    end
  end
  for _, note in ipairs(result.notes) do add("notes", { name = note }) end
  return out
end

-- Both formats take `only`, the name of a section; "tests" includes the tests over the images.
local function is_in_section(record, only)
  return not only or record.section == only or only == "tests" and record.section == "images"
end

function records.csv(result, only)
  local rows = {}
  for _, record in ipairs(records.of(result)) do
    local row = {}
    for j, column in ipairs(records.columns) do row[j] = record[column] end
    if is_in_section(record, only) then rows[#rows + 1] = row end
  end
  return tables.format(records.columns, rows, "csv")
end

function records.json(result, only)
  local out = { baseline = result.groups[1].label }
  for _, record in ipairs(records.of(result)) do
    local section = record.section
    if is_in_section(record, only) then
      out[section] = out[section] or core.json.array {}
      record.section = nil
      table.insert(out[section], section == "notes" and record.name or record)
    end
  end
  return core.json.encode(out) .. "\n"
end

return records
