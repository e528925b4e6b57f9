---@meta _
-- Trained models for new images: aniso.load.

---What an image file becomes before the network, or a row of features.
---@class aniso.InputForm
---@field kind? "features"
---@field height integer Pixels, or tokens.
---@field width integer
---@field channels? integer Numbers of a token.
---@field aspect? "stretch"|"crop"|"pad"
---@field damaged? "refuse"|"accept"
---@field mean number[] Per channel, of values in [0, 1].
---@field std number[]
---@field rows? integer Of the result, if it shall have more than paths.


---A trained model for new images. A file's prediction depends on the file and the model alone, to the last
---bit: neither on the files that come with it nor on their order.
---@class aniso.Predictor
---@field classes string[]
---@field counts integer[] Training images per class.
---@field form aniso.InputForm
---@field sampler aniso.option.sampler In use.
---@field config aniso.Config
---@field model aniso.Model
---@field provenance table The run, its data and its test scores.
local Predictor = {}

---@class aniso.Prediction
---@field path string
---@field error? string Why the file could not be read; there are no other fields then.
---@field class integer The most probable class, from 1.
---@field label string Its name.
---@field confidence number Its probability.
---@field probabilities number[] Per class.
---@field interval? number Width of the class's 95 % interval over the chains.
---@field agreement? number Share of the chains that vote for one class.
---@field prior? string What the prior alone predicts; nil where the prior is constant.
---@field prior_confidence? number
---The attention drawn, (H,W,3) in [0, 1]: the image with the windows of the prior, and next to it the
---attention for the class.
---@field picture? fun(): aniso.Tensor

---Image files, or for a model of features files of these, each with a row per row; a row with an error stays.
---@param paths (string|aniso.Prediction)[]
---@param each? fun(rows: aniso.Prediction[], done: integer) called after a batch; then the result is empty
---@param with_maps? boolean rows have picture()
---@return aniso.Prediction[] rows in the order of the paths
function Predictor:predict(paths, each, with_maps) end

---@param images aniso.Tensor (B,H,W,3), normalised, as core.data.read_images() gives them
---@param with_maps? boolean also what inference/maps.lua draws
---@return aniso.Tensor probabilities (B,K)
---@return aniso.Tensor? width (B,K), of chains
---@return aniso.Tensor? agreement (B), of chains
---@return aniso.Tensor? prior (B,K)
---@return table? seen what inference/maps.lua draws
function Predictor:classify(images, with_maps) end

---Whether the model's inputs are files of features.
---@return boolean
function Predictor:reads_features() end

---The number of rows that predict() gives.
---@param paths string[]
---@return integer
function Predictor:count(paths) end

---"images of 32×32" or "features of 1 × 768".
---@return string
function Predictor:describe_input() end

---Options of the sampler in the place of the model's own, such as { steps = 1, draws = 32 }.
---@param given aniso.option.sampler
function Predictor:sample(given) end

return Predictor
