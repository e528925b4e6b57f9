-- All evaluations of a study, primary and further ones, as rows: label × sampler × steps × draws with their
-- costs, mean ± sd over seeds. Groups: those of store/groups.lua, of_evaluations().
local group_rows = require "aniso.show.group_rows"

local evaluation_rows = {}

local function seconds(exact)
  return { name = exact and "image_s" or "s/image", measured = true, detail = true, get = function(group)
    return group.image_s and { text = ("%.2g"):format(group.image_s), value = group.image_s }
  end }
end

local function field(name)
  return { name = name, get = function(group) return group[name] end }
end

-- One group per configuration, in their order.
function evaluation_rows.configurations(groups)
  local out, seen = {}, {}
  for _, group in ipairs(groups) do
    if not seen[group.configuration] then seen[group.configuration], out[#out + 1] = true, group end
  end
  return out
end

local function kind_of(group)
  return ("%s %d %d %d"):format(group.sampler, group.steps, group.draws, group.noise)
end

-- → function(group): the evaluation it is compared with: that of the configuration of `baseline` with the
-- same sampler, steps, draws and noise; for other evaluations of that configuration, its primary one.
function evaluation_rows.baselines(groups, baseline)
  local of_kind, primary = {}, nil
  for _, group in ipairs(groups) do
    if group.configuration == baseline.configuration then
      of_kind[kind_of(group)] = group
      primary = group.primary and group or primary
    end
  end
  return function(group)
    return group.configuration == baseline.configuration and primary or of_kind[kind_of(group)]
  end
end

-- The columns after those that name a configuration. exact: whether for a program.
function evaluation_rows.heads(groups, exact)
  local out, noise, measured = { field "sampler", field "steps", field "draws" }, nil, exact
  for _, group in ipairs(groups) do
    measured = measured or group.image_s ~= nil
    local chains = group.passes > 0
    if chains and noise and noise ~= group.noise then out[4] = field "noise" end
    noise = chains and (noise or group.noise) or noise
  end
  out[#out + 1] = { name = "passes", detail = true, get = field "passes".get }
  if measured then out[#out + 1] = seconds(exact) end
  for _, head in ipairs(group_rows.repetitions(groups)) do out[#out + 1] = head end
  return out
end

return evaluation_rows
