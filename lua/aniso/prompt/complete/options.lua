-- Completes the names of options in the table argument of a call, aniso.schedule{ lam, and in the tables
-- inside it, aniso.study{ base = { train = { ep. The names are those of the annotations.
local scan = require "aniso.prompt.complete.scan"

-- The call whose table the cursor is in: its function, and the keys that lead to the table.
local function call(before, env)
  local open, keys = scan.open(before), {}
  for i = #open, 1, -1 do
    if before:sub(open[i], open[i]) ~= "{" then return nil end
    local head = before:sub(1, open[i] - 1)
    local key = head:match "([%a_][%w_]*)%s*=%s*$"
    if key then
      table.insert(keys, 1, key)
    else
      local chain = scan.chain((head:gsub("%s*%(?%s*$", "")))
      return chain and scan.walk(env, chain), keys
    end
  end
end

-- → names, or nil where no option can follow
return function(before, env)
  if not before:find "[{,;]%s*$" then return nil end
  local called, keys = call(before, env)
  if not called then return nil end
  local names = require("aniso.prompt.help.manual").options_of(called, keys)
  return #names > 0 and names or nil
end
