---@meta _
-- Schedules: the forward process, its reverse steps, and the bound that chooses λ.

---Noise levels over time and over classes (METHOD's a and s). Label vectors are float32 (B,K), one row
---per image or per draw; m is the prior mean, z = y − m. Times are t = 0 … T, 0 the clean label; where a
---method takes t, one integer applies to all rows, and an int64 tensor (B) gives each row its own. `level` is
---required by the coupling "sample", and in "image" as (B,K); in "class_speed" it puts each row at the signal
---and noise of an image whose class has that λ, and reverse chains omit it; with the others it is an error.
---Only noised and target have gradients.
---@class aniso.Schedule
---@field K integer Classes.
---@field T integer Diffusion steps.
---@field lambda aniso.Tensor λ_j in force, (K), after normalisation and clipping.
---@field counts integer[]? Training images per class; nil if they were not given.
---@field base string The base schedule: "cosine", "linear", ….
---@field coupling "variance"|"speed"|"sample"|"class_speed"|"image" How λ enters a and s.
---@field levels number[] The λ_j as a list of doubles.
---@field policy string How λ was chosen: "power", …; "own:NAME" for a recipe's own policy.
---@field bound_constants table A, Dn, p and q of the bound E(λ).
---@field uncertainty_floor number c of the coupling "image".
---@field text string The policy with its options, as print(s) shows it.
---@field before_training boolean Whether the levels are those from which training starts to learn them.
---@field normalise "mean"|"geometric"|"prior"|"max"|"head"|"none" Which property of λ is normalised to 1.
local Schedule = {}

---a_t per class, 1 at t = 0.
---@param t integer 0 … T
---@return aniso.Tensor a (K)
function Schedule:signal(t) end

---s_t per class, 0 at t = 0.
---@param t integer 0 … T
---@return aniso.Tensor s (K)
function Schedule:noise(t) end

---(a_t / s_t)² per class, infinite at t = 0.
---@param t integer 0 … T
---@return aniso.Tensor snr (K)
function Schedule:snr(t) end

---ᾱ_t of the base schedule, the same for all classes; 1 at t = 0.
---@param t integer 0 … T
---@return number
function Schedule:alpha_bar(t) end

---The times of a chain of S steps, from T down to 0.
---@param S integer 1 … T
---@param spacing? "uniform"|"quadratic"|"logsnr" "uniform" if left out
---@return integer[] times S + 1 of them
function Schedule:times(S, spacing) end

---λ_c of each image's own class c, the level of the coupling "sample" in training.
---@param labels aniso.Tensor int64 (B), 0 … K−1
---@return aniso.Tensor level (B)
function Schedule:levels_of_labels(labels) end

---λ(x) = Σ_j m_j λ_j, the level of the coupling "sample" when the label is unknown.
---@param m aniso.Tensor (B,K)
---@return aniso.Tensor level (B)
function Schedule:levels_of_priors(m) end

---λ_j(x) ∝ λ_j √(m_j (1 − m_j) + c n_j^(−½)) with mean 1 over the classes of each image: the levels of the
---coupling "image".
---@param m aniso.Tensor (B,K)
---@param floor number c, above 0
---@return aniso.Tensor level (B,K)
function Schedule:levels_of_uncertainty(m, floor) end

---The same with the schedule's own floor, option uncertainty_floor.
---@param m aniso.Tensor (B,K)
---@return aniso.Tensor level (B,K)
function Schedule:levels_of_images(m) end

---The step t′ that an image of each label's class has reached at time t in the coupling "class_speed":
---its log-SNR is lower by 2 ln λ_c. Defined for every coupling; λ_c = 1 leaves t as it is.
---@param labels aniso.Tensor int64 (B), 0 … K−1
---@param t integer|aniso.Tensor int64 (B), 1 … T
---@param within aniso.Tensor (B) in [0, 1): how far before t the continuous time is, drawn uniformly
---@return aniso.Tensor t int64 (B), 1 … T
function Schedule:times_of_labels(labels, t, within) end

---How often an image of each class is at step t in training, relative to a class of λ = 1; the sum over t is
---T. All are 1 in couplings other than "class_speed".
---@param t integer 1 … T
---@return number[] visits K numbers ≥ 0
function Schedule:visits(t) end

---The Monte Carlo estimate behind share(): R_c per class with its standard error, the mean over classes, and
---R_c in each of `bins` intervals of time as lists over classes.
---@param draws integer at least 2; fewer are used for many classes
---@param seed integer
---@param bins integer at least 1; there are at most T, and at most draws
---@return table estimate { share = {…}, error = {…}, mean =, mean_error =, draws =, curve = {{…} …} }
function Schedule:image_needed(draws, seed, bins) end

---The coefficients a or s of each row's own time.
---@param which "signal"|"noise"
---@param t integer|aniso.Tensor int64 (B)
---@param level? aniso.Tensor (B)
---@return aniso.Tensor coefficients (B,K)
function Schedule:gather(which, t, level) end

---y_t = m + a_t (y0 − m) + s_t ε, with gradients to y0 and m.
---@param y0 aniso.Tensor one-hot labels (B,K)
---@param m aniso.Tensor prior means (B,K)
---@param t integer|aniso.Tensor int64 (B)
---@param eps aniso.Tensor standard normal (B,K)
---@param level? aniso.Tensor (B)
---@return aniso.Tensor y_t (B,K)
function Schedule:noised(y0, m, t, eps, level) end

---The training target of a prediction: ε, y0, or v = a ε − s z0 with gradients to y0 and m.
---@param prediction "epsilon"|"y0"|"v"
---@param y0 aniso.Tensor (B,K)
---@param m aniso.Tensor (B,K)
---@param t integer|aniso.Tensor int64 (B)
---@param eps aniso.Tensor (B,K)
---@param level? aniso.Tensor (B)
---@return aniso.Tensor target (B,K)
function Schedule:target(prediction, y0, m, t, eps, level) end

---One step of the Markov chain from u to t > u: y_t = m + c (y_u − m) + τ ε, c = a_t / a_u,
---τ² = s_t² − c² s_u². Without gradient.
---@param y aniso.Tensor (B,K) at u
---@param m aniso.Tensor (B,K)
---@param u integer|aniso.Tensor int64 (B)
---@param t integer|aniso.Tensor int64 (B)
---@param eps aniso.Tensor (B,K)
---@param level? aniso.Tensor (B)
---@return aniso.Tensor y_t (B,K)
function Schedule:forward_step(y, m, u, t, eps, level) end

---Mean and variance of z_u given z_t and z0, u < t (METHOD §2).
---@param u integer|aniso.Tensor int64 (B)
---@param t integer|aniso.Tensor int64 (B)
---@param z0 aniso.Tensor y0 − m (B,K)
---@param zt aniso.Tensor y_t − m (B,K)
---@param level? aniso.Tensor (B)
---@return aniso.Tensor mean (B,K)
---@return aniso.Tensor variance (B,K)
function Schedule:posterior(u, t, z0, zt, level) end

---How a network's output is read.
---@class aniso.Reading
---@field prediction? "epsilon"|"y0"|"v" "epsilon" if left out.
---@field clip? number ŷ0 is clamped to [−clip, 1 + clip]; 0, or left out: not clamped.

---The estimates ẑ0 and ε̂ that an output represents.
---@param y aniso.Tensor y_t (B,K)
---@param m aniso.Tensor (B,K)
---@param output aniso.Tensor of the network (B,K)
---@param t integer|aniso.Tensor int64 (B)
---@param read? aniso.Reading
---@param level? aniso.Tensor (B)
---@return aniso.Tensor z0 (B,K)
---@return aniso.Tensor eps (B,K)
function Schedule:estimate(y, m, output, t, read, level) end

---@class aniso.DdimReading : aniso.Reading
---@field eta? number 0 (no noise, if left out) … 1 (the DDPM posterior).
---@field noise? aniso.Tensor Standard normal (B,K), required if eta is above 0.

---One step of DDIM(η) from t to u < t (2010.02502).
---@param y aniso.Tensor y_t (B,K)
---@param m aniso.Tensor (B,K)
---@param output aniso.Tensor of the network at t (B,K)
---@param t integer|aniso.Tensor int64 (B)
---@param u integer|aniso.Tensor int64 (B)
---@param read? aniso.DdimReading
---@param level? aniso.Tensor (B)
---@return aniso.Tensor y_u (B,K)
---@return aniso.Tensor z0 (B,K)
function Schedule:ddim_step(y, m, output, t, u, read, level) end

---@class aniso.DpmReading : aniso.Reading
---@field previous_z0? aniso.Tensor The z0 (B,K) that the previous step returned; none: first order.
---@field previous_t? integer|aniso.Tensor The t of the previous step.

---One step of DPM-Solver++(2M) from t to u < t (2211.01095).
---@param y aniso.Tensor y_t (B,K)
---@param m aniso.Tensor (B,K)
---@param output aniso.Tensor of the network at t (B,K)
---@param t integer|aniso.Tensor int64 (B)
---@param u integer|aniso.Tensor int64 (B)
---@param read? aniso.DpmReading
---@param level? aniso.Tensor (B)
---@return aniso.Tensor y_u (B,K)
---@return aniso.Tensor z0 (B,K)
function Schedule:dpm_step(y, m, output, t, u, read, level) end

---Frees the memory before the garbage collector does; further use raises.
function Schedule:close() end

---The engine's schedules. aniso.schedule{…} checks the options; new() here takes resolved values.
---@class aniso.core.schedule
---@field methods table The methods of Schedule.
---@field defaults {T: integer, offset: number, beta_max: number} What new() uses for values left out.
local engine = {}

---@param values table flat and complete, as lua/aniso/method/schedule.lua makes it
---@return aniso.Schedule
function engine.new(values) end

---Class probabilities from chains: mean over the R draws of softmax(−(ŷ0 − 1)² / temperature), or of
---max(ŷ0, 0) divided by its sum.
---@param y0_hat aniso.Tensor (B·R,K), the R draws of an image in adjacent rows
---@param kind? "distance"|"plain" "distance" if left out
---@param temperature? number above 0, 1 if left out
---@param R? integer draws per image, 1 if left out
---@param kappa? number[] K numbers that tilt the mean, and for width and agreement the chains
---@return aniso.Tensor probability (B,K)
---@return aniso.Tensor width (B,K), of the chains' 95 % interval
---@return aniso.Tensor agreement (B), share of the chains that predict the same class
function engine.vote(y0_hat, kind, temperature, R, kappa) end

---Tilted probabilities: ∝ max(x, 0) exp(κ), or ∝ exp(κ) in a row with nothing above 0.
---@param x aniso.Tensor (B,K)
---@param kappa number[] K finite numbers
---@return aniso.Tensor (B,K), rows that sum to 1
function engine.tilt(x, kappa) end

---Noise levels over time and over classes. aniso.schedule{"cosine", T = 1000, lambda = "bound",
---counts = {6705, 1113, 115}} makes one; counts may be left out if K is given and λ needs none.
---@class aniso.schedule
---@field options table The rules of a recipe's `schedule`.
---@field policies table The rules of each λ policy.
---@overload fun(given: aniso.option.schedule): aniso.Schedule
local schedule = {}

---@param given? aniso.option.schedule|string
---@param counts? integer[] training images per class, used if the options give none
---@param stored? number[] levels of a stored run, for the policies that use them
---@param groups? string[] "many", "medium" or "few" of each class, as data sets name them
---@return aniso.Schedule
function schedule.new(given, counts, stored, groups) end
