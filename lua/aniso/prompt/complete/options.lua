-- Completes the names of options in the table argument of a call, aniso.schedule{ lam, and in the tables
-- inside it, aniso.study{ base = { train = { ep; and the strings that an option may be, aniso.schedule{
-- lambda = "bo. Both come from the annotations.
local scan = require "aniso.prompt.complete.scan"

-- The call in whose table the cursor is: its function, and the keys that lead to the table.
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

-- The strings that may follow `before`, which ends where the string of an option's value begins; nil if none
-- can.
local function values(before, env)
  local head, key = before:match "^(.*[{,;]%s*)([%a_][%w_]*)%s*=%s*$"
  if not head and before:find "{%s*$" then head, key = before, 1 end
  if not head then return nil end
  local called, keys = call(head, env)
  local found = called and require("aniso.prompt.help.option_names").values_of(called, keys, key) or {}
  return #found > 0 and found or nil
end

-- → names, or nil if no option can follow
local function names(before, env)
  if not before:find "[{,;]%s*$" then return nil end
  local called, keys = call(before, env)
  if not called then return nil end
  local found = require("aniso.prompt.help.option_names").options_of(called, keys)
  return #found > 0 and found or nil
end

return { names = names, values = values }
