-- worse(error, other) → the larger one, NaN if one of them is; math.max would drop it.
return function(error, other)
  return (error ~= error or other <= error) and error or other
end
