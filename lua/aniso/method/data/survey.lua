-- What the files of a data set reveal per class: formats, sizes, greyness, copies across the parts
-- (engine/data/survey.h, near_copies.h). survey.lines(ds, add) is a part of `aniso data info`.
local core = require "aniso.core"
local visible = core.sys.visible

local survey = {}

-- A trait whose share among the images of one class is this far above or below its share in every
-- other class gives the class away.
survey.gap = 0.5

-- ── what gives a class away ─────────────────────────────────────────────────────────────
-- The largest gap between two neighbours among the sorted shares: gap, upper and lower classes.
local function split_by_share(shares)
  local order = {}
  for k = 1, #shares do order[k] = k end
  table.sort(order, function(a, b)
    if shares[a] ~= shares[b] then return shares[a] > shares[b] end
    return a < b
  end)
  local gap, at = 0, 1
  for i = 1, #order - 1 do
    local step = shares[order[i]] - shares[order[i + 1]]
    if step > gap then gap, at = step, i end
  end
  return gap, table.move(order, 1, at, 1, {}), table.move(order, at + 1, #order, 1, {})
end

local function percent(share)
  return ("%.0f %%"):format(100 * share)
end

local function names_of(classes, numbers)
  local names = {}
  for i, k in ipairs(numbers) do names[i] = classes[k] end
  table.sort(names)
  if #names > 4 then return ("%s and %d more"):format(table.concat(names, ", ", 1, 3), #names - 3) end
  return table.concat(names, ", ")
end

local function others(bound, share)
  local exact = share == 0 or share == 1
  return ("every other class %s%s"):format(exact and "" or bound .. " ", percent(share))
end

local function sentence(classes, trait, shares, upper, lower)
  local high, low = shares[upper[#upper]], shares[lower[1]]
  if #upper == 1 then
    return ("class %s: %s %s, %s: the label can be read from the %s"):format(classes[upper[1]], percent(high),
      trait.name, others("at most", low), trait.of)
  elseif #lower == 1 then
    return ("class %s: %s %s, %s: the label can be read from the %s"):format(classes[lower[1]], percent(low),
      trait.name, others("at least", high), trait.of)
  end
  return ("%s: at least %s of %s, at most %s of %s: a part of the label can be read from the %s"):format(
    trait.name, percent(high), names_of(classes, upper), percent(low), names_of(classes, lower), trait.of)
end

local function shares_of(counts, images)
  local out = {}
  for k, n in ipairs(images) do out[k] = n > 0 and (counts[k] or 0) / n or 0 end
  return out
end

-- Counts of each text, over the classes: { PNG = {3, 0, 12}, … }
local function by_text(texts, K)
  local out = {}
  for k, counts in ipairs(texts) do
    for text, n in pairs(counts) do
      out[text] = out[text] or {}
      for j = 1, K do out[text][j] = out[text][j] or 0 end
      out[text][k] = n
    end
  end
  return out
end

-- The traits, by family: { { of =, { name =, counts = } … } … }.
local function families(s)
  local K = #s.images
  local formats, sizes = { of = "file format" }, { of = "image size" }
  for name, counts in pairs(by_text(s.format, K)) do
    formats[#formats + 1] = { name = name, counts = counts }
  end
  for name, counts in pairs(by_text(s.size, K)) do
    sizes[#sizes + 1] = { name = name .. " pixels", counts = counts }
  end
  sizes[#sizes + 1] = { name = ("of more than %d pixels"):format(s.median), counts = s.larger }
  return { formats, sizes, { of = "greyness", { name = "grey", counts = s.grey } } }
end

-- The trait with the largest gap; of equal ones a trait of a single class first, then by name.
local function clearest(family, images)
  local best
  for _, trait in ipairs(family) do
    local shares = shares_of(trait.counts, images)
    local gap, upper, lower = split_by_share(shares)
    local one = { trait = trait, shares = shares, gap = gap, upper = upper, lower = lower }
    local equal = best and math.abs(gap - best.gap) < 1e-9
    local better = not best or equal and (#upper < #best.upper
      or #upper == #best.upper and trait.name < best.trait.name) or not equal and gap > best.gap
    if better then best = one end
  end
  return best
end

-- Lines about classes that their files give away. s: the result of core.data.survey().
function survey.giveaways(classes, s)
  local lines = {}
  for _, family in ipairs(families(s)) do
    local best = clearest(family, s.images)
    if best and best.gap >= survey.gap then
      best.trait.of = family.of
      lines[#lines + 1] = sentence(classes, best.trait, best.shares, best.upper, best.lower)
    end
  end
  return lines
end

-- ── the table ───────────────────────────────────────────────────────────────────────────
-- "PNG" if all images have it, "PNG 60 %, JPEG 40 %" otherwise; above `most`, the number and the first.
local function describe(counts, most, what)
  local list, total = {}, 0
  for text, n in pairs(counts) do
    list[#list + 1], total = { text = text, n = n }, total + n
  end
  table.sort(list, function(a, b)
    if a.n ~= b.n then return a.n > b.n end
    return a.text < b.text
  end)
  if #list == 0 then return "-" end
  if #list == 1 then return list[1].text end
  if #list > most then
    return ("%d %s, %s %s"):format(#list, what, list[1].text, percent(list[1].n / total))
  end
  for i, one in ipairs(list) do list[i] = one.text .. " " .. percent(one.n / total) end
  return table.concat(list, ", ")
end

-- Unread files per class: "2 .gif, 1 .tif".
local function not_read(other, class)
  local out = {}
  for extension, one in pairs(other) do
    local n = one.classes and one.classes[class]
    if n then out[#out + 1] = ("%d %s%s"):format(n, extension:find " " and "" or ".", extension) end
  end
  table.sort(out)
  return #out > 0 and table.concat(out, ", ") or "-"
end

local function width_of(text)
  return utf8.len(text) or #text
end

local function add_rows(rows, add)
  local widths = {}
  for _, row in ipairs(rows) do
    for c, text in ipairs(row) do widths[c] = math.max(widths[c] or 0, width_of(text)) end
  end
  for _, row in ipairs(rows) do
    local cells = {}
    for c, text in ipairs(row) do
      cells[c] = text .. (c < #row and (" "):rep(widths[c] - width_of(text)) or "")
    end
    add("%s", table.concat(cells, "  "))
  end
end

local function rows_of(ds, s)
  local other, rows = ds.facts and ds.facts.other_files or {}, {}
  rows[1] = { "class", "format", "size", "grey", "same", "alike", "not read" }
  for k, class in ipairs(ds.classes) do
    rows[k + 1] = { visible(class), describe(s.format[k], 3, "formats"), describe(s.size[k], 2, "sizes"),
      percent(s.images[k] > 0 and s.grey[k] / s.images[k] or 0), tostring(s.exact[k]),
      s.near and tostring(s.near[k]) or "-", not_read(other, class) }
  end
  return rows
end

local function sum(counts)
  local total = 0
  for _, n in ipairs(counts) do total = total + n end
  return total
end

-- The table, its explanation, and the classes that are given away.
function survey.lines(ds, add)
  local s, message = core.data.survey(ds)
  if not s then return add("files cannot be read: %s", message) end
  add_rows(rows_of(ds, s), add)
  local lines = {}
  if sum(s.exact) > 0 then
    lines[1] = ("same: %d validation or test images have the bytes of a training image"):format(sum(s.exact))
  end
  if s.near and sum(s.near) > 0 then
    lines[#lines + 1] = ("alike: %d validation or test images look like a training image"):format(sum(s.near))
  end
  for _, pair in ipairs(s.pairs) do
    lines[#lines + 1] = ("  %s %s %s"):format(pair.image, pair.exact and "=" or "~", pair.of)
  end
  for _, line in ipairs(survey.giveaways(ds.classes, s)) do lines[#lines + 1] = "warning: " .. line end
  if #lines > 0 then add "" end
  for _, line in ipairs(lines) do add("%s", line) end
end

return survey
