---@meta _
-- aniso.core.ops: the operations as functions, the forward process, and the tape.

---The operations as functions, and the tape.
---@class aniso.core.ops : aniso.Operations
local ops = {}

---y_t = m + a (y0 − m) + s ε, with gradients to y0, m, signal and noise (METHOD §1).
---@param y0 aniso.Tensor (B,K)
---@param m aniso.Tensor (B,K)
---@param eps aniso.Tensor (B,K)
---@param signal aniso.Tensor a of each element (B,K), from Schedule:gather()
---@param noise aniso.Tensor s of each element (B,K)
---@return aniso.Tensor y_t (B,K)
function ops.noised(y0, m, eps, signal, noise) end

---The training target of the network's output: ε, y0, or v = a ε − s (y0 − m) with gradients to y0, m, signal
---and noise.
---@param prediction "epsilon"|"y0"|"v"
---@param y0 aniso.Tensor (B,K)
---@param m aniso.Tensor (B,K)
---@param eps aniso.Tensor (B,K)
---@param signal aniso.Tensor (B,K)
---@param noise aniso.Tensor (B,K)
---@return aniso.Tensor target (B,K)
function ops.target(prediction, y0, m, eps, signal, noise) end

---ẑ0 = ŷ0 − m, or ε̂, as given by the network's output at y_t, t ≥ 1; gradients to output, y_t, m, signal and
---noise.
---@param what "z0"|"epsilon"
---@param prediction "epsilon"|"y0"|"v"
---@param y_t aniso.Tensor (B,K)
---@param m aniso.Tensor (B,K)
---@param output aniso.Tensor (B,K)
---@param signal aniso.Tensor (B,K)
---@param noise aniso.Tensor (B,K)
---@return aniso.Tensor estimate (B,K)
function ops.read(what, prediction, y_t, m, output, signal, noise) end

---@param list aniso.Tensor[] 1 to 6 tensors of equal size in all other dimensions
---@param dim integer
---@return aniso.Tensor
function ops.concat(list, dim) end

---Runs f(…) without recording: less memory, no gradients.
---@param f function
---@param ... any
---@return any ... what f returns
function ops.no_grad(f, ...) end

---Drops the operations recorded since the last backward().
function ops.clear_tape() end

---How many recorded operations are waiting for backward(), and how often recorded ones were dropped.
---@return integer recorded
---@return integer drops by backward(), clear_tape() and failed operations
function ops.tape_length() end
