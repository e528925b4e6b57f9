-- The key of a configuration in the database: the SHA-256 of the JSON of what identifies it.
--   config_hash(config) → 64 hexadecimal digits; config: complete
--   config_hash.wrong(connection) → the number of the first stored configuration whose hash is not that of
--     its JSON; nil if all are right
local core = require "aniso.core"
local identity = require "aniso.recipe.identity"
local must = require("aniso.store.db_error").must

local config_hash = {}

function config_hash.wrong(connection)
  for _, row in ipairs(must(connection:query "SELECT config_id, sha256, json FROM main.config")) do
    if core.sha256.text(row.json) ~= row.sha256 then return row.config_id end
  end
end

return setmetatable(config_hash, { __call = function(_, config)
  return core.sha256.text(core.json.encode(identity(config)))
end })
