-- The effective number of samples (1901.05555) of n images with overlap β:
--   E_n = (1 − β^n) / (1 − β)        1 at β = 0, tends to n as β tends to 1
-- Shared by the λ policy, the class weights and the prior losses named after it.
local effective_number = {}

-- e^x − 1, to a few units in the last place even where x is near 0 (W. Kahan: the rounding of
-- e^x cancels in the quotient). Lua's math library has no expm1.
function effective_number.expm1(x)
  local u = math.exp(x)
  if u == 1 then return x end
  if u - 1 == -1 or u == math.huge then return u - 1 end
  return (u - 1) * x / math.log(u)
end

-- 1 / E_n for n ≥ 1 and 0 ≤ β < 1: a weight in (0, 1].
function effective_number.weight(n, beta)
  return (1 - beta) / -effective_number.expm1(n * math.log(beta))
end

return effective_number
