-- What does a pretrained ResNet-18 reach on your own images? The classes are folders of images, and the
-- weights are a file next to this recipe; engine/model/README.md lists the downloads and their licences.
--   aniso check recipes/pretrained.lua --set data.root=FOLDER
--   aniso run recipes/pretrained.lua --set data.root=FOLDER
--   … --set backbone.weights=FILE --set backbone.1=resnet50         another network of torchvision or timm
-- The network up to layer3 is frozen for three epochs; then one more layer is trained every three epochs, the
-- last one first. The backbone has a tenth of the priors' learning rate. PRETRAINED.md shows a session.
local aniso = require "aniso"

return aniso.study {
  name = "pretrained",
  data = { "folder", root = "images", size = 224 },
  base = {
    method = "adpm",
    backbone = { "resnet18", weights = "resnet18.safetensors" },
    prior = { crops = 4, weight = 0.7 },
    denoiser = { "cross_attention", dim = 64, blocks = 2, heads = 4 },
    train = { mode = "staged", prior_epochs = 12, epochs = 6, batch = 16, lr = 1e-3, draws = 4,
      freeze = "layer3", unfreeze_every = 3, lr_scale = { backbone = 0.1, layer_decay = 0.8 },
      augment = { flip = true, shift = 16 } },
    select = { keep = "last", every = 6 },
    sampler = { "ddim", steps = 5, draws = 8 },
  },
  variants = {
    { label = "adpm" },
    { label = "ddpm", method = "ddpm" },
    { label = "softmax", method = "softmax" },
  },
  seeds = 3,
  baseline = "ddpm",
}
