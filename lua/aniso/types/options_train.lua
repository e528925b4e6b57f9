---@meta _
-- Options of a recipe's `loss`, `train`, `select` and `sampler`.

---L = epsilon · E‖ε−ε̂‖² + mmd · MMD²(ε, ε̂) + global · L(g) + local · L(l) (METHOD §6).
---@class aniso.option.loss
---@field epsilon? number Weight of the denoising error (default 1, at least 0).
---@field mmd? number η, weight of the MMD between drawn and estimated noise (default 0.5, at least 0).
---@field global? number μ_g, weight of the global prior's own loss (default 1, at least 0).
---@field local? number μ_l, weight of the local prior's own loss (default 1, at least 0).
---@field prior? aniso.option.loss.prior|string The priors' own loss (default "ce").
---@field multipliers? number[] Of MMD's bandwidth 2K, 1 to 8 (default {0.25, 0.5, 1, 2, 4}).
---@field unbiased? boolean Leave out the pairs of a row with itself in MMD (default false).

---@alias aniso.option.loss.prior
---| aniso.option.loss.prior.ce
---| aniso.option.loss.prior.weighted
---| aniso.option.loss.prior.focal
---| aniso.option.loss.prior.class_balanced
---| aniso.option.loss.prior.ldam
---| aniso.option.loss.prior.balanced_softmax
---| aniso.option.loss.prior.logit_adjustment

---Cross-entropy.
---@class aniso.option.loss.prior.ce
---@field [1] "ce"
---@field smoothing? number Share of the label spread over all classes, 0 … 1 (default 0).

---Cross-entropy with weights n_j^(−power), their mean 1.
---@class aniso.option.loss.prior.weighted
---@field [1] "weighted"
---@field power? number (default 1)

---Focal loss, 1708.02002.
---@class aniso.option.loss.prior.focal
---@field [1] "focal"
---@field gamma? number γ of (1 − p)^γ (default 2).

---Weights by the effective number of samples, 1901.05555.
---@class aniso.option.loss.prior.class_balanced
---@field [1] "class_balanced"
---@field beta? number β of (1−β)/(1−β^n), 0 … 1 (default 0.999).
---@field gamma? number γ of (1 − p)^γ (default 0).

---Margins ∝ n_j^(−1/4) with deferred reweighting, 1906.07413.
---@class aniso.option.loss.prior.ldam
---@field [1] "ldam"
---@field margin? number The largest margin (default 0.5).
---@field scale? number Factor on the logits (default 30).
---@field beta? number β of the deferred weights (default 0.9999).
---@field defer? number Share of training before the weights count, 0 … 1 (default 0.8).

---Softmax over n_j e^z, 2007.10740.
---@class aniso.option.loss.prior.balanced_softmax
---@field [1] "balanced_softmax"

---z + tau ln π, 2007.07314.
---@class aniso.option.loss.prior.logit_adjustment
---@field [1] "logit_adjustment"
---@field tau? number τ (default 1).

---How training images are varied; by default nothing is.
---@class aniso.option.train.augment
---@field flip? boolean|"none"|"horizontal"|"vertical"|"both" At random; true is "both" (default false).
---@field transpose? boolean Exchange rows and columns at random (default false).
---@field shift? integer Pixels at most in each direction, border reflected (default 0, at least 0).
---@field crop? integer Pixels at most in each direction, black outside (default 0, at least 0).
---@field brightness? number Largest change (default 0, at least 0, at most 1).
---@field contrast? number Largest change (default 0, at least 0, at most 1).
---@field colour? number Largest change of saturation (default 0, at least 0, at most 1).
---@field noise? number Deviation of the noise added (default 0, at least 0, at most 1).

---How the weights are trained.
---@class aniso.option.train
---Everything at once, or the backbone and priors first and the denoiser on their frozen features
---(default "joint").
---@field mode? "joint"|"staged"
---@field epochs? integer Passes over the training part (default 30, at least 1).
---@field prior_epochs? integer Of the first stage of "staged"; 0: as epochs (default 0, at least 0).
---@field batch? integer B, images per step (default 128, at least 2).
---@field draws? integer M, draws of (t, ε) per image and step (default 4, at least 1).
---@field predict? "y0"|"epsilon"|"v" What the denoiser says (default "y0").
---@field optimiser? "adamw"|"sgd" (default "adamw")
---@field lr? number Largest learning rate (default 0.001, above 0).
---@field decay? number Weight decay, not of biases and normalisations (default 0.05, at least 0).
---@field momentum? number β1 of adamw (default 0.9, at least 0, below 1).
---@field rate? "cosine"|"one_cycle"|"constant" The learning rate over training (default "cosine").
---@field warmup? number Share of all steps; 0.3 suits one_cycle (default 0.03, at least 0, below 1).
---@field clip? number Largest norm of the gradient; 0: off (default 1, at least 0).
---Decay of the averaged weights, which are those evaluated; 0: off (default 0.998, at least 0, below 1).
---@field ema? number
---Which images an epoch sees: each once, classes alike, by √n_j, or from the first to the second over
---the epochs (default "instance").
---@field sampler? "instance"|"class_balanced"|"square_root"|"progressive"
---@field augment? aniso.option.train.augment How training images are varied.

---How the weights to evaluate are chosen, always on the validation part.
---@class aniso.option.select
---@field metric? string A name of aniso.metric.catalog (default "macro_f1").
---@field of? "chain"|"prior" Whose metric: the reverse chain's or the prior's own (default "chain").
---@field every? integer Epochs between two validations (default 1, at least 1).
---@field steps? integer S of a validation's chains (default 10, at least 1).
---@field draws? integer R of a validation's chains (default 2, at least 1).
---@field keep? "best"|"last" The best epoch's averaged weights, or the last's (default "best").

---@alias aniso.option.sampler
---| aniso.option.sampler.ddim
---| aniso.option.sampler.ddpm
---| aniso.option.sampler.dpmpp

---What every sampler understands.
---@class aniso.option.sampler.any
---@field steps? integer S, steps of a chain, at most schedule.T (default 20, at least 1).
---@field draws? integer R, chains per image (default 8, at least 1).
---@field spacing? "uniform"|"quadratic"|"logsnr" Of the steps over T (default "uniform").
---@field clip? number ŷ0 is held in [−clip, 1 + clip]; 0: off (default 1, at least 0).
---softmax(−(ŷ0−1)²/temperature), or ŷ0 above 0 over its sum (default "distance").
---@field probabilities? "distance"|"plain"
---@field temperature? number Of "distance" (default 0.25, above 0).
---@field seed? integer Of the noise (default 0, at least 0).

---2010.02502
---@class aniso.option.sampler.ddim : aniso.option.sampler.any
---@field [1] "ddim"
---@field eta? number η, share of the posterior's noise (default 0, at least 0, at most 1).

---The ancestral posterior, 2006.11239.
---@class aniso.option.sampler.ddpm : aniso.option.sampler.any
---@field [1] "ddpm"

---DPM-Solver++(2M), 2211.01095.
---@class aniso.option.sampler.dpmpp : aniso.option.sampler.any
---@field [1] "dpmpp"
