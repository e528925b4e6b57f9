-- pooled(parts, name): what the predictions of several parts have under a name, one part after another: a
-- list, or one string of packed probabilities. For one part it is the part's own, so it must not be changed.
return function(parts, name)
  if #parts == 1 then return parts[1][name] end
  local out = {}
  for p, part in ipairs(parts) do
    local own = part[name]
    if type(own) == "table" then table.move(own, 1, #own, #out + 1, out) else out[p] = own end
  end
  return type(parts[1][name]) == "string" and table.concat(out) or out
end
