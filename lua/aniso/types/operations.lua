---@meta _
-- Operations with derivatives: methods of Tensor, and functions of aniso.core.ops.

---Operations with gradients: x:relu() is aniso.core.ops.relu(x). Results are new tensors; the tape records
---how they were computed if an input requires a gradient.
---@class aniso.Operations
local Operations = {}

---@param other aniso.Tensor|number a tensor whose shape broadcasts with this one's, or a number
---@return aniso.Tensor
function Operations:add(other) end

---@param other aniso.Tensor|number
---@return aniso.Tensor
function Operations:sub(other) end

---Element by element.
---@param other aniso.Tensor|number
---@return aniso.Tensor
function Operations:mul(other) end

---Element by element.
---@param other aniso.Tensor|number
---@return aniso.Tensor
function Operations:div(other) end

---@return aniso.Tensor
function Operations:neg() end

---max(x, 0)
---@return aniso.Tensor
function Operations:relu() end

---x Φ(x), 1606.08415
---@return aniso.Tensor
function Operations:gelu() end

---x σ(x)
---@return aniso.Tensor
function Operations:silu() end

---1 / (1 + e^−x)
---@return aniso.Tensor
function Operations:sigmoid() end

---@return aniso.Tensor
function Operations:tanh() end

---ln(1 + e^x)
---@return aniso.Tensor
function Operations:softplus() end

---@return aniso.Tensor
function Operations:exp() end

---Natural logarithm.
---@return aniso.Tensor
function Operations:log() end

---@return aniso.Tensor
function Operations:sqrt() end

---@return aniso.Tensor
function Operations:square() end

---@param dim? integer the dimension to sum over; all if left out
---@param keep? boolean true keeps the dimension with size 1
---@return aniso.Tensor
function Operations:sum(dim, keep) end

---@param dim? integer the dimension to average over; all if left out
---@param keep? boolean true keeps the dimension with size 1
---@return aniso.Tensor
function Operations:mean(dim, keep) end

---The same numbers in another shape: x:reshape(2, 3) or x:reshape{2, -1}.
---@param ... integer|integer[] sizes with the same product; one may be −1
---@return aniso.Tensor
function Operations:reshape(...) end

---Repeats dimensions of size 1.
---@param ... integer|integer[] sizes
---@return aniso.Tensor
function Operations:expand(...) end

---Another order of dimensions: x:permute(2, 1) transposes a matrix.
---@param ... integer each dimension once
---@return aniso.Tensor
function Operations:permute(...) end

---A range of one dimension.
---@param dim integer
---@param start integer from 1
---@param length integer
---@return aniso.Tensor
function Operations:narrow(dim, start, length) end

---Repeats every row `times` times, with the copies of a row adjacent: (B, …) → (B·times, …).
---@param times integer at least 1
---@return aniso.Tensor
function Operations:repeat_rows(times) end

---The same numbers as a constant: no gradient flows back through it.
---@return aniso.Tensor
function Operations:detach() end

---Product of matrices (n,k) × (k,m) → (n,m), or of batches of them, (G,n,k) × (G,k,m).
---@param other aniso.Tensor
---@param transpose_self? boolean transpose this matrix first
---@param transpose_other? boolean transpose the other matrix first
---@return aniso.Tensor
function Operations:matmul(other, transpose_self, transpose_other) end

---x Wᵀ + b on the last dimension.
---@param weight aniso.Tensor (out, in)
---@param bias? aniso.Tensor (out)
---@return aniso.Tensor
function Operations:linear(weight, bias) end

---Convolution of images (B,H,W,C).
---@param weight aniso.Tensor (out, C, kh, kw), as in PyTorch
---@param bias? aniso.Tensor (out)
---@param stride? integer pixels, 1 if left out
---@param pad? integer pixels of zeros on each side, 0 if left out
---@return aniso.Tensor images (B,h,w,out)
function Operations:conv2d(weight, bias, stride, pad) end

---@param size integer side of the window, pixels
---@param stride? integer the size if left out
---@param pad? integer 0 if left out
---@return aniso.Tensor images (B,h,w,C)
function Operations:max_pool2d(size, stride, pad) end

---@param size integer side of the window, pixels
---@param stride? integer the size if left out
---@return aniso.Tensor images (B,h,w,C)
function Operations:avg_pool2d(size, stride) end

---Mean over all pixels, (B,H,W,C) → (B,C).
---@return aniso.Tensor
function Operations:global_avg_pool() end

---Mean of the largest values of each map, (B,h,w,K) → (B,K).
---@param percent number of the pixels that count, above 0 to 100; at least one pixel counts
---@return aniso.Tensor
function Operations:top_pool(percent) end

---Batch normalisation over all but the last dimension, with an optional residual and ReLU.
---@param gamma aniso.Tensor scale (C)
---@param beta aniso.Tensor shift (C)
---@param running_mean aniso.Tensor (C), changed in training
---@param running_var aniso.Tensor (C), changed in training
---@param how? { train: boolean?, relu: boolean?, momentum: number?, eps: number? } false, false, 0.1, 1e-5
---@param residual? aniso.Tensor added before the ReLU
---@return aniso.Tensor
function Operations:batch_norm(gamma, beta, running_mean, running_var, how, residual) end

---Layer normalisation over the last dimension.
---@param gamma? aniso.Tensor scale (C), 1 if left out
---@param beta? aniso.Tensor shift (C), 0 if left out
---@param eps? number 1e-5 if left out
---@return aniso.Tensor
function Operations:layer_norm(gamma, beta, eps) end

---Over the last dimension.
---@return aniso.Tensor
function Operations:softmax() end

---Over the last dimension.
---@return aniso.Tensor
function Operations:log_softmax() end

---Mean over all elements of the squared difference, times the weight of the row if weights are given.
---@param other aniso.Tensor of the same shape
---@param weights? aniso.Tensor one per row, without gradient
---@return aniso.Tensor loss a scalar
function Operations:mse(other, weights) end

---The options that turn cross-entropy into the losses for long tails; lists have one number per class.
---@class aniso.CrossEntropy
---@field weight? number[] Of each class's images in the mean.
---@field adjust? number[] Added to the logits.
---@field margin? number[] Subtracted from the true class's logit (LDAM).
---@field scale? number Factor on the logits, 1 if left out.
---@field focal? number γ of (1 − p)^γ, 0 if left out.
---@field smoothing? number Share of the label spread over all classes, 0 if left out.

---Mean cross-entropy of logits (B,K).
---@param labels aniso.Tensor int64 (B), classes 0 … K−1
---@param how? aniso.CrossEntropy
---@return aniso.Tensor loss a scalar
function Operations:cross_entropy(labels, how) end

---Attention of queries (B,N,D), with D divided among the heads. If there are only B/r rows of keys, r
---neighbouring rows of queries share one.
---@param keys aniso.Tensor (B/r,S,D)
---@param values aniso.Tensor (B/r,S,D)
---@param heads integer a divisor of D
---@param with_map? boolean true also returns the map averaged over the heads
---@return aniso.Tensor output (B,N,D)
---@return aniso.Tensor? map (B,N,S)
function Operations:attention(keys, values, heads, with_map) end

---Rows of a table (n,D) by number.
---@param index aniso.Tensor int64 (…), 0 … n−1
---@return aniso.Tensor rows (…,D)
function Operations:embedding(index) end

---Sines and cosines of times int64 (B), as in 2006.11239.
---@param D integer width, even
---@param max_period? number 10000 if left out
---@return aniso.Tensor (B,D)
function Operations:timestep_embedding(D, max_period) end
