---@meta _
-- What the engine reads and writes, random numbers and optimiser steps: json, sha256, safetensors,
-- checkpoint, embedded, rng, step. A system error or invalid content is returned as nil, message, code.

---@class aniso.core.json
---@field null lightuserdata JSON's null inside decoded arrays.
local json = {}

---Canonical text: sorted keys, the shortest numbers.
---@param value any without functions and NaN
---@return string
function json.encode(value) end

---@param text string
---@return any value
---@return string? message
---@return string? code
function json.decode(text) end

---Marks a table as an array even if it is empty.
---@param list table
---@return table list
function json.array(list) end

---@class aniso.core.sha256
local sha256 = {}

---@param bytes string
---@return string digits 64 hexadecimal ones
function sha256.text(bytes) end

---@param path string
---@return string? digits 64 hexadecimal ones
---@return string? message
---@return string? code
function sha256.file(path) end

---@class aniso.core.safetensors
local safetensors = {}

---@param path string
---@return table<string, aniso.Tensor>? tensors
---@return table<string, string> meta the file's metadata; after an error the message
---@return string? code
function safetensors.load(path) end

---@param path string
---@param tensors table<string, aniso.Tensor>
---@param meta? table<string, string>
---@return true? done
---@return string? message
---@return string? code
function safetensors.save(path, tensors, meta) end

---Tensors and a state in one file that is whole or absent.
---@class aniso.core.checkpoint
local checkpoint = {}

---@param path string
---@return table<string, aniso.Tensor>? tensors
---@return table state as it was saved; after an error the message
---@return string sha256 of the tensors; after an error the code
function checkpoint.load(path) end

---@param path string
---@param tensors table<string, aniso.Tensor>
---@param state table of values that JSON can hold
---previous: the former file is kept as PATH.previous, true if left out; precision: of tensors of two or more
---dimensions, "float32" if left out; exact: prefix of the names of those that stay float32
---@param how? { previous: boolean?, precision: "float32"|"float16"|"bfloat16"?, exact: string? }
---@return string? sha256 of the tensors
---@return integer bytes after an error the message
---@return string? code
function checkpoint.save(path, tensors, state, how) end

---The name under which the former checkpoint is kept.
---@param path string
---@return string
function checkpoint.previous(path) end

---The text files that are part of the program.
---@class aniso.core.embedded
local embedded = {}

---@param beginning? string of the names, such as "lua/aniso/types/"
---@return string[] names sorted
function embedded.names(beginning) end

---@param name string
---@return string? text nil when there is no such file
function embedded.text(name) end

---@class aniso.core.rng
local rng = {}

---Random integers at the addresses 0 … count−1 of a stream.
---@param seed integer
---@param purpose string name of the stream
---@param a integer number of the stream
---@param count integer
---@param n integer at least 1
---@return integer[] numbers 1 … n
function rng.below(seed, purpose, a, count, n) end

---How often each of n units is in the resamples first … first+count−1 of a bootstrap, whose members are
---below(seed, purpose, resample, n, n).
---@param seed integer
---@param purpose string name of the stream
---@param first integer number of the first resample
---@param count integer
---@param n integer at least 1
---@return aniso.Tensor counts (count, n)
function rng.resamples(seed, purpose, first, count, n) end

---A range of flat tensors to work on.
---@class aniso.Stretch
---@field from? integer First element, from 1; 1 if left out.
---@field length? integer Elements; up to the end if left out.

---Additional work of a step, in the same pass over memory.
---@class aniso.StepExtras
---@field scale? number Factor on the gradient, 1 if left out.
---@field average? aniso.Tensor Moving average of the parameters: keep · average + (1 − keep) · p.
---@field keep? number 0 … 1, 0 if left out.

---@class aniso.AdamwStep : aniso.Stretch, aniso.StepExtras
---@field lr? number 0.001 if left out.
---@field beta1? number 0.9 if left out.
---@field beta2? number 0.999 if left out.
---@field eps? number 1e-8 if left out.
---@field weight_decay? number 0 if left out.
---@field t? integer Number of this step, from 1.

---@class aniso.SgdStep : aniso.Stretch, aniso.StepExtras
---@field lr? number 0.01 if left out.
---@field momentum? number 0 if left out; above 0 it requires a buffer.
---@field weight_decay? number 0 if left out.
---@field nesterov? boolean false if left out.
---@field first? boolean Whether the buffer is still empty, false if left out.

---Optimiser steps in place, on flat contiguous float32 tensors of equal length.
---@class aniso.core.step
local step = {}

---AdamW, 1711.05101.
---@param p aniso.Tensor parameters, changed
---@param g aniso.Tensor gradient
---@param m aniso.Tensor first moment, changed
---@param v aniso.Tensor second moment, changed
---@param how aniso.AdamwStep
function step.adamw(p, g, m, v, how) end

---SGD with momentum.
---@param p aniso.Tensor parameters, changed
---@param g aniso.Tensor gradient
---@param buf aniso.Tensor? momentum buffer, changed
---@param how aniso.SgdStep
function step.sgd(p, g, buf, how) end

---e ← decay · e + (1 − decay) · p
---@param e aniso.Tensor changed
---@param p aniso.Tensor
---@param decay number 0 … 1
function step.ema(e, p, decay) end

---√Σg²
---@param g aniso.Tensor
---@return number
function step.grad_norm(g) end

---A range of a flat tensor as a tensor that shares its elements.
---@param x aniso.Tensor float32
---@param first integer from 1
---@param length integer
---@return aniso.Tensor view (length)
function step.view(x, first, length) end

---Scales to a norm of at most `limit`.
---@param g aniso.Tensor changed
---@param limit number above 0
---@return number norm before
function step.clip(g, limit) end

---A table of strings with a header line; rows and columns count from 1.
---@class aniso.Csv
local Csv = {}

---@return string[] names of the columns
function Csv:header() end

---@return integer rows without the header
function Csv:n() end

---@param number integer of the column
---@return string[] cells "" if empty
function Csv:column(number) end

---@return integer[] lines of the file on which the rows end
function Csv:lines() end

---Frees the memory before the garbage collector does; further use raises.
function Csv:close() end

---@class aniso.core.csv
local csv = {}

---The delimiter is a comma, a semicolon or a tab, whichever is most frequent in the header.
---@param path string
---@return aniso.Csv? csv nil if the file is not a table
---@return string? message
---@return string? code
function csv.read(path) end
