-- scin: SCIN as published (Ward et al. 2024, doi:10.1001/jamanetworkopen.2024.46615): one table of cases with
-- up to three images, another with weighted skin conditions of each case; grouped by case.
local fields = require "aniso.method.data.fields"
local options = require "aniso.recipe.options"
local published = require "aniso.method.data.published"
local fault = require "aniso.method.data.fault"
local tables = require "aniso.method.data.table"
local warnings = require "aniso.method.data.warnings"

local WEIGHTS = "weighted_skin_condition_label"
local CASES = 5033 -- as published

local scin = {
  kind = "scin", title = "SCIN",
  image_folder = "^images$", in_any_set = true,
  expects = "scin_cases.csv with case_id and image_1_path, scin_labels.csv with case_id and " .. WEIGHTS,
}

scin.options = fields.files {
  threshold = options.number { default = 0.5, above = 0, max = 1 },
  min_images = options.integer { default = 30, min = 1 },
}

local function find(root, name, columns)
  local file = name .. ".csv"
  return tables.find(root, { file, "dataset/" .. file, "dataset_" .. file }, columns)
end

function scin.find(root)
  local cases, lacks = find(root, "scin_cases", { "case_id", "image_1_path" })
  if not cases then return nil, lacks end
  local weights, why = find(root, "scin_labels", { "case_id", WEIGHTS })
  if not weights then return nil, why or "there is no scin_labels.csv" end
  return cases
end

-- ── labels ──────────────────────────────────────────────────────────────────────────────
-- The opening quote → name and the position after it.
local CLOSING = { ["'"] = "^'([^'\\]*)'()", ['"'] = '^"([^"\\]*)"()' }

-- "{'Eczema': 0.67, 'Psoriasis': 0.33}" → list of {name, weight}, or nil for any other text.
function scin.weights(text)
  local inner = text:match "^%s*{(.*)}%s*$"
  if not inner then return nil end
  local out, at = {}, inner:match "^%s*()"
  while at <= #inner do
    local quoted = CLOSING[inner:sub(at, at)]
    if not quoted then return nil end
    local name, next_at = inner:match(quoted, at)
    local number, after = inner:match("^%s*:%s*([%d%.eE+-]+)%s*()", next_at or #inner + 1)
    if not name or not tonumber(number) then return nil end
    out[#out + 1] = { name, tonumber(number) }
    at = after
    if at <= #inner then
      at = inner:match("^,%s*()", at)
      if not at then return nil end
    end
  end
  return out
end

-- The name with the largest weight, if that is at least `threshold` and unique.
function scin.top(weights, threshold)
  local best, tie
  for _, one in ipairs(weights) do
    if not best or one[2] > best[2] then
      best, tie = one, false
    elseif one[2] == best[2] then
      tie = true
    end
  end
  return best and not tie and best[2] >= threshold and best[1] or nil
end

-- ── images ──────────────────────────────────────────────────────────────────────────────
-- Cases that show the same image form one group.
local function groups()
  local leader = {}
  local function find_leader(case)
    while leader[case] and leader[case] ~= case do case = leader[case] end
    return case
  end
  return find_leader, function(a, b) leader[find_leader(b)] = find_leader(a) end
end

-- The rows of all images of labelled cases, and what was left out.
local function collect(t, threshold)
  local rows = { key = {}, file = {}, class = {}, group = {}, line = {} }
  local left_out, owner, paths = { unlabelled = 0, below = 0, shared = 0 }, {}, {}
  local leader_of, join = groups()
  local cases, labels = t:column "case_id", t:column(WEIGHTS)
  for k = 1, 3 do
    local name = ("image_%d_path"):format(k)
    paths[k] = t:has(name) and t:column(name) or {}
  end
  for row = 1, t.n do
    local weights = labels[row] == "" and {} or scin.weights(labels[row])
    if not weights then
      fault.raise("EFORMAT", "%s line %d: '%s' in %s is not a list of weighted conditions", t.path,
        t.lines[row], labels[row]:sub(1, 80), WEIGHTS)
    end
    local class = scin.top(weights, threshold)
    if not class then
      local why = #weights == 0 and "unlabelled" or "below"
      left_out[why] = left_out[why] + 1
    end
    for k = 1, class and 3 or 0 do
      local key = (paths[k][row] or ""):match "([^/\\]+)$"
      if key and owner[key] then
        join(owner[key], cases[row])
        left_out.shared = left_out.shared + 1
      elseif key then
        local n = #rows.key + 1
        owner[key] = cases[row]
        rows.key[n], rows.file[n], rows.class[n] = key, key, class
        rows.group[n], rows.line[n] = cases[row], t.lines[row]
      end
    end
  end
  for i, case in ipairs(rows.group) do rows.group[i] = leader_of(case) end
  return rows, left_out
end

-- The rows whose class is listed, or, without a list, has enough images.
local function limit(rows, classes, min_images)
  local counts, keep, out, dropped = published.count(rows.class), {}, {}, 0
  if classes then
    for _, class in ipairs(classes) do keep[class] = true end
  else
    for class, n in pairs(counts) do
      keep[class] = n >= min_images or nil
      if n < min_images then dropped = dropped + 1 end
    end
  end
  for name, list in pairs(rows) do
    out[name] = {}
    for i, value in ipairs(list) do
      if keep[rows.class[i]] then table.insert(out[name], value) end
    end
  end
  return out, dropped
end

function scin.open(given, facts, fits)
  local root = fields.need(given, "root", "the folder that holds scin_cases.csv, or its folder `dataset`")
  local path = scin.find(root) or published.wrong_pick(scin, root, fits)
  local t <close> = tables.join(tables.read(path), tables.read(find(root, "scin_labels", { "case_id" })),
    "case_id", true)
  if t.n ~= CASES then
    warnings.add(facts.warnings, "%s has %d cases as published, %d are here", scin.title, CASES, t.n)
  end
  local rows, left_out = collect(t, given.threshold)
  local dropped
  rows, dropped = limit(rows, given.classes, given.min_images)
  if #rows.key == 0 then
    fault.raise("EFORMAT", "%s: no condition with a weight of at least %g has %s", path, given.threshold,
      given.classes and "one of the names in data.classes"
        or ("%d images; lower data.min_images"):format(given.min_images))
  end
  facts.notes[#facts.notes + 1] = ("%d cases: %d without a label, %d without one condition of at least %g, "
    .. "%d classes of fewer than %d images left out"):format(t.n, left_out.unlabelled, left_out.below,
    given.threshold, dropped, given.min_images)
  if left_out.shared > 0 then
    facts.notes[#facts.notes + 1] = ("%d images are listed again by another case; those cases are one group")
      :format(left_out.shared)
  end
  return { origin = path, root = root, rows = rows, skip_missing = true,
    folders = fields.folders(root, { "images", "dataset/images", "." }) }
end

return scin
