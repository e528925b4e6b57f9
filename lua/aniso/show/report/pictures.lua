-- Draws the example images of a report: on the left the image with the prior's windows, on the right
-- the same in grey under the denoiser's attention.
local examples = require "aniso.show.report.examples"
local page = require "aniso.show.report.page"
local printed = require("aniso.stats.metric.catalog").printed

local LEVELS = 8 -- of the attention, by opacity

local function frames(one)
  local out = {}
  for i, at in ipairs(one.crops or {}) do
    local rect = ('x="%d" y="%d" width="%d" height="%d"'):format(at[2], at[1], one.side, one.side)
    local weight = one.weights and (", weight %.2f"):format(one.weights[i]) or ""
    out[i] = ('<rect class="crop under" %s/><rect class="crop over" %s><title>window %d%s</title></rect>')
      :format(rect, rect, i, weight)
  end
  return table.concat(out)
end

-- Minimum, maximum and mean attention of the cells of the image.
local function spread(one)
  local least, most, sum, n = math.huge, 0, 0, one.rows * one.columns
  for k = 1, n do
    local value = one.attention[k]
    least, most, sum = math.min(least, value), math.max(most, value), sum + value
  end
  return least, most, sum / n
end

-- A path for each level between minimum and maximum attention; cells in reading order.
local function heat(one)
  local cells, out = {}, {}
  local least, most = spread(one)
  local wide, high = one.width / one.columns, one.height / one.rows
  for k = 1, one.rows * one.columns do
    local level = math.floor(LEVELS * (one.attention[k] - least) / math.max(most - least, 1e-12) + 0.5)
    cells[level] = cells[level] or {}
    table.insert(cells[level], ("M%g %gh%gv%gh-%gz"):format((k - 1) % one.columns * wide,
      (k - 1) // one.columns * high, wide, high, wide))
  end
  for level = 1, LEVELS do
    if cells[level] then
      out[#out + 1] = ('<path class="heat" fill-opacity="%.2f" d="%s"/>'):format(0.85 * level / LEVELS,
        table.concat(cells[level]))
    end
  end
  return table.concat(out)
end

-- The share of the attention on the windows' tokens, and its maximum as a multiple of the mean over
-- the image; nil without attention.
local function shares(one)
  if not one.attention then return nil, nil end
  local _, most, mean = spread(one)
  return one.crops and math.max(0, 1 - mean * one.rows * one.columns), most / mean
end

local function facts_of(one)
  local windows, peak = shares(one)
  return ("%s, confidence %.2f%s%s"):format(printed(one.shot), one.conf,
    peak and ("; attention at most %.1f× the mean"):format(peak) or "",
    windows and (", %.0f %% on the windows"):format(100 * windows) or "")
end

local function drawing(one, id, title)
  local gap = one.width / 12
  local panels = one.attention and 2 * one.width + gap or one.width
  local desc = (one.crops and "The image with the prior's windows" or "The image")
    .. (one.attention and "; next to it the same in grey, the more orange the more attention." or ".")
  local right = one.attention and ('<g transform="translate(%g 0)"><use href="#%s-i" class="grey"/>%s</g>')
    :format(one.width + gap, id, heat(one)) or ""
  return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %d" width="%d" height="%g" role="img" '
    .. 'aria-labelledby="%s-t %s-d"><title id="%s-t">%s</title><desc id="%s-d">%s</desc>'
    .. '<image id="%s-i" width="%d" height="%d" href="%s"/>%s%s</svg>'):format(panels, one.height, 280,
    280 * one.height / panels, id, id, id, page.escape(title), id, page.escape(desc), id, one.width,
    one.height, one.uri, frames(one), right)
end

local function figure(classes, one, i)
  local truth, called = classes[one["true"]].name, classes[one.pred].name
  local title = ("Test image %s: %s, classified as %s"):format(one.name, truth, called)
  return ('<figure>%s<figcaption><strong>%s</strong> %s<br/><span class="facts">%s</span>'
    .. "</figcaption></figure>"):format(drawing(one, ("example-%d"):format(i), title),
    one.right and "right:" or "wrong:",
    page.escape(one.right and truth or ("%s, classified as %s"):format(truth, called)), facts_of(one))
end

local function numbers(classes, list)
  local rows = {}
  for i, one in ipairs(list) do
    local windows, peak = shares(one)
    rows[i] = { one.name, printed(one.shot), classes[one["true"]].name,
      classes[one.pred].name, page.cell(one.conf, "%.3f"),
      page.cell(peak, "%.2f"), page.cell(windows, "%.3f") }
  end
  return page.table("The example images", { "image", "band", "true", "called", "confidence",
    "most attention / mean", "share on the windows" }, rows)
end

-- → markup; one line with the reason if there are no images, that reason and its code. missing: see
-- examples.find().
return function(facts, count, missing)
  local found, why, code = examples.find(facts, count, missing)
  if not found then
    why = tostring(why):gsub("[.%s]+$", "")
    return page.paragraph("No images: %s.", why), why, code
  end
  local figures = {}
  for i, one in ipairs(found.list) do figures[i] = figure(found.classes, one, i) end
  local seen = found.kind == "cross_attention"
    and "Right: the attention of the called class's token over the image, mean over the steps and chains; "
      .. "orange is the most of each image."
    or found.kind == "none" and "A run without a denoiser has no attention to show."
    or "A film denoiser has no attention to show."
  local words = ("Test images of %s, seed %d: of head, medium and tail the predictions that were right and "
    .. "wrong with the most confidence. Left: the image; frames: the windows that the prior took. %s")
    :format(found.group.label, found.run.seed, seen)
  return page.paragraph("%s", words) .. '<div class="examples">\n' .. table.concat(figures, "\n")
    .. "\n</div>" .. page.details("The numbers of these images", numbers(found.classes, found.list))
end
