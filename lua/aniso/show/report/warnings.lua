-- Reasons to distrust the numbers of a study: one line each, with the remedy.
local group_rows = require "aniso.show.group_rows"
local groups_of = require "aniso.store.groups"
local page = require "aniso.show.report.page"
local ENOUGH = require("aniso.stats.paired").enough.seeds

-- Collects the properties of the counted runs that the warnings depend on.
local function properties_of(facts)
  local db, counted, seen = facts.db, {}, { commits = {} }
  for _, group in ipairs(facts.groups) do
    for _, member in ipairs(group.members) do counted[member.run_id] = true end
  end
  local shared = {}
  for _, run in ipairs(facts.runs) do
    if counted[run.run_id] then
      seen.dirty = seen.dirty or run.git_dirty == 1
      if run.git_commit then seen.commits[run.git_commit] = true end
      if shared[run.split_id] == nil then shared[run.split_id] = assert(db:split_of(run)).test_is_val == 1 end
      seen.shared = seen.shared or shared[run.split_id]
    end
  end
  for _, row in ipairs(groups_of.selection_rules(db, facts.name)) do
    seen.by_test = seen.by_test or counted[row.run_id] and (row.rule or ""):match "^test" ~= nil
    seen.by_val = seen.by_val or counted[row.run_id] and (row.rule or ""):match "^val" ~= nil
  end
  return seen
end

-- "3 crashed (a seed 0, b seed 1, …)"
local function unfinished(facts)
  local by_status, order = {}, {}
  for _, run in ipairs(facts.runs) do
    if run.status ~= "finished" then
      if not by_status[run.status] then order[#order + 1], by_status[run.status] = run.status, {} end
      table.insert(by_status[run.status], ("%s seed %d"):format(run.label or run.name, run.seed))
    end
  end
  table.sort(order)
  for i, status in ipairs(order) do
    local names = by_status[status]
    local few = table.concat(names, ", ", 1, math.min(4, #names))
    order[i] = ("%d %s (%s%s)"):format(#names, status, few, #names > 4 and ", …" or "")
  end
  return #order > 0 and table.concat(order, "; ") or nil
end

local function few_seeds(facts)
  local names = {}
  for _, group in ipairs(facts.groups) do
    if #group.members < ENOUGH then
      names[#names + 1] = ("%s has %d seed%s"):format(group.label, #group.members,
        #group.members == 1 and "" or "s")
    end
  end
  return #names > 0 and table.concat(names, ", ", 1, math.min(6, #names)) .. (#names > 6 and ", …" or "")
end

-- → markup of the list
return function(facts)
  local seen, out = properties_of(facts), {}
  local function add(title, text, ...)
    out[#out + 1] = ("<li><strong>%s.</strong> %s</li>"):format(page.escape(title),
      page.escape(text:format(...)))
  end
  if seen.shared then
    add("Validation is the test set", "The split has no validation part of its own%s: the numbers flatter.",
      seen.by_val and ", and the epoch was chosen on the very images that are reported" or "")
  end
  if seen.by_test then
    add("Selected on the test set", "The weights were chosen by test results, which are no longer a test.")
  end
  local few = few_seeds(facts)
  if few then
    add(("Fewer than %d seeds"):format(ENOUGH), "%s. More: aniso run RECIPE --seeds 0..%d", few, ENOUGH - 1)
  end
  local pruned = table.concat(group_rows.why_pruned(facts.groups), "; ")
  if pruned ~= "" then
    add("Variants that were pruned", "%s. All their seeds: aniso run RECIPE --no-prune", pruned)
  end
  local lost = unfinished(facts)
  if lost then add("Runs that are not counted", "%s. Continue with: aniso resume --all", lost) end
  if seen.dirty then
    add("Uncommitted changes", "A run was made from sources that differ from their commit, so the commit "
      .. "alone does not repeat it.")
  end
  local commits = 0
  for _ in pairs(seen.commits) do commits = commits + 1 end
  if commits > 1 then add("Several versions", "The runs were made from %d commits.", commits) end
  if not facts.one_split then
    add("Several splits", "The configurations were not all tested on the same images.")
  end
  if #out == 0 then return page.paragraph "None." end
  return '<ul class="warnings">' .. table.concat(out, "\n") .. "</ul>"
end
