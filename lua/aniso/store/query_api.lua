-- What a study or a comparison says, for recipes and the prompt: the same numbers as `aniso table`
-- and `aniso compare` print.
local refusal = require "aniso.store.db_error"

local answers = {}

local Comparison = { __name = "aniso.Comparison" }

function Comparison:__tostring()
  return (require("aniso.show.compare_text").text(self, "table"):gsub("\n$", ""))
end

-- compare({"ddpm", "adpm"} [, {baseline =, draws =, level =, seed =}]) → what compare.groups() of
-- stats/comparison.lua says, which prints itself as tables | nil, message, code. A name alone may be
-- a study's.
function answers.compare(db, names, options)
  if type(names) ~= "table" then names = { names } end
  local ok, result = pcall(require("aniso.stats.comparison").references, db, names, options)
  if ok then return setmetatable(result, Comparison) end
  if refusal.is(result) then return nil, result.message, result.code end
  error(result, 0)
end

-- groups(study [, {prior = true}]) → the configurations of a study, as summary.groups() of
-- stats/groups.lua gives them: {label, prior, run, members = {{seed, run_id, n, metrics}, …}}, and
-- group:of "tail" → {n, mean, sd, seeds, values}.
function answers.groups(db, study, options)
  local summary = require "aniso.stats.groups"
  local groups = summary.groups(db, summary.counted(db, study), options)
  for _, group in ipairs(groups) do group.of = summary.of end
  return groups
end

return answers
