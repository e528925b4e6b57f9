-- Tests whether a difference between two configurations is more than chance: McNemar's test on the images
-- that exactly one of them classifies correctly, and the paired t test over seeds. Contains the two
-- distribution functions that the tests require, exact to about 1e-14.

local significance = {}

-- erfc(x), x ≥ 0: the Maclaurin series near 0, the Laplace continued fraction beyond.
local function erfc(x)
  if x < 2.5 then
    local term, sum, k = x, x, 0
    repeat
      k = k + 1
      term = -term * x * x / k
      sum = sum + term / (2 * k + 1)
    until math.abs(term) < 1e-17
    return 1 - 2 / math.sqrt(math.pi) * sum
  end
  local fraction = x
  for k = 120, 1, -1 do fraction = x + k / 2 / fraction end
  return math.exp(-x * x) / (math.sqrt(math.pi) * fraction)
end

-- P(|t| > value) of Student's t with df ≥ 1 degrees, an integer: the finite trigonometric
-- series in θ = atan(t/√df) (Abramowitz & Stegun 26.7.3 and 26.7.4).
local function student_two_sided(value, df)
  local theta = math.atan(math.abs(value) / math.sqrt(df))
  local sine, cosine = math.sin(theta), math.cos(theta)
  local odd = df % 2 == 1
  local term, sum = odd and cosine or 1, 0
  for k = odd and 3 or 2, df, 2 do
    sum = sum + term
    term = term * cosine * cosine * (k - 1) / k
  end
  local inside = odd and 2 / math.pi * (theta + sine * sum) or sine * sum
  return math.max(0, 1 - inside)
end

-- Two-sided P of a split at least as uneven as b : c under a fair coin.
local function binomial_two_sided(b, c)
  local n, term, sum = b + c, 0.5 ^ (b + c), 0
  for i = 0, math.min(b, c) do
    sum = sum + term
    term = term * (n - i) / (i + 1)
  end
  return math.min(1, 2 * sum)
end

local EXACT_BELOW = 25   -- discordant images: below, the binomial; from here on, chi-square

-- b: images that only the first got right; c: only the second. → {b, c, statistic, p, test}.
function significance.mcnemar_counts(b, c)
  local n = b + c
  if n < EXACT_BELOW then
    return { b = b, c = c, p = binomial_two_sided(b, c), test = "exact binomial" }
  end
  local statistic = math.max(0, math.abs(b - c) - 1) ^ 2 / n
  return { b = b, c = c, statistic = statistic, p = erfc(math.sqrt(statistic / 2)),
    test = "chi-square with continuity correction" }
end

-- Lists of 0-based classes over the same images in the same order.
function significance.mcnemar(true_, first, second)
  local b, c = 0, 0
  for i, class in ipairs(true_) do
    local first_right, second_right = first[i] == class, second[i] == class
    if first_right and not second_right then b = b + 1 end
    if second_right and not first_right then c = c + 1 end
  end
  return significance.mcnemar_counts(b, c)
end

-- Mean, sample standard deviation (nil below two values) and count.
function significance.mean_sd(values)
  local n, sum, squares = #values, 0, 0
  if n == 0 then return { n = 0 } end
  for _, v in ipairs(values) do sum = sum + v end
  local mean = sum / n
  for _, v in ipairs(values) do squares = squares + (v - mean) ^ 2 end
  return { n = n, mean = mean, sd = n > 1 and math.sqrt(squares / (n - 1)) or nil }
end

local quantiles = {} -- by level and df: the comparisons of a report share both

-- The value that |t| exceeds with probability 1 − level: bisection of the distribution above.
local function student_quantile(level, df)
  local name = ("%.17g %d"):format(level, df)
  if quantiles[name] then return quantiles[name] end
  local low, high = 0, 1
  while student_two_sided(high, df) > 1 - level do low, high = high, 2 * high end
  for _ = 1, 100 do
    local middle = (low + high) / 2
    if student_two_sided(middle, df) > 1 - level then low = middle else high = middle end
  end
  quantiles[name] = (low + high) / 2
  return quantiles[name]
end

local ROUNDING = 1e-12 -- a smaller spread is rounding error

-- The corrected resampled t test (Nadeau & Bengio 2003, Machine Learning 52): n estimates
-- of one difference from training sets that overlap, each tested on `ratio` = n_test / n_train times
-- as many images as it was trained on. Their variance s² is that of one estimate; that of their mean
-- is (1/n + ratio) s², because they are not independent. differences: n ≥ 2 numbers; mean [opt]: the
-- estimate to test instead of their mean. → {n, sd, se, df = n − 1, mean, t, p, lo, hi}; the last four
-- are nil if the differences do not vary.
function significance.corrected_t(differences, ratio, level, mean)
  local result = significance.mean_sd(differences)
  result.mean, result.df = mean or result.mean, math.max(0, result.n - 1)
  if not (result.sd and result.sd > ROUNDING) then return result end
  result.se = math.sqrt((1 / result.n + ratio) * result.sd ^ 2)
  result.t = result.mean / result.se
  result.p = student_two_sided(result.t, result.df)
  local half = student_quantile(level or 0.95, result.df) * result.se
  result.lo, result.hi = result.mean - half, result.mean + half
  return result
end

-- Paired t test of second − first, value k of both from the same seed. lo and hi are the ends of the
-- interval of the mean difference at `level` (0.95). They, t and p are nil if the differences do not
-- vary: one seed, or the same difference at each.
function significance.paired_t(first, second, level)
  if #first ~= #second then
    error(("paired t: %d values against %d; pair them by seed"):format(#first, #second), 0)
  end
  local differences = {}
  for k = 1, #first do differences[k] = second[k] - first[k] end
  local result = significance.mean_sd(differences)
  result.df = math.max(0, result.n - 1)
  if result.sd and result.sd > ROUNDING then
    local half = student_quantile(level or 0.95, result.df) * result.sd / math.sqrt(result.n)
    result.lo, result.hi = result.mean - half, result.mean + half
    result.t = result.mean / (result.sd / math.sqrt(result.n))
    result.p = student_two_sided(result.t, result.df)
  end
  return result
end

significance.erfc, significance.student_two_sided = erfc, student_two_sided
significance.student_quantile = student_quantile

return significance
