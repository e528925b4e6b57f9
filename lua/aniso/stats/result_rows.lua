-- The results of a study as plain rows, from which its tables can be made again without the database: a row
-- per configuration and seed. A cross-validation has one for the pooled folds (fold is nil), or for the
-- existing ones if no seed has all, and one for each fold, which the corrected resampled t test requires.
-- Groups: those of groups.lua.
local result_rows = {}

-- The fields of a row before its metrics. images: identifies the test images, from their hash;
-- baseline: 1 in the configuration that the others are compared with; primary: 1 if tables count the
-- evaluation; n, n_train: test and training images.
result_rows.FIELDS = { "study", "images", "label", "baseline", "by", "primary", "folds", "seed", "fold", "n",
  "n_train" }

-- Fields that further distinguish the rows of all evaluations (store/groups.lua, of_evaluations()).
result_rows.EVALUATION_FIELDS = { "sampler", "steps", "draws", "noise", "passes" }

-- A row, its fields by name; those of a member come from `part`, a fold or the member itself.
local function row_of(group, facts, member, part)
  local values = { seed = member.seed, fold = part.fold, n = part.n, n_train = part.n_train }
  for name, value in pairs(facts) do values[name] = value end
  for _, name in ipairs(result_rows.EVALUATION_FIELDS) do values[name] = group[name] end
  return { values = values, metrics = part.metrics }
end

local HASH = 16 -- of 64 hexadecimal digits: by chance, two of a million sets agree in one of 3·10⁷ cases

local function facts_of(group, baseline)
  local primary = group.primary
  if primary == nil then primary = not group.prior end
  local images = group.run.fold_set or group.run.split_sha256 -- split_id is the database's own
  return { study = group.run.study, images = images:sub(1, HASH),
    label = group.label, baseline = baseline(group) and 1 or 0, by = group.by, primary = primary and 1 or 0,
    folds = group.folds }
end

-- The rows of a group's members, including those that lack folds; only members that count have a row of
-- pooled folds.
local function add_group(out, group, facts)
  local function add_parts(member)
    for _, part in ipairs(member.parts or {}) do out[#out + 1] = row_of(group, facts, member, part) end
  end
  for _, member in ipairs(group.members) do
    out[#out + 1] = row_of(group, facts, member, { n = member.n, metrics = member.metrics })
    add_parts(member)
  end
  if group.members[1].complete then
    for _, member in ipairs(group.incomplete) do add_parts(member) end
  end
end

-- rows(list, metrics, baseline [, evaluations]) → columns, rows. list: groups with distinct labels; metrics:
-- names; baseline(group): whether the others are compared with it; evaluations: adds EVALUATION_FIELDS.
function result_rows.rows(list, metrics, baseline, evaluations)
  local columns, found, rows = {}, {}, {}
  local fields = evaluations and result_rows.EVALUATION_FIELDS or {}
  for _, names in ipairs { result_rows.FIELDS, fields, metrics } do
    table.move(names, 1, #names, #columns + 1, columns)
  end
  for _, group in ipairs(list) do add_group(found, group, facts_of(group, baseline)) end
  local first = #columns - #metrics
  for i, one in ipairs(found) do
    rows[i] = {}
    for j, name in ipairs(columns) do
      rows[i][j] = j > first and one.metrics[name] or j <= first and one.values[name] or nil
    end
  end
  return columns, rows
end

return result_rows
