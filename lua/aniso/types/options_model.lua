---@meta _
-- Options of a recipe's `backbone`, `prior`, `schedule` and `denoiser`; the λ policies are generated from
-- their registry.

---@alias aniso.option.backbone
---| aniso.option.backbone.resnet
---| aniso.option.backbone.resnet18
---| aniso.option.backbone.resnet34
---| aniso.option.backbone.resnet50
---| aniso.option.backbone.none

---@alias aniso.option.backbone.normalise
---| aniso.option.backbone.normalise.dataset
---| aniso.option.backbone.normalise.imagenet
---| aniso.option.backbone.normalise.constants

---Mean 0 and deviation 1 of each channel over the training part.
---@class aniso.option.backbone.normalise.dataset
---@field [1] "dataset"

---The moments of ImageNet that published weights of torchvision and timm expect: mean 0.485, 0.456, 0.406,
---deviation 0.229, 0.224, 0.225.
---@class aniso.option.backbone.normalise.imagenet
---@field [1] "imagenet"

---Moments for other weights; a table without a name is of this kind.
---@class aniso.option.backbone.normalise.constants
---@field [1]? "constants"
---@field mean? number[] Of red, green, blue, with pixel values from 0 to 1 (default {0.5, 0.5, 0.5}).
---@field deviation? number[] Of the same (default {0.5, 0.5, 0.5}).

---The small residual network for images of 32 to 64 pixels: three stages.
---@class aniso.option.backbone.resnet
---@field [1] "resnet"
---@field depth? integer Layers, 6n + 2 (default 8, at least 8).
---@field width? integer Channels of the first stage, doubled at each later one (default 32, at least 1).
---Stride of the 3×3 stem, 1 if left out; at 2, a 64×64 image costs as much as a 32×32 image at 1 (at least 1,
---at most 2).
---@field stem_stride? integer
---@field weights? string A safetensors file with torchvision's names to start from.
---@field weights_prefix? string Prefix of the names in that file, such as "module."; it is stripped.
---@field weights_extra? boolean Whether tensors of the file that are not the backbone's are ignored.
---How the images of a recipe are normalised; if left out, "imagenet" with weights and "dataset" without.
---@field normalise? aniso.option.backbone.normalise|string

---ResNet-18 for larger images: four stages of basic blocks.
---@class aniso.option.backbone.resnet18
---@field [1] "resnet18"
---@field width? integer Channels of the first stage, doubled at each later one (default 64, at least 1).
---@field weights? string A safetensors file with torchvision's names to start from.
---@field weights_prefix? string Prefix of the names in that file, such as "module."; it is stripped.
---@field weights_extra? boolean Whether tensors of the file that are not the backbone's are ignored.
---How the images of a recipe are normalised; if left out, "imagenet" with weights and "dataset" without.
---@field normalise? aniso.option.backbone.normalise|string

---ResNet-34 for larger images: four stages of basic blocks.
---@class aniso.option.backbone.resnet34
---@field [1] "resnet34"
---@field width? integer Channels of the first stage, doubled at each later one (default 64, at least 1).
---@field weights? string A safetensors file with torchvision's names to start from.
---@field weights_prefix? string Prefix of the names in that file, such as "module."; it is stripped.
---@field weights_extra? boolean Whether tensors of the file that are not the backbone's are ignored.
---How the images of a recipe are normalised; if left out, "imagenet" with weights and "dataset" without.
---@field normalise? aniso.option.backbone.normalise|string

---ResNet-50 for larger images: four stages of bottlenecks, whose features have 32 times the width.
---@class aniso.option.backbone.resnet50
---@field [1] "resnet50"
---@field width? integer Channels of the stem, doubled at each stage after the first (default 64, at least 1).
---@field weights? string A safetensors file with torchvision's names to start from.
---@field weights_prefix? string Prefix of the names in that file, such as "module."; it is stripped.
---@field weights_extra? boolean Whether tensors of the file that are not the backbone's are ignored.
---How the images of a recipe are normalised; if left out, "imagenet" with weights and "dataset" without.
---@field normalise? aniso.option.backbone.normalise|string

---No backbone: for data = features, whose rows replace its output. The default there.
---@class aniso.option.backbone.none
---@field [1] "none"

---The prior networks, which predict the mean m around which the label is diffused.
---@class aniso.option.prior
---Which prior; with data = features "global" if left out (default "both").
---@field mode? "both"|"global"|"local"|"uniform"|"frequency"|"zero"
---Percent of a saliency map that a global logit averages; 100 makes the global prior a linear classifier on
---globally pooled features (default 20, above 0, at most 100).
---@field top_percent? number
---@field crops? integer Most salient windows, or tokens of features, per image (default 4, at least 1).
---Side of a window in pixels; 0: a third of the image's side (default 0, at least 0).
---@field crop_size? integer
---@field local_width? integer Channels of the windows' network (default 16, at least 1).
---@field attention? integer Hidden units of the gated pooling over windows (default 32, at least 1).
---@field weight? number w of the global prior in m = w mg + (1−w) ml (default 0.5, at least 0, at most 1).
---Whether the logits are cosines of weights and features, as LDAM defines them; false if left out.
---@field cosine? boolean
---@field gradient? boolean Whether the denoiser's loss reaches the priors through m (default false).

---Noise levels over time and over classes.
---@class aniso.option.schedule
---@field [1]? "cosine"|"linear"|"scaled_linear"|"quadratic"|"sigmoid"|"constant" The base (default "cosine").
---The base again, for --set.
---@field base? "cosine"|"linear"|"scaled_linear"|"quadratic"|"sigmoid"|"constant"
---@field T? integer Diffusion steps (default 1000, at least 1).
---@field beta_start? number β at the first step; the base's own, scaled by 1000/T, if left out.
---@field beta_end? number β at the last step; the base's own, scaled by 1000/T, if left out.
---@field beta_max? number Largest β of any step (default 0.999, above 0, below 1).
---@field offset? number Of the cosine, 2102.09672 (default 0.008, at least 0, below 1).
---How λ_j enters: as the deviation of class j, as its speed, as one level per image of the class, as the lead
---in time of an image of the class, or times the uncertainty of each image's prior (default "variance").
---@field coupling? "variance"|"speed"|"sample"|"class_speed"|"image"
---c of the coupling image, λ_j(x) ∝ λ_j √(m_j (1 − m_j) + c n_j^(−½)); 1 if left out (above 0).
---@field uncertainty_floor? number
---How the class levels λ_j are chosen: a policy, or function(counts, options) that returns K levels (default
---"isotropic").
---@field lambda? aniso.option.lambda|string|function
---@field bound_constants? aniso.option.schedule.bound_constants Constants of the bound E(λ).
---@field counts? integer[] Training images n_j per class; the data set's if left out.
---@field K? integer Classes; as many as counts or levels if left out (at least 1).

---Constants of E(λ) = 1/K Σ_j [A / (λ_j^p √n_j) + Dn λ_j^q].
---@class aniso.option.schedule.bound_constants
---@field A? number Weight of the generalisation term (default 1, above 0).
---@field Dn? number Weight of the denoising term (default 1, above 0).
---@field p? number Power of λ in the generalisation term (default 1, above 0).
---@field q? number Power of λ in the denoising term (default 1, above 0).

---@alias aniso.option.denoiser
---| aniso.option.denoiser.cross_attention
---| aniso.option.denoiser.film
---| aniso.option.denoiser.none

---Label tokens that attend to image tokens (METHOD §5).
---@class aniso.option.denoiser.cross_attention
---@field [1] "cross_attention"
---@field dim? integer Width D of a token, a multiple of 4 and of heads (default 128, at least 4).
---@field blocks? integer Each: self-attention, cross-attention, MLP (default 2, at least 1, at most 16).
---@field heads? integer Heads of each attention (default 4, at least 1).
---@field mlp_ratio? number Hidden width of an MLP over D (default 2, above 0, at most 64).
---Classes with their own token; the others share one. If left out, every class has its own (at least 1).
---@field candidates? integer

---No denoiser: nothing is diffused, and the run's predictions are the prior's.
---@class aniso.option.denoiser.none
---@field [1] "none"

---CARD's and DiffMIC's denoiser: linear layers gated by time, times the image feature.
---@class aniso.option.denoiser.film
---@field [1] "film"
---@field dim? integer Width D (default 128, at least 1).
