-- median: dofile → a function of a list of numbers, which it sorts; of an even count the lower middle one.
return function(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end
