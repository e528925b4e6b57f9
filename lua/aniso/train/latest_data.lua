-- The data set of the latest run. Most runs of a study share their data, so it is kept for the next one.
local core = require "aniso.core"
local data = require "aniso.method.data"

local latest_data = {}

local latest = {}

-- Whether the latest set has its classes in the requested order; nil: the order of the data.
local function has_order(classes)
  if not classes then return not latest.ordered end
  return table.concat(latest.dataset.classes, "\0") == table.concat(classes, "\0")
end

-- The data set of options; cross and classes [opt]: as for data().
function latest_data.load(options, cross, classes)
  local key = core.json.encode { options, cross or false }
  if latest.key ~= key or not has_order(classes) then
    latest = { key = key, ordered = classes ~= nil, dataset = data(options, cross, classes) }
  end
  return latest.dataset
end

-- Releases the data set, so that its memory can be collected.
function latest_data.release()
  latest = {}
end

return latest_data
