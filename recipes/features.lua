-- How should the noise levels follow the class counts, on the features of a foundation model? Ten exponents
-- of λ_j ∝ n_j^(−gamma), three seeds, five folds: 150 denoisers and 15 linear classifiers.
-- engine/data/README.md has the 14 lines of Python that write features.safetensors.
--   aniso check recipes/features.lua --set data.file=FILE --set data.table=FILE
--   aniso run recipes/features.lua --set data.file=FILE --set data.table=FILE
--   … --set data.id=COLUMN --set data.label=COLUMN --set data.group=COLUMN       other column names
--   aniso curve features -x schedule.lambda.gamma -y tail
-- The MMD compares all pairs of a batch's rows: batch · draws = 256 keeps it cheap next to the networks.
local aniso = require "aniso"

return aniso.study {
  name = "features",
  data = { "features", file = "features.safetensors", table = "HAM10000_metadata.csv", id = "image_id",
    label = "dx", group = "lesion_id" },
  base = {
    schedule = { "cosine", T = 100, lambda = { "power", gamma = 0 } },
    denoiser = { "film", dim = 64 },
    train = { mode = "staged", epochs = 10, batch = 256, draws = 1, lr = 3e-3 },
    select = { every = 10 },
    sampler = { "ddim", steps = 5, draws = 8 },
  },
  vary = {
    aniso.grid { ["schedule.lambda.gamma"] = { -0.25, 0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1 } },
  },
  seeds = 3,
  folds = 5,
}
