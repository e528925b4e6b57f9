-- The λ policy `groups` (METHOD §3): one level per group of classes. An entry of lambda.policies.
local options = require "aniso.recipe.options"

-- The option of a group, by the group's name in data sets.
local OPTION = { many = "head", medium = "medium", few = "tail" }

local function level(group)
  return options.number { default = 1, above = 0, text = ("Level of the %s classes"):format(group) }
end

return {
  text = "One level for each group of classes: head, medium and tail, as data.groups defines them.",
  options = { head = level "head", medium = level "medium", tail = level "tail" },
  levels = function(_, o, K, _, _, groups)
    if not groups then
      error("lambda groups: head, medium and tail are those of a data set; without one give the levels "
        .. 'as {"manual", …}', 0)
    end
    local out = {}
    for j = 1, K do out[j] = o[OPTION[groups[j]]] end
    return out
  end,
}
