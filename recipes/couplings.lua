-- Does a noise level per class help the tail, and in which coupling? λ_j ∝ n_j^(−γ) for four γ, each of the
-- four couplings and two budgets (mean λ = 1, or the most frequent class at 1), against the isotropic
-- process. HAM10000 at 32×32, five folds that keep a lesion's images together, three seeds.
--   aniso run recipes/couplings.lua --set data.root=DIR
-- All points of a fold and seed share backbone and priors and train in lock-step. Afterwards:
--   aniso table couplings --cols acc,bacc,macro_f1,tail --delta macro_f1,tail
--   aniso table couplings --cols tail@head=0.90 --delta tail@head=0.90       at equal recall of the head
local aniso = require "aniso"

local variants = { { label = "ddpm" } }
for _, coupling in ipairs { "variance", "speed", "sample", "class_speed" } do
  for _, budget in ipairs { "mean", "head" } do
    for _, gamma in ipairs { -0.5, 0.25, 0.5, 1 } do
      table.insert(variants, { label = ("%s %s %g"):format(coupling, budget, gamma),
        ["schedule.coupling"] = coupling,
        ["schedule.lambda"] = { "power", gamma = gamma, normalise = budget } })
    end
  end
end

return aniso.study {
  name = "couplings",
  data = { "ham10000", size = 32 },
  base = {
    method = "ddpm",
    backbone = { "resnet", depth = 8, width = 16 },
    prior = { crops = 4, weight = 0.7 },
    denoiser = { dim = 64, blocks = 2, heads = 4 },
    train = { mode = "staged", prior_epochs = 30, epochs = 4, batch = 128, draws = 4, lr = 2e-3,
      augment = { flip = true, shift = 4 } },
    select = { keep = "last", every = 10 },
    sampler = { "ddim", steps = 5, draws = 16 },
  },
  variants = variants,
  folds = 5,
  seeds = 3,
  baseline = "ddpm",
}
