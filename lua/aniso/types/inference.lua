---@meta _
-- Trained models for new images: aniso.load.

---How an image file, or a row of features, is prepared for the network.
---@class aniso.InputForm
---@field kind? "features"
---@field height integer Pixels, or tokens.
---@field width integer
---@field channels? integer Numbers of a token.
---@field aspect? "stretch"|"crop"|"pad"
---@field damaged? "refuse"|"accept"
---@field mean number[] Per channel, of values in [0, 1].
---@field std number[]
---@field rows? integer Rows of the result, if more than the paths.


---A trained model for new images. A file's prediction depends only on the file and the model, to the last
---bit: neither on the other files nor on their order.
---@class aniso.Predictor
---@field classes string[]
---@field counts integer[] Training images per class.
---@field form aniso.InputForm
---@field sampler aniso.option.sampler The sampler in use.
---@field config aniso.Config
---@field model aniso.Model
---@field provenance table The run, its data and its test scores.
local Predictor = {}

---@class aniso.Prediction
---@field path string
---@field error? string Why the file could not be read; there are then no other fields.
---@field class integer The most probable class, from 1.
---@field label string Its name.
---@field confidence number Its probability.
---@field probabilities number[] Per class.
---@field interval? number Width of the class's 95 % interval over the chains.
---@field agreement? number Share of the chains that vote for this class.
---@field prior? string What the prior alone predicts; nil if the prior is constant.
---@field prior_confidence? number
---Draws the attention, (H,W,3) in [0, 1]: the image with the prior's windows, and next to it the attention
---for the class.
---@field picture? fun(): aniso.Tensor

---Predicts image files or, for a model of features, files of features, one result per row; rows with an error
---are kept.
---@param paths (string|aniso.Prediction)[]
---@param each? fun(rows: aniso.Prediction[], done: integer) called after each batch; the result is then empty
---@param with_maps? boolean gives each row picture()
---@return aniso.Prediction[] rows in the order of the paths
function Predictor:predict(paths, each, with_maps) end

---@param images aniso.Tensor (B,H,W,3), normalised, as returned by core.data.read_images()
---@param with_maps? boolean also return what inference/maps.lua draws
---@return aniso.Tensor probabilities (B,K)
---@return aniso.Tensor? width (B,K), over the chains
---@return aniso.Tensor? agreement (B), over the chains
---@return aniso.Tensor? prior (B,K)
---@return table? seen what inference/maps.lua draws
function Predictor:classify(images, with_maps) end

---Whether the model reads files of features.
---@return boolean
function Predictor:reads_features() end

---The number of rows that predict() returns.
---@param paths string[]
---@return integer
function Predictor:count(paths) end

---"images of 32×32" or "features of 1 × 768".
---@return string
function Predictor:describe_input() end

---Sets options of the sampler instead of the model's own, such as { steps = 1, draws = 32 }.
---@param given aniso.option.sampler
function Predictor:sample(given) end

return Predictor
