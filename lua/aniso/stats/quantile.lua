-- quantile(sorted, share) → the value at `share` (0 … 1) of an ascending list with at least one number:
-- linear interpolation between the order statistics around position 1 + (n − 1) share, so that 0 gives
-- the smallest number and 1 the largest. Type 7 of Hyndman and Fan (1996), the default of R and NumPy.
-- Every quantile of the program is this one: the intervals of the bootstrap, the bars of simulate.
return function(sorted, share)
  local position = 1 + (#sorted - 1) * share
  local below = math.floor(position)
  local above = math.min(below + 1, #sorted)
  return sorted[below] + (position - below) * (sorted[above] - sorted[below])
end
