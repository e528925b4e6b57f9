-- Finds variants of a study with the same complete configuration: usually a forgotten or misspelt option.
--   equal_variants.find(jobs) → the first two labels that share a configuration, or nil
--   equal_variants.check(jobs)      raises with both labels
-- jobs: {label =, seed =, config = complete}.
local core = require "aniso.core"
local identity = require "aniso.recipe.identity"

local equal_variants = {}

function equal_variants.find(jobs)
  local label_of = {}
  for _, job in ipairs(jobs) do
    local key = core.json.encode(identity(job.config))
    local first = label_of[key]
    if first and first ~= job.label then return first, job.label end
    label_of[key] = job.label
  end
end

function equal_variants.check(jobs)
  local first, second = equal_variants.find(jobs)
  if first then
    error(("%s and %s have the same options: one of them lacks what sets it apart (--allow-equal keeps both)")
      :format(first, second), 0)
  end
end

return equal_variants
