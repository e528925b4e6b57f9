-- How much should the noise levels follow the class counts? Ten exponents of λ_j ∝ n_j^(−gamma)
-- on one frozen backbone and prior per seed: the first stage is trained once, and the ten
-- denoisers train on its features in lock-step.
--   aniso run recipes/lambda_sweep.lua                      on the built-in synthetic lesions
--   … --set data='{"ham10000", root="DIR", size=32}'                         your images
--   … --set vary.schedule.lambda.gamma='{0, 0.5, 1}'                         other exponents
--   … --set vary.schedule.lambda='{"isotropic", "bound", "effective"}'       policies instead
-- Afterwards:
--   aniso table lambda_sweep                                the points, mean ± sd over seeds
--   aniso curve lambda_sweep -x schedule.lambda.gamma       macro-F1 against gamma, drawn
-- gamma = 0 is the isotropic process; below 0 the frequent classes receive the larger levels.
local aniso = require "aniso"

return aniso.study {
  name = "lambda_sweep",
  data = { "lesions", n = 1400, size = 32 },
  base = {
    backbone = { "resnet", depth = 8, width = 16 },
    prior = { mode = "both", crops = 4 },
    schedule = { "cosine", T = 1000, coupling = "variance", lambda = { "power", gamma = 0 } },
    denoiser = { "cross_attention", dim = 64, blocks = 2, heads = 4 },
    loss = { mmd = 0.5 },
    train = { mode = "staged", epochs = 10, batch = 64, draws = 4, lr = 3e-3 },
    select = { keep = "last", every = 5 },
    sampler = { "ddim", steps = 5, draws = 16 },
  },
  vary = {
    aniso.grid { ["schedule.lambda.gamma"] = { -0.5, -0.25, -0.1, 0, 0.1, 0.25, 0.35, 0.5, 0.75, 1 } },
  },
  seeds = 2,
}
