---@meta _
-- What is measured (METHOD §7): aniso.metric, and aniso.evaluate, which makes the predictions. An undefined
-- value is nil, never 0.

---@class aniso.MetricInput
---@field ["true"] integer[]|aniso.Tensor N classes, 0 … K−1.
---@field probs? number[][]|aniso.Tensor (N,K)
---@field pred? integer[]|aniso.Tensor N classes; the most probable if left out.
---@field K? integer Classes, needed without probs.
---@field counts? integer[] Training images per class.
---@field shot? ("many"|"medium"|"few")[] Group of each class.
---@field width? number[]|aniso.Tensor Interval width over chains, per class or (N,K).
---@field agreement? number[] Share of chains that agree, per image.
---@field bins? integer Of the calibration error, 15 if left out.

---@class aniso.MeasuredClass
---@field support integer Images of the class.
---@field predicted integer Images predicted as this class.
---@field tp integer
---@field recall number?
---@field precision number?
---@field f1 number?
---@field auc number? One against the rest.
---@field auprc number? Average precision, one against the rest.
---@field n_train integer?
---@field shot string?
---@field width number?

---One value per name of the catalog, and what it is computed from.
---@class aniso.Measured
---@field n integer Images.
---@field K integer
---@field pred integer[]
---@field confusion integer[][] Rows true, columns predicted.
---@field class aniso.MeasuredClass[]
---@field acc number
---@field bacc number
---@field macro_f1 number
---@field worst_class_idx integer? From 0.
---@field bins { n: integer, sum_conf: number, n_correct: integer }[]?

---@class aniso.Interval
---@field value number
---@field lo number
---@field hi number

---@class aniso.BootstrapOptions
---@field draws? integer 1000 if left out.
---@field level? number 0.95 if left out.
---@field seed? integer 0 if left out.
---@field shot? ("many"|"medium"|"few")[] Group of each class.

---A test of the differences second − first.
---@class aniso.PairedTest
---@field n integer
---@field mean number
---@field sd number?
---@field df integer n − 1
---@field t number?
---@field p number?
---@field lo number? Of the mean's interval.
---@field hi number?

---Metrics from a confusion matrix and from probabilities, over a whole set, never averaged over batches.
---@class aniso.metric
---@field catalog { name: string, higher: boolean, label: string }[] Every metric that is one number.
local metric = {}

---@param options aniso.MetricInput
---@return aniso.Measured
function metric.evaluate(options) end

---One metric of the catalog, computed on its own; nil if it is undefined. Not for the two measures of chains.
---@param name string
---@param true_ integer[] N classes, 0 … K−1
---@param rows number[][] N rows of K probabilities
---@param shot? ("many"|"medium"|"few")[]
---@return number?
function metric.value(name, true_, rows, shot) end

---The same from a stored confusion matrix; metrics that need probabilities are nil.
---@param matrix integer[][]|aniso.Tensor rows true, columns predicted
---@param shot? ("many"|"medium"|"few")[]
---@return aniso.Measured
function metric.from_confusion(matrix, shot) end

---Bootstrap intervals over images; with options.shot also for the groups many, medium and few.
---@param true_ integer[]|aniso.Tensor
---@param pred integer[]|aniso.Tensor
---@param K integer
---@param options? aniso.BootstrapOptions
---@return table intervals { acc = aniso.Interval, bacc =, macro_f1 =, …, draws =, level =, seed = }
function metric.interval(true_, pred, K, options) end

---Bootstrap intervals of second − first on the same images.
---@param true_ integer[]|aniso.Tensor
---@param first integer[]|aniso.Tensor
---@param second integer[]|aniso.Tensor
---@param K integer
---@param options? aniso.BootstrapOptions
---@return table intervals { acc = aniso.Interval, bacc =, macro_f1 =, …, draws =, level =, seed = }
function metric.difference(true_, first, second, K, options) end

---McNemar's test on two predictions of the same images: b images are right only in the first, c only in the
---second.
---@param true_ integer[]|aniso.Tensor
---@param first integer[]|aniso.Tensor
---@param second integer[]|aniso.Tensor
---@param K integer
---@return { b: integer, c: integer, p: number, test: string }
function metric.mcnemar(true_, first, second, K) end

---Paired t test of second − first; t and p are nil if the differences do not vary. lo and hi: the interval of
---the mean difference, if there are at least two values.
---@param first number[]
---@param second number[] by seed, in the order of first
---@param level? number 0.95 if left out
---@return aniso.PairedTest
function metric.paired_t(first, second, level) end

---@param values number[]
---@return { n: integer, mean: number, sd: number? }
function metric.mean_sd(values) end

---Class probabilities q under other class shares: q̃_k ∝ q_k exp(κ_k) (METHOD §2).
---@class aniso.tilt
local tilt = {}

---κ_k = −τ ln π_k, logit adjustment (2007.07314).
---@param counts integer[] training images per class, each at least 1
---@param tau number 0: no tilt, 1: as under equal shares
---@return number[] kappa (K)
function tilt.prior(counts, tau) end

---κ_k = κ ln λ_k.
---@param levels number[] K numbers above 0
---@param kappa number
---@return number[] kappa (K)
function tilt.lambda(levels, kappa) end

---The tilted probabilities. If probs are those that an evaluation without a tilt stored, they have the same
---bits as those that an evaluation with this tilt on its vote stores.
---@param probs aniso.Tensor|number[][] (N,K), at least 0; rows that do not sum to 1 are normalised
---@param kappa number[] K finite numbers
---@return aniso.Tensor (N,K)
function tilt.apply(probs, kappa) end

---@class aniso.PredictOptions
---@field batch? integer Images at a time, 256 if left out.
---@field chain? boolean false leaves the chain out.
---@field keep? boolean Keeps the final states of the chains, for read_again().
---@field tick? fun(done: integer, total: integer) Called per batch.
---@field beat? fun() Called before each step of a chain.
---@field cache? table Empty at first; keeps what is encoded for further calls with this model and data set.

---Predictions of a whole part, and their metrics.
---@class aniso.evaluate
---@field most_rows integer Chains that run at once, whatever the number of images and draws.
local evaluate = {}

---@param model aniso.Model
---@param dataset aniso.Dataset
---@param part aniso.Part
---@param how aniso.option.sampler complete
---@param options? aniso.PredictOptions
---@return table predictions true, prior, chain, width, agreement: one entry per image; encoding_s, seconds
function evaluate.predict(model, dataset, part, how, options) end

---The same for several models that share a net, which encodes every image once.
---@param jobs { model: aniso.Model, how: aniso.option.sampler, guard: (fun(f: function): boolean)? }[]
---@param dataset aniso.Dataset
---@param part aniso.Part
---@param options aniso.PredictOptions
---@return table[] predictions
function evaluate.predict_all(jobs, dataset, part, options) end

---Reads the same chains with another temperature and another tilt of the vote.
---@param predictions table of predict() with keep
---@param model aniso.Model
---@param how aniso.option.sampler complete; differs from the chains' only in these two
---@return table predictions true, prior, chain, width, agreement
function evaluate.read_again(predictions, model, how) end

---@class aniso.ChainOptions
---@field see? fun(map: aniso.Tensor) Receives the denoiser's attention (B·R,K,N) at each step.
---@field beat? function Called before each step.
---@field alike? boolean Every image has the noise of the first: its result does not depend on the others.

---Class probabilities, interval width and agreement over the chains of some images.
---@param model aniso.Model
---@param features aniso.Tensor of model:encode(images)
---@param prior aniso.PriorOutput
---@param how aniso.option.sampler complete
---@param first integer the first image's position in its part, from 0, which determines its noise
---@param options? aniso.ChainOptions
---@return aniso.Tensor probabilities (B,K)
---@return aniso.Tensor width (B,K)
---@return aniso.Tensor agreement (B)
function evaluate.chains(model, features, prior, how, first, options) end

---@param predictions table of predict()
---@param which "chain"|"prior"|"post_hoc"
---@param dataset aniso.Dataset
---@return aniso.Measured
function evaluate.measure(predictions, which, dataset) end
