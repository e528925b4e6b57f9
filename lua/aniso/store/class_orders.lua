-- The orders in which a database lists the classes of a set of images:
--   class_orders(db, content) → list of { sha256 =, classes = names in their order } | nil, message, code
-- A file older than version 6 does not store the content of its data sets, so it has no orders.
return function(db, content)
  if db.core:version() < 6 then return {} end
  local rows, message, code = db.core:query([[
    SELECT d.dataset_id, d.sha256, c.name FROM dataset d JOIN dataset_class c USING(dataset_id)
     WHERE d.content = ?1 ORDER BY d.dataset_id, c.class_idx]], content)
  if not rows then return nil, message, code end
  local out, last = {}, nil
  for _, row in ipairs(rows) do
    if row.dataset_id ~= last then out[#out + 1] = { sha256 = row.sha256, classes = {} } end
    last = row.dataset_id
    table.insert(out[#out].classes, row.name)
  end
  return out
end
