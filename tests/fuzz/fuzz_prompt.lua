-- Any bytes as the text before the cursor of the prompt: Tab completes a name or shows candidates, and calls
-- nothing.
-- Covers: lua/aniso/prompt/complete/init.lua lua/aniso/prompt/complete/scan.lua
--   lua/aniso/prompt/complete/options.lua
local aniso = require "aniso"
local complete = require "aniso.prompt.complete"

local called = 0
local function trap() called = called + 1 end

local env = setmetatable({ aniso = aniso, trap = trap, runs = { { la = 1, lambda = {}, close = trap } },
  t = aniso.tensor.zeros { 2 }, s = "text", schedule = aniso.schedule }, { __index = _G })

return function(before)
  local insert, shown = complete(before, env)
  if insert and insert:find "[^%w_ =]" then return "a text that is no name is inserted: " .. insert end
  if shown and shown:find "[%c\x7F]" and shown:find "[^\n%g ]" then return "control characters are shown" end
  if called > 0 then return "a function was called" end
end
