-- Checks the order of a new run's classes. A database may have another order for the same images: from an
-- earlier version, which sorted numbers as strings, or from other `data.classes`.
--   class_orders.check(session, db)
local stored_orders = require "aniso.store.class_orders"
local provenance = require "aniso.train.provenance"
local warnings = require "aniso.method.data.warnings"

local class_orders = {}

local MOST = 6 -- names in a message

local function list(names)
  return table.concat(names, ", ", 1, math.min(#names, MOST)) .. (#names > MOST and ", …" or "")
end

-- Warns if stored runs have another order, since they are not compared with new ones. Raises an error if the
-- new run would be stored under the same identity, with the names of the other order.
function class_orders.check(session, db)
  local dataset = session.dataset
  local orders, message = stored_orders(db, dataset.sha256)
  if not orders then error(message, 0) end
  local own, joined = provenance.identity(session), table.concat(dataset.classes, "\0")
  for _, stored in ipairs(orders) do
    if table.concat(stored.classes, "\0") ~= joined then
      if stored.sha256 == own then
        error(("%s: this database has runs of these images with the classes in another order (%s; now %s): "
          .. "name another database with --db, or use the same data.classes"):format(dataset.name,
          list(stored.classes), list(dataset.classes)), 0)
      end
      warnings.add(dataset.facts.warnings, "%s: earlier runs in this database have the classes in another "
        .. "order (%s; now %s): they keep it, and are not compared with new ones", dataset.name,
        list(stored.classes), list(dataset.classes))
    end
  end
end

return class_orders
