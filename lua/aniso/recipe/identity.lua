-- The identity of a configuration: identity(config) → the configuration without train.memory. Like the number
-- of threads, a memory budget changes how a run is computed but no bit of its results, so runs that differ
-- only in it are the same run: stored, compared and counted as one. config: complete; it is not changed.
return function(config)
  if not (config.train and config.train.memory) then return config end
  local out, train = {}, {}
  for key, value in pairs(config) do out[key] = value end
  for key, value in pairs(config.train) do train[key] = value end
  out.train, train.memory = train, nil
  return out
end
