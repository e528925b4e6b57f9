-- How the levels of a report's searches (policy `search`) were chosen on validation: a table of candidates
-- for each configuration and fold.
local catalog = require "aniso.stats.metric.catalog"
local page = require "aniso.show.report.page"

local COLUMNS = { "candidate", "rung", "seeds", "mean", "Δ to isotropic", "standard error", "state" }

local function rows_of(record)
  local rows = {}
  for r, rung in ipairs(record.rungs) do
    for _, one in ipairs(rung.candidates) do
      rows[#rows + 1] = { one.name, r, rung.seeds, page.cell(one.mean, "%.4f"), page.cell(one.delta, "%+.4f"),
        page.cell(one.se, "%.4f"), one.state }
    end
  end
  return rows
end

-- A table for each run of the group's first member, that is for each fold if there are folds.
local function tables_of(facts, group)
  local out, member = {}, group.members[1]
  for _, part in ipairs(member.parts or { member }) do
    local record = facts.db:search_of(part.run_id)
    if record then
      out[#out + 1] = page.table(("%s%s: %s on the validation part; chosen: %s"):format(group.label,
        part.fold and (", fold %d"):format(part.fold) or "", catalog.printed(record.metric), record.chosen),
        COLUMNS, rows_of(record))
    end
  end
  return out
end

-- → markup, empty if no levels were searched
return function(facts)
  local out = {}
  for _, group in ipairs(facts.groups) do
    local tables = tables_of(facts, group)
    if #tables > 0 then
      out[#out + 1] = page.details("How the levels of " .. group.label .. " were chosen",
        table.concat(tables, "\n"))
    end
  end
  return table.concat(out, "\n")
end
