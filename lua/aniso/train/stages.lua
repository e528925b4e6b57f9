-- Takes a group of sessions (session.lua) from its position to the end of the training: through the first
-- stage, which they share, trained or taken from a file, and the second one in lock-step.
local checkpoint = require "aniso.train.checkpoint"
local first_stage = require "aniso.train.first_stage"
local stage = require "aniso.train.stage"

local stages = {}

-- The session with the latest checkpoint; the group shares its net.
local function most_advanced(group)
  local lead, at = group[1], { stage = 0, epoch = 0 }
  for _, session in ipairs(group) do
    local saved = session.saved and session.saved.meta
    if saved and (saved.stage > at.stage or saved.stage == at.stage and saved.epoch > at.epoch) then
      lead, at = session, saved
    end
  end
  return lead
end

-- Whether the session ends in its first stage.
local function ends_early(session)
  return session.until_epoch ~= nil and session.until_epoch <= session.plan[1].epochs
end

-- Trains or loads what the first stage of the group trains.
local function run_first_stage(group)
  local lead = most_advanced(group)
  if lead.saved and lead.saved.meta.stage > 1 then return end
  lead:begin(1)
  local function train()
    stage.run { lead }
    if lead.problem then error(lead.problem, 0) end
  end
  if lead.config.train.mode == "joint" or ends_early(lead) then return train() end
  local origin, stored, trainer = first_stage.share(lead, function()
    train()
    checkpoint.load_best(lead, lead.record.db, lead.uid, "net")
  end)
  for _, session in ipairs(group) do
    session.record:log("info", origin)
    -- The run that trained the stage has its curve. A run that only began it has a fragment of that curve.
    local began = session.saved and session.saved.meta.stage == 1
    if began and trainer and trainer ~= session.uid then session.record:forget_metrics(lead.stage_epochs) end
  end
  -- A run that ends with this stage keeps a copy: its evaluation reads its own weights.
  if stored and #lead.plan == 1 then checkpoint.save_best(lead) end
end

function stages.run(group)
  run_first_stage(group)
  if #group[1].plan == 1 or ends_early(group[1]) then return end
  for _, session in ipairs(group) do session:begin(2) end
  stage.run(group)
end

return stages
