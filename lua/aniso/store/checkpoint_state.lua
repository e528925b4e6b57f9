-- Checks the state of a checkpoint before anything is taken from it: the file may be of any origin, and its
-- checksums come from the file itself.
--   checkpoint_state.fault(kind, state) → what is wrong ("its state has no valid epoch"); nil if it is valid
-- kind: last, best, or first_stage, as train/checkpoint.lua and train/first_stage.lua write them.
local checkpoint_state = {}

local function is_count(value)
  return math.type(value) == "integer" and value >= 0
end

local function is_number(value)
  return math.type(value) ~= nil
end

local function absent_or(check)
  return function(value) return value == nil or check(value) end
end

-- {name = count}: the steps of optimisers and averages.
local function are_counts(value)
  if type(value) ~= "table" then return false end
  for _, count in pairs(value) do
    if not is_count(count) then return false end
  end
  return true
end

local function is_best(value)
  return type(value) == "table" and is_count(value.epoch) and absent_or(is_number)(value.value)
    and absent_or(is_number)(value.peak) and absent_or(is_count)(value.stalled)
end

-- The lists of store/record_buffer.lua: rows of strings and numbers.
local function is_unwritten(value)
  if type(value) ~= "table" then return false end
  for _, list in pairs(value) do
    if type(list) ~= "table" then return false end
    for _, row in pairs(list) do
      if type(row) ~= "table" then return false end
      for _, cell in pairs(row) do
        if type(cell) ~= "string" and not is_number(cell) then return false end
      end
    end
  end
  return true
end

local EPOCH = { "epoch", is_count }

local FIELDS = {
  last = { EPOCH, { "stage", function(value) return value == 1 or value == 2 end }, { "step", is_count },
    { "best", is_best }, { "t", are_counts }, { "ema_t", are_counts },
    { "unwritten", absent_or(is_unwritten) } },
  best = { EPOCH, { "value", absent_or(is_number) } },
  first_stage = { { "epoch", absent_or(is_count) }, { "value", absent_or(is_number) } },
}

function checkpoint_state.fault(kind, state)
  if type(state) ~= "table" then return "its state is not a table" end
  for _, field in ipairs(FIELDS[kind]) do
    if not field[2](state[field[1]]) then return "its state has no valid " .. field[1] end
  end
  return nil
end

return checkpoint_state
