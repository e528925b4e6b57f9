---@meta _
-- Tensors: properties, elements, views and constructors. Operations with gradients are in
-- operations.lua and core_ops.lua.

---An array of float32 or int64 with up to 6 dimensions. Positions and dimensions count from 1; a
---negative dimension counts from the end. Arithmetic also takes numbers and broadcasts sizes of 1, as NumPy
---does. Freed by the garbage collector or by close().
---@class aniso.Tensor : aniso.Operations
---@operator add(aniso.Tensor|number): aniso.Tensor
---@operator sub(aniso.Tensor|number): aniso.Tensor
---@operator mul(aniso.Tensor|number): aniso.Tensor
---@operator div(aniso.Tensor|number): aniso.Tensor
---@operator unm: aniso.Tensor
---@field grad aniso.Tensor? The gradient that backward() left, of the same shape; nil if there is none.
local Tensor = {}

---The sizes of all dimensions.
---@return integer[] sizes {} for a single number
function Tensor:shape() end

---The size of one dimension.
---@param dim integer 1 … dim(), or negative from the end
---@return integer
function Tensor:size(dim) end

---The number of dimensions, 0 … 6.
---@return integer
function Tensor:dim() end

---The number of elements.
---@return integer
function Tensor:numel() end

---@return "float32"|"int64"
function Tensor:dtype() end

---The number in a tensor of one element; raises if there are more.
---@return number
function Tensor:item() end

---One element: t:get(2, 3). t[2] is the part at position 2 of the first dimension or, if that is the only
---dimension, the number there.
---@param ... integer one position per dimension, from 1
---@return number
function Tensor:get(...) end

---Changes one element: t:set(2, 3, 0.5).
---@param ... number one position per dimension, from 1, then the value
function Tensor:set(...) end

---Nested tables, one level per dimension; a number for a tensor without dimensions.
---@return table|number
function Tensor:totable() end

---All elements in row-major order.
---@return number[]
function Tensor:list() end

---Whether no element is NaN or infinite.
---@return boolean
function Tensor:finite() end

---Position of the largest element along the last dimension, from 0 like class numbers.
---@return aniso.Tensor positions int64, one dimension fewer
function Tensor:argmax() end

---Copies the numbers of another tensor of the same shape.
---@param from aniso.Tensor of either dtype
---@return aniso.Tensor self
function Tensor:copy_(from) end

---Sets all elements.
---@param value number
---@return aniso.Tensor self
function Tensor:fill_(value) end

---A copy with its own storage; no gradient flows through it.
---@return aniso.Tensor
function Tensor:clone() end

---A copy with another element type; no gradient flows through it.
---@param dtype? "float32"|"int64" "float32" if left out; to int64 the fraction is cut off
---@return aniso.Tensor
function Tensor:to(dtype) end

---Marks a float32 tensor as a parameter: backward() will fill its grad.
---@return aniso.Tensor self
function Tensor:param() end

---Adds the derivatives of this scalar with respect to all parameters it was computed from to their grad.
---Empties the tape.
function Tensor:backward() end

---Frees the memory before the garbage collector does; further use raises.
function Tensor:close() end

---Constructors of tensors, aniso.tensor. A shape is a list of sizes.
---@class aniso.core.tensor
local tensor = {}

---@param shape integer[] sizes, {2, 3}
---@param dtype? "float32"|"int64" "float32" if left out
---@return aniso.Tensor
function tensor.zeros(shape, dtype) end

---@param shape integer[] sizes, {2, 3}
---@param value number of every element
---@param dtype? "float32"|"int64" "float32" if left out
---@return aniso.Tensor
function tensor.full(shape, value, dtype) end

---The numbers 0 … n−1.
---@param n integer at least 0
---@return aniso.Tensor numbers int64 (n)
function tensor.arange(n) end

---One-hot rows of class labels.
---@param labels aniso.Tensor int64 (B) within 0 … K − 1
---@param K integer at least 1
---@return aniso.Tensor rows (B,K), 1 at each row's label
function tensor.one_hot(labels, K) end

---The address of a random number. Number i of the tensor is the one at index first + i of the stream
---(stream, a, b) of the seed, whatever the shape: the same address gives the same number.
---@class aniso.RandomAddress
---@field shape integer[] Sizes of the tensor.
---@field seed? integer 0 if left out.
---@field stream? string Name of the purpose, "tensor" if left out.
---@field a? integer First number of the stream, such as a step; 0 if left out.
---@field b? integer Second number of the stream, 0 if left out.
---@field first? integer Index of the tensor's first number, 0 if left out.

---Standard normal numbers.
---@param address aniso.RandomAddress
---@return aniso.Tensor numbers float32
function tensor.randn(address) end

---Uniform numbers in [0, 1).
---@param address aniso.RandomAddress
---@return aniso.Tensor numbers float32
function tensor.rand(address) end

---A tensor from nested tables, {{1, 2}, {3, 4}}, or from a number.
---@param nested table|number rows of equal length
---@param dtype? "float32"|"int64" "float32" if left out
---@return aniso.Tensor
function tensor.from(nested, dtype) end

---Returns pooled memory to the system.
function tensor.trim() end
