-- The key of a configuration in the database: the SHA-256 of its JSON.
--   config_hash(config) → 64 hexadecimal digits; config: complete
local core = require "aniso.core"

return function(config)
  return core.sha256.text(core.json.encode(config))
end
