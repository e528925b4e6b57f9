---@meta _
-- Reverse chains: aniso.sampler.

---@class aniso.Chain
---@field schedule aniso.Schedule
---@field denoise fun(y: aniso.Tensor, t: aniso.Tensor): aniso.Tensor The network; t int64 (B).
---@field m aniso.Tensor Prior means (B,K).
---@field level? aniso.Tensor (B), in the coupling "sample".
---@field kind? string A name of `kinds`, "ddim" if left out.
---@field eta? number 0 if left out.
---@field steps integer S
---@field spacing? "uniform"|"quadratic"|"logsnr" "uniform" if left out.
---@field prediction? "epsilon"|"y0"|"v" "epsilon" if left out.
---@field clip? number 0 (off) if left out.
---@field kappa? number[] K numbers that tilt the estimate of y0 at every step.
---@field seed? integer 0 if left out.
---@field stream_index? integer 0 if left out.
---@field first? integer Index of the batch's first number in the noise of the whole set, row · K.

---Reverse chains, from noise to class probabilities.
---@class aniso.sampler
---@field kinds table The program's samplers: name → {text, options, step}.
---@field common table The rules of the options that every sampler takes.
---@field option table The option rule of a recipe's `sampler`.
local sampler = {}

---@return string[] names of the program's samplers
function sampler.names() end

---The step function of a sampler.
---@param choice string|table a name, or a complete value of the option `sampler`
---@return fun(chain: table, y: aniso.Tensor, output: aniso.Tensor, t: integer, u: integer): aniso.Tensor
function sampler.step_of(choice) end

---The test level of each row in the coupling "sample"; nil in the others.
---@param s aniso.Schedule
---@param m aniso.Tensor prior means (B,K)
---@param level "mixture"|"max"|"min"|number a value of the option sampler.level
---@return aniso.Tensor? level (B)
function sampler.levels(s, m, level) end

---@param chain aniso.Chain
---@return aniso.Tensor y0_hat (B,K)
function sampler.run(chain) end

---Passes of the network per image that run() takes: steps × draws.
---@param how aniso.option.sampler
---@return integer
function sampler.passes(how) end

---Mean over draws, interval width and agreement; see aniso.core.schedule.vote.
---@param y0_hat aniso.Tensor (B·R,K)
---@param kind "distance"|"plain"
---@param temperature number above 0
---@param draws integer R
---@param kappa? number[] K numbers that tilt the mean and, for width and agreement, the chains
---@return aniso.Tensor probability (B,K)
---@return aniso.Tensor width (B,K)
---@return aniso.Tensor agreement (B)
function sampler.probabilities(y0_hat, kind, temperature, draws, kappa) end
