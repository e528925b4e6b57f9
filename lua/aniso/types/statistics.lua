---@meta _
-- What the engine computes from stored predictions: bootstrap, tilted, risk, ranked.

---@class aniso.core.bootstrap
local bootstrap = {}

---How many images of each class a resample contains; then, for each of P predictions, how many images it
---assigns to each class, and how many of these belong to that class.
---@param occurrences aniso.Tensor (R, units) how often a resample contains each unit
---@param true_idx integer[] a class, from 0, per image
---@param predictions integer[][] the same for each prediction
---@param K integer
---@param unit integer[] 1 … units per image
---@return aniso.Tensor counts (R, K (1 + 2 P))
function bootstrap.counted(occurrences, true_idx, predictions, K, unit) end

---The metrics of many resamples.
---@param sums aniso.Tensor (R, W), one resample per row: at columns 0 … K−1 the images of each class
---@param K integer
---@param first integer column, from 0, of the predicted counts per class; the correct ones follow
---@param groups (string|false)[] many, medium, few or false for each class
---@param metrics? string[] names of those to compute; all if left out
---@return table<string, (number|false)[]> rates acc, bacc, macro_f1, many, medium and few of each row
function bootstrap.rates(sums, K, first, groups, metrics) end

---The sums Σ_p weights[p] · lists[p][r] of the resamples r in ascending order, without those in which a value
---with a non-zero count is false.
---@param lists (number|false)[][] a value per resample
---@param weights number[]
---@param counts? aniso.Tensor (R, S) how often a resample contains each seed; once each if left out
---@param seed_of? integer[] the seed of each list, 1 … S
---@return number[] sums
function bootstrap.combined(lists, weights, counts, seed_of) end

---@class aniso.core.tilted
local tilted = {}

---The mean recall of each group's classes as probabilities are tilted, q̃_k ∝ q_k exp(−τ ln π_k), over the
---images of all parts: {many = one per tilt, medium =, few =}; false if no class of a group has images.
---@param parts {probs: number[][]|string, true_idx: integer[], log_shares: number[]}[] K per row
---@param groups (string|false)[] many, medium, few or false for each of K classes
---@param taus number[] ascending
---@return table<string, (number|false)[]> recalls
function tilted.recalls(parts, groups, taus) end

---The class, from 0, with the highest ln q_k − shares_k in each row; the lower of equal ones.
---@param probs number[][]|string as above
---@param shares number[] τ ln π_k
---@return integer[] classes
function tilted.called(probs, shares) end

---The mean recall of a group's classes; nil if none has images.
---@param group "many"|"medium"|"few"
---@param groups (string|false)[] as above
---@param true_idx integer[] a class, from 0, per image
---@param called integer[]
---@return number? recall
function tilted.recall(group, groups, true_idx, called) end

---@class aniso.core.risk
local risk = {}

---The number of errors among the k most confident images, k = 1 … N; at equal confidences errors are spread
---evenly.
---@param true_idx integer[]
---@param pred_idx integer[]
---@param conf number[]
---@return number[] errors
function risk.errors(true_idx, pred_idx, conf) end

---@class aniso.core.ranked
local ranked = {}

---How well each class's score ranks its images above the others; false if undefined.
---@param true_idx integer[] a class, from 0, per image
---@param rows number[][]|string K numbers per image, or N K float32 in one string
---@param K integer at least 1
---@return (number|false)[] roc the area under the ROC curve of each class
---@return (number|false)[] precision the average precision of each class
function ranked.areas(true_idx, rows, K) end
