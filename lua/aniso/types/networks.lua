---@meta _
-- Networks: modules of parameters, the backbone, the prior, the denoiser, and the MMD loss.

---Named parameters and buffers of one or more networks. Networks can be added until it is sealed; then all
---values are elements of one flat tensor.
---@class aniso.Module
local Module = {}

---Declares a parameter, before seal(). Its initial values depend on the module's seed and on its name.
---@param name string
---@param shape integer[]
---@param how { fan_in?: integer, constant?: number, decay?: boolean } uniform in ±1/√fan_in, or constant
---(default 0); decay: weight decay applies (default false)
---@return aniso.Tensor parameter the tensor itself
function Module:param(name, shape, how) end

---Moves all parameters into one tensor. No network can be added afterwards.
---@return aniso.Module self
function Module:seal() end

---All parameters and their gradient, each as one vector; the tensors themselves, not copies.
---@return aniso.Tensor values (count())
---@return aniso.Tensor gradient (count())
function Module:flat() end

---The running moments of batch normalisations as one vector; the tensor itself.
---@return aniso.Tensor buffers
function Module:flat_buffers() end

---The ranges of flat() with and without weight decay, `first` counting from 1.
---@param prefix? string prefix of the parameters' names; all if left out
---@return { first: integer, length: integer, decay: boolean }[]
function Module:decay_ranges(prefix) end

---The ranges of flat_buffers(), `first` counting from 1.
---@param prefix? string prefix of the buffers' names; all if left out
---@return { first: integer, length: integer, decay: boolean }[]
function Module:buffer_ranges(prefix) end

---Sets the gradient to 0.
function Module:zero_grad() end

---Exchanges the contents with tensors of the same length; a second call restores the original.
---@param values aniso.Tensor like flat()
---@param buffers? aniso.Tensor like flat_buffers()
function Module:swap(values, buffers) end

---@param on? boolean training (if left out) or evaluation
---@return aniso.Module self
function Module:train(on) end

---Whether batch normalisation uses the batch's moments: in training and not frozen.
---@return boolean
function Module:training() end

---A frozen module, or the part of it whose names begin with `prefix`, requires no gradients and behaves as
---in evaluation: its running moments are fixed.
---@param on? boolean true if left out
---@param prefix? string such as "backbone.layer1."; the whole module if left out
---@return aniso.Module self
function Module:freeze(on, prefix) end

---In training its convolutional networks sum over a batch in eight slices, added in a fixed tree. The bits
---are the same at 1, 2, 4 and 8 ranks but differ from those without slices.
---@param on? boolean true if left out
---@return aniso.Module self
function Module:slice(on) end

---@return boolean
function Module:frozen() end

---Names of all parameters and buffers in order of declaration.
---@return string[]
function Module:names() end

---A parameter or buffer itself.
---@param name string one of names()
---@return aniso.Tensor
function Module:get(name) end

---All parameters and buffers themselves, by name.
---@return table<string, aniso.Tensor>
function Module:state() end

---Copies tensors into the module. Shapes must match, and names too unless strict is false.
---@param state table<string, aniso.Tensor>
---@param how? { strict: boolean? } true if left out
---@return integer copied tensors
function Module:load(state, how) end

---The number of parameters (single numbers).
---@return integer
function Module:count() end

---Releases the handle; networks that contain the module keep it.
function Module:close() end

---Residual network, images to feature maps (1512.03385): aniso.resnet.
---@class aniso.ResNet
---@field features integer Channels of the features, Cf.
---@field module aniso.Module Its parameters.
---@field units integer Number of units for recompute(): the stem with its pooling, then each block.
local ResNet = {}

---@param images aniso.Tensor (B,H,W,C), as Dataset:batch gives them
---@return aniso.Tensor features (B,h,w,Cf)
function ResNet:forward(images) end

---Trades time for memory: from the next forward pass on, the first n units keep no intermediates, and the
---backward pass recomputes them (1604.06174). Outputs and gradients have the same bits.
---@param n integer 0 (at first) to units.
function ResNet:recompute(n) end

---Bytes that the latest recomputation of a unit measured; zeros before the first one, or if it is not
---trained.
---@class aniso.ResNet.bytes
---@field before integer Peak use until the recomputation began.
---@field kept integer What keeping the unit's intermediates, without its output, would hold longer.
---@field peak integer Peak use while it was recomputed and its gradients were computed.

---@return aniso.ResNet.bytes[] of each unit
function ResNet:unit_bytes() end

---Loads weights with torchvision's names, such as conv1.weight; the classifier fc is skipped.
---@param tensors table<string, aniso.Tensor>
function ResNet:load(tensors) end

---Frees the memory before the garbage collector does.
function ResNet:close() end

---Output of a prior for B images; fields that its mode does not compute are absent.
---@class aniso.PriorOutput
---@field m aniso.Tensor Prior mean (B,K): w mg + (1 − w) ml in the mode "both".
---@field mg aniso.Tensor Global share (B,K): softmax(g), 0 if m leaves it out, m for a constant prior.
---@field ml aniso.Tensor Local share (B,K): softmax(l), 0 if m leaves it out, m for a constant prior.
---@field g aniso.Tensor? Global logits (B,K).
---@field l aniso.Tensor? Local logits (B,K).
---@field saliency aniso.Tensor? Class maps (B,h,w,K).
---@field crops aniso.Tensor? Vectors of the windows (B,crops,D_l).
---@field positions aniso.Tensor? Rows and columns of the windows, int64 (B,crops,2), pixels from 0.
---@field side integer? Of the windows, pixels.
---@field attention aniso.Tensor? Weight of each window in l (B,crops).

---The prior network, from images and features to the mean of the forward process (METHOD §4): aniso.prior.
---@class aniso.Prior
---@field mode "both"|"global"|"local"|"uniform"|"frequency"|"zero"
---@field classes integer K
---@field crop_features integer Width D_l of a window's vector, 0 without windows.
---@field module aniso.Module Its parameters.
local Prior = {}

---@param images aniso.Tensor (B,H,W,C)
---@param features? aniso.Tensor (B,h,w,Cf); a constant prior needs none
---@return aniso.PriorOutput
function Prior:forward(images, features) end

---Frees the memory before the garbage collector does.
function Prior:close() end

---What the denoiser needs from a batch of images, computed once whatever the number of draws and steps.
---@class aniso.Context
---@field images integer B
local Context = {}

---Frees the memory before the garbage collector does.
function Context:close() end

---The reverse process's network (METHOD §5): aniso.denoiser.
---@class aniso.Denoiser
---@field kind "cross_attention"|"film"
---@field classes integer K
---@field module aniso.Module Its parameters.
local Denoiser = {}

---@class aniso.DenoiserInput
---@field features aniso.Tensor Of the backbone (B,h,w,Cf).
---@field crops? aniso.Tensor Vectors of the windows (B,crops,D_l).
---@field mg aniso.Tensor Global prior (B,K).
---@field ml aniso.Tensor Local prior (B,K).

---Computes what depends only on the images.
---@param of aniso.DenoiserInput
---@return aniso.Context
function Denoiser:encode(of) end

---The network's output for any number of draws per image; the draws of an image are adjacent rows.
---@param context aniso.Context of B images
---@param y aniso.Tensor noisy labels y_t (B·R,K)
---@param t integer|aniso.Tensor int64 (B·R), 1 … T
---@param how? { map: boolean? } map = true returns each class's attention over the image as well
---@return aniso.Tensor output (B·R,K)
---@return aniso.Tensor? map (B·R,K,N)
function Denoiser:forward(context, y, t, how) end

---Frees the memory before the garbage collector does.
function Denoiser:close() end

---A set of RBF kernels and the discrepancy under them: mmd(a, b) is mmd:loss(a, b). aniso.mmd makes it.
---@class aniso.MMD
---@overload fun(a: aniso.Tensor, b: aniso.Tensor): aniso.Tensor
local MMD = {}

---MMD² between the rows of two tensors, with gradients to both.
---@param a aniso.Tensor (B,K)
---@param b aniso.Tensor (B,K)
---@return aniso.Tensor loss a scalar
function MMD:loss(a, b) end

---Frees the memory before the garbage collector does.
function MMD:close() end
