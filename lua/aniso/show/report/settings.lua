-- How the configurations of a report differ, what they share, and the commands that reproduce them.
local hint = require "aniso.store.hint"
local page = require "aniso.show.report.page"
local reproduce = require "aniso.store.reproduce"

local settings = {}

-- → markup: an option per row, a configuration per column; options common to all are folded.
function settings.differences(facts)
  local varies, rows, columns = {}, {}, { "option" }
  for i, group in ipairs(facts.groups) do columns[1 + i] = group.label end
  for _, name in ipairs(facts:differing()) do
    varies[name] = true
    local key, row = facts.catalog:key(name), { name }
    for i, group in ipairs(facts.groups) do row[1 + i] = { text = facts.value(key:get(group.run)) } end
    rows[#rows + 1] = row
  end
  local common = {}
  for _, param in ipairs(facts.catalog:options_of(facts.groups[1].run)) do
    if not varies[param.key] then common[#common + 1] = { param.key, param.txt } end
  end
  local out = { #rows == 0 and page.paragraph "The configurations have the same options."
    or page.table("Options that differ", columns, rows) }
  out[2] = page.details(("The %d options that all share"):format(#common),
    page.table("Options that all share", { "option", "value" }, common))
  return table.concat(out, "\n")
end

local function code_of(lines)
  return "<pre><code>" .. page.escape(table.concat(lines, "\n")) .. "</code></pre>"
end

-- Codes of runs that have no such commands: the page gives the reason, and that is not a failure.
local DESCRIBED = { ENOTFOUND = true, EFORMAT = true }

-- → markup, and the reason if the commands could not be made but could be at another time.
local function commands(facts, group)
  local seeds = {}
  for i, member in ipairs(group.members) do seeds[i] = member.seed end
  local lines, why, code = reproduce(facts.db, group.run)
  local heading = ("<h3>%s</h3>"):format(page.escape(group.label))
  if not lines then return heading .. page.paragraph("%s", why), not DESCRIBED[code] and why or nil end
  return heading .. page.paragraph("The first of the seeds %s; the others with --seeds.",
    table.concat(seeds, ", ")) .. code_of(lines)
end

-- "2026-11-25T09:58:01.5Z" → "2026-11-25 09:58"
local function minute(time) return (time:sub(1, 16):gsub("T", " ")) end

local function machine(facts)
  local run = facts.groups[1].run
  local origin = assert(facts.db:origin(run))
  local first, last = run.started_at, run.ended_at or run.started_at
  for _, one in ipairs(facts.runs) do
    if one.started_at < first then first = one.started_at end
    if one.ended_at and one.ended_at > last then last = one.ended_at end
  end
  return page.facts {
    { "program", ("aniso %s%s"):format(run.tool_version or "?", run.git_commit and ", sources at commit "
      .. run.git_commit or "") },
    { "machine", ("%s, %d cores, %.0f GiB, %s"):format(origin.cpu ~= "" and origin.cpu or origin.hostname,
      origin.cores, origin.ram_bytes / 2 ^ 30, origin.blas) },
    { "data", ("%s, split %s%s"):format(facts.split.dataset, facts.split.name,
      facts.split.content and ", content " .. facts.split.content:sub(1, 16) or "") },
    { "when", ("%s to %s UTC"):format(minute(first), minute(last)) },
  }
end

-- → markup, and the reason if the commands of a configuration could not be made, or nil
function settings.repetition(facts)
  local first, failure = commands(facts, facts.best or facts.groups[1])
  local out = { machine(facts), first }
  if facts.best ~= facts.base then
    local base, problem = commands(facts, facts.base)
    out[#out + 1], failure = base, failure or problem
  end
  out[#out + 1] = "<h3>This page</h3>" .. code_of { hint.line { "aniso", "report", { facts.name }, "--db",
    facts.db.path } }
  return table.concat(out, "\n"), failure
end

return settings
