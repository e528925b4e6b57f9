-- A model's computation as a list of PyTorch function calls, so that a program without its networks can
-- run it (tests/golden/predict_model.py). A step is [name, function, argument…]: an argument is a number, a
-- list, null, or the name of a tensor in the file or of an earlier step.
--   { missing = names of options, first = steps for images (B, H, W, 3), times = S, each = steps taken
--     S times, with i from 0, last = steps that give p, the probabilities (B, K) }
-- A model with options that no step computes has only `missing`.
local core = require "aniso.core"
local encoder = require "aniso.inference.torch_encoder"

local torch_steps = {}

local PERIOD = 10000.0 -- for the embeddings of times and positions

-- ── what is not computed ────────────────────────────────────────────────────────────────
local MODES = { both = true, global = true, ["local"] = true }
local COUPLINGS = { variance = true, speed = true }
local PREDICTIONS = { y0 = true, class = true }

-- Names of the options that no step computes. grid: shape of the backbone's output.
local function missing(of, grid)
  local c, out = of.config, {}
  local how, chain = c.sampler, c.denoiser[1] ~= "none"
  local function add(given, name)
    if given then out[#out + 1] = name end
  end
  add(c.backbone[1] == "none", "data = features")
  add(c.prior.cosine, "prior.cosine")
  add(not MODES[c.prior.mode], "prior.mode")
  add(c.prior.mode ~= "global" and (of.input.height % grid[2] ~= 0 or of.input.width % grid[3] ~= 0),
    "a size of images that the map's does not divide")
  add(c.post_hoc, "post_hoc")
  add(c.denoiser.candidates, "denoiser.candidates")
  add(chain and not COUPLINGS[c.schedule.coupling], "schedule.coupling")
  add(chain and not PREDICTIONS[c.train.prediction], "train.prediction")
  add(chain and (how[1] ~= "ddim" or how.eta ~= 0), "sampler")
  add(how.tilt and how.tilt[1] ~= "none", "sampler.tilt")
  return out
end

-- ── denoisers: `each` gives `out` of y, for the step i ──────────────────────────────────
-- Shift and scale of a normalised x; `own`: (1, n·D), which holds them at places from 0.
local function modulated(s, x, own, shift, D)
  local plain = s:call("layer_norm", x, { D })
  local scale = s:call("add", s:call("narrow", own, 1, (shift + 1) * D, D), 1)
  return s:call("add", s:call("mul", plain, scale), s:call("narrow", own, 1, shift * D, D))
end

-- x + (1 + gate)·y, with the gate at its place in `own`.
local function gated(s, x, y, own, place, D)
  return s:call("add", x, s:call("mul", y, s:call("add", s:call("narrow", own, 1, place * D, D), 1)))
end

local function attention(s, prefix, x, tokens, heads, D)
  local parts = {}
  for i, name in ipairs { "q", "k", "v" } do
    local given = s:linear(i == 1 and x or tokens, prefix .. "." .. name)
    local rows = s:call("unflatten", given, 2, { heads, D // heads })
    parts[i] = s:call("permute", rows, { 0, 2, 1, 3 })
  end
  local y = s:call("scaled_dot_product_attention", table.unpack(parts))
  return s:linear(s:call("flatten", s:call("permute", y, { 0, 2, 1, 3 }), 2), prefix .. ".out")
end

-- The position vectors of a grid (engine/model/position.h), (h·w,D).
local function positions(h, w, D)
  local out, quarter = {}, D // 4
  for cell = 0, h * w - 1 do
    local v = {}
    for i = 0, quarter - 1 do
      local f = PERIOD ^ (-i / quarter)
      local y, x = cell // w * f, cell % w * f
      v[i + 1], v[quarter + i + 1] = math.sin(y), math.cos(y)
      v[2 * quarter + i + 1], v[3 * quarter + i + 1] = math.sin(x), math.cos(x)
    end
    out[cell + 1] = v
  end
  return core.tensor.from(out)
end

local DEN = "den.denoiser"
local denoisers = {}

function denoisers.cross_attention(first, each, of, constants, grid)
  local o, R = of.config.denoiser, of.config.sampler.draws
  local D = o.dim
  local cells = first:call("permute", first:call("flatten", "features", 2), { 0, 2, 1 })
  local tokens = first:call("add", first:linear(cells, DEN .. ".features"), "chain.position")
  if of.config.prior.mode ~= "global" then
    local crops = first:call("add", first:linear("crops", DEN .. ".crops"), DEN .. ".crop_type")
    tokens = first:call("cat", { tokens, crops }, 1)
  end
  tokens = first:call("layer_norm", tokens, { D }, DEN .. ".token_norm.weight", DEN .. ".token_norm.bias")
  tokens = first:define("tokens", "repeat_interleave", tokens, R, 0)
  constants["chain.position"] = positions(grid[2], grid[3], D)
  constants["chain.embedding"] = core.ops.timestep_embedding(constants["chain.times"], D, PERIOD)

  local time = each:call("narrow", "chain.embedding", 0, "i", 1)
  time = each:linear(each:call("silu", each:linear(time, DEN .. ".time.0")), DEN .. ".time.2")
  local c = each:call("silu", time)
  local x = each:linear(each:call("stack", { "y", "mg", "ml" }, 2), DEN .. ".token")
  x = each:call("add", x, DEN .. ".class.weight")
  for i = 0, o.blocks - 1 do
    local prefix = ("%s.blocks.%d"):format(DEN, i)
    local own = each:linear(c, prefix .. ".modulation")
    local inner = modulated(each, x, own, 0, D)
    x = gated(each, x, attention(each, prefix .. ".self", inner, inner, o.heads, D), own, 2, D)
    inner = modulated(each, x, own, 3, D)
    x = gated(each, x, attention(each, prefix .. ".cross", inner, tokens, o.heads, D), own, 5, D)
    inner = each:call("gelu", each:linear(modulated(each, x, own, 6, D), prefix .. ".mlp.0"))
    x = gated(each, x, each:linear(inner, prefix .. ".mlp.2"), own, 8, D)
  end
  x = modulated(each, x, each:linear(c, DEN .. ".out_modulation"), 0, D)
  return each:call("squeeze", each:linear(x, DEN .. ".out"), 2)
end

function denoisers.film(first, each, of, constants)
  local u = first:linear(first:call("mean", "features", { 2, 3 }), DEN .. ".feature")
  u = first:call("repeat_interleave", first:batch_norm(u, DEN .. ".feature_norm"), of.config.sampler.draws, 0)
  local h = each:call("cat", { "y", "mg", "ml" }, 1)
  for i = 1, 3 do
    local gate = ("chain.gate%d"):format(i) -- only the rows of the chain's times
    constants[gate] = core.ops.embedding(each.tensors[("%s.lin%d.embed.weight"):format(DEN, i)],
      constants["chain.times"])
    h = each:linear(h, ("%s.lin%d.lin"):format(DEN, i))
    h = each:call("mul", h, each:call("narrow", gate, 0, "i", 1))
    h = each:call("softplus", each:batch_norm(h, ("%s.norm%d"):format(DEN, i)))
    if i == 1 then h = each:call("mul", u, h) end
  end
  return each:linear(h, DEN .. ".out")
end

-- ── chains ──────────────────────────────────────────────────────────────────────────────
-- Row i of a table of the chain (row i + 1, if the table is given without its first row).
local function row(s, name) return s:call("narrow", name, 0, "i", 1) end

local function chain(first, each, last, of, constants, grid)
  local c, how = of.config, of.config.sampler
  for _, name in ipairs { "m", "mg", "ml" } do
    first:define(name, "repeat_interleave", name, how.draws, 0)
  end
  local start = first:call("flatten", first:call("mul", first:call("ones_like",
    first:call("unflatten", "m", 0, { -1, how.draws })), "chain.start"), 0, 1)
  first:define("y", "add", "m", first:call("mul", start, first:call("narrow", "chain.noise", 0, 0, 1)))

  local out = denoisers[c.denoiser[1]](first, each, of, constants, grid)
  if c.train.prediction == "class" then out = each:call("softmax", out, 1) end
  if how.clip ~= 0 then out = each:call("clamp", out, -how.clip, 1 + how.clip) end
  local z, times = each:call("sub", out, "m"), #constants["chain.times"]:list()
  for _, name in ipairs { "signal", "noise" } do
    each:define(name, "narrow", "chain." .. name, 0, 1, times - 1)
  end
  local noise = each:call("div", each:call("sub", each:call("sub", "y", "m"),
    each:call("mul", z, row(each, "chain.signal"))), row(each, "chain.noise"))
  each:define("y", "add", each:call("add", "m", each:call("mul", z, row(each, "signal"))),
    each:call("mul", noise, row(each, "noise")))

  local q
  if how.probabilities == "plain" then
    q = last:call("clamp", "y", 0)
    q = last:call("div", q, last:call("sum", q, 1, true))
  else
    q = last:call("square", last:call("sub", "y", 1))
    q = last:call("softmax", last:call("div", q, -how.temperature), 1)
  end
  last:define("p", "mean", last:call("unflatten", q, 0, { -1, how.draws }), 1)
  return times - 1
end

-- of: a description; tensors: the model's weights; constants: the tables of the chain (chain_tables.of), to
-- which those of the steps are added. → what a file records, see above
function torch_steps.of(of, model, tensors, constants)
  local input = of.input
  local grid = core.ops.no_grad(function()
    local image = core.tensor.zeros { 1, input.height, input.width, input.channels or 3 }
    return model.backbone:forward(image):shape()
  end)
  local without = missing(of, grid)
  if #without > 0 then return { missing = without } end
  local made = { count = 0 }
  local function list() return encoder.list(tensors, made) end
  local first, each, last, times = list(), list(), list(), 0
  encoder.add(first, of, grid)
  if model.denoiser then
    times = chain(first, each, last, of, constants, grid)
  else
    last:define("p", "clone", "m")
  end
  return { missing = {}, first = first.list, times = times, each = each.list, last = last.list }
end

return torch_steps
