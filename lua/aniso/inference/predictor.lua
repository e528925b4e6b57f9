-- A trained model for new images: from files to class probabilities. Every picture is resized and normalised
-- as in training, and its chains use the same noise whatever images accompany it: a file's prediction
-- depends only on the file and the model.
--   local p = predictor.load "model.safetensors"
--   for _, row in ipairs(p:predict { "a.jpg", "b.jpg" }) do print(row.path, row.label, row.confidence) end
local core = require "aniso.core"
local description = require "aniso.inference.description"
local inputs = require "aniso.inference.inputs"
local maps = require "aniso.inference.maps"
local model_file = require "aniso.inference.model_file"
local options = require "aniso.recipe.options"
local post_hoc = require "aniso.method.post_hoc"
local predict = require "aniso.method.predict"
local shift = require "aniso.stats.tilt"
local tilt = require "aniso.method.tilt"

-- Images per batch. Kernels choose their algorithm by the batch size, which changes the last digits of the
-- results. With a constant size, the bits of an image's result do not depend on the other images.
local BATCH = 8

local Predictor = {}
Predictor.__index = Predictor
Predictor.__name = "aniso.Predictor"

local predictor = {}

-- of: a checked description (description.lua); model: its networks with their weights.
function predictor.new(of, model)
  local form = options.copy(of.form)
  form.rows = BATCH
  local self = setmetatable({ classes = of.classes, form = form, counts = of.counts,
    provenance = of.provenance, sampler = of.config.sampler, config = of.config, model = model }, Predictor)
  return self
end

-- The model in a file that `aniso export` wrote; raises if it is not a model file.
function predictor.load(path)
  return predictor.new(model_file.load(path))
end

-- Replaces options of the model's sampler, such as {steps = 1, draws = 32}.
function Predictor:sample(given)
  self.sampler = description.sampler_with(self.sampler, given, self.config.schedule.T)
end

-- Probabilities of a model without a denoiser, (B,K).
local function plain_probabilities(self, features, prior)
  local choice, model, rows = self.config.post_hoc, self.model, prior.m
  if choice then
    local scores = post_hoc.scores(choice, model, features, prior):totable()
    rows = core.tensor.from(post_hoc.probabilities(choice, model, scores, choice.tau))
  end
  local kappa = tilt.of(self.sampler.tilt, model.counts, model.schedule.levels)
  return kappa and shift.apply(rows, kappa) or rows
end

-- images (B,H,W,3), normalised → probabilities (B,K); with chains also the interval's width (B,K) and the
-- agreement (B); the prior's probabilities (B,K), nil if the prior is constant. with_maps [opt]: also what
-- maps.picture() draws.
function Predictor:classify(images, with_maps)
  return core.ops.no_grad(function()
    local model, how = self.model, self.sampler
    local features, prior = model:encode(images)
    local opinion = model.learned_prior and prior.m or nil
    local seen = with_maps and maps.of(self.form, images, features, prior)
    if not model.denoiser then return plain_probabilities(self, features, prior), nil, nil, opinion, seen end
    local attention = with_maps and model.denoiser.kind == "cross_attention" and maps.attention(how.draws)
    local p, width, agreement = predict.chains(model, features, prior, how, 0,
      { alike = true, see = attention and attention.see })
    if attention then seen.attention = attention.mean() end
    return p, width, agreement, opinion, seen
  end)
end

-- The most probable class in a row of probabilities: its number and its probability.
local function largest(row)
  local best = 1
  for k = 2, #row do
    if row[k] > row[best] then best = k end
  end
  return best, row[best]
end

local function row_of(self, path, p, width, agreement, opinion)
  local k, confidence = largest(p)
  local row = { path = path, class = k, label = self.classes[k], confidence = confidence, probabilities = p,
    interval = width and width[k], agreement = agreement }
  if opinion then
    local j, share = largest(opinion)
    row.prior, row.prior_confidence = self.classes[j], share
  end
  return row
end

-- Rows of one batch of inputs.lua; see predict().
local function rows_of(self, paths, images, reasons, with_maps)
  if not images then return { { path = paths[1], error = reasons[1] } } end
  local p, width, agreement, opinion, seen = self:classify(images, with_maps)
  p, width, agreement = p:totable(), width and width:totable(), agreement and agreement:totable()
  opinion = opinion and opinion:totable()
  local rows = {}
  for i, path in ipairs(paths) do
    rows[i] = reasons[i] and { path = path, error = reasons[i] }
      or row_of(self, path, p[i], width and width[i], agreement and agreement[i], opinion and opinion[i])
    if seen and not reasons[i] then
      rows[i].picture = function() return maps.picture(seen, i, rows[i].class) end
    end
  end
  return rows
end

-- Paths of image files, or for a model of features paths of feature files with a row per image → a list of
-- rows {path (for features the id), label, class (from 1), confidence, probabilities = K numbers, interval
-- and agreement (with chains), prior and prior_confidence}. A file that cannot be read gives {path, error};
-- an entry of that form is returned as it is. If each(rows, done) [opt] is given, it is called after each
-- batch and the result is empty: for lists of any length. with_maps [opt]: rows have picture() → the
-- attention drawn, a tensor (H,W,3) in [0, 1].
function Predictor:predict(paths, each, with_maps)
  local out, done = {}, 0
  if with_maps and self:reads_features() then error("a model of features has no image to draw on", 0) end
  for names, images, reasons in inputs.batches(self.form, paths, BATCH) do
    local rows = rows_of(self, names, images, reasons, with_maps)
    done = done + #names
    if each then each(rows, done) else table.move(rows, 1, #rows, #out + 1, out) end
  end
  return out
end

-- Whether the model's inputs are files of features, not images.
function Predictor:reads_features()
  return self.form.kind == "features"
end

-- The number of rows that predict() gives for these paths.
function Predictor:count(paths)
  return inputs.count(self.form, paths)
end

-- "images of 32×32", "features of 1 × 768"
function Predictor:describe_input()
  return inputs.describe(self.form)
end

function Predictor:__tostring()
  local of, how = self.provenance, self.sampler
  local chains = self.model.denoiser and ("%s %d × %d"):format(how[1], how.steps, how.draws) or "a classifier"
  local origin = of.study and (", from %s of %s"):format(tostring(of.label), tostring(of.study)) or ""
  return ("Predictor: %d classes, %s, %s%s"):format(#self.classes, self:describe_input(), chains,
    core.sys.visible(origin))
end

return predictor
