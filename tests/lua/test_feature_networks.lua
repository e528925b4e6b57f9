-- Priors and denoisers on tokens: the priors against a computation from their definition, and a set of tokens
-- whose order means nothing.
local lu = require "luaunit"
local core = require "aniso.core"
local networks = require "aniso.method.networks"
local worse = dofile "tests/lua/worse.lua"

local B, TOKENS, D, K = 3, 6, 5, 3

local T = {}

-- A sealed module with a prior on tokens; changes: of its options.
local function prior_of(changes)
  local module = core.module.new { seed = 3 }
  local o = { mode = "both", top_percent = 50, crops = 2, crop_size = 0, local_width = 16, attention = 4,
    weight = 0.25, gradient = false }
  for key, value in pairs(changes or {}) do o[key] = value end
  local prior = networks.build_prior(module, "prior", o,
    { K = K, features = D, channels = D, counts = { 3, 2, 1 }, tokens = true })
  module:seal()
  return prior, module
end

local function tokens(seed) return core.tensor.randn { shape = { B, 1, TOKENS, D }, seed = seed or 5 } end

local function dot(a, b)
  local sum = 0
  for i, x in ipairs(a) do sum = sum + x * b[i] end
  return sum
end

local function softmax(row)
  local most, sum, out = math.max(table.unpack(row)), 0, {}
  for i, x in ipairs(row) do out[i] = math.exp(x - most) end
  for _, x in ipairs(out) do sum = sum + x end
  for i, x in ipairs(out) do out[i] = x / sum end
  return out
end

-- Rows of a weight (out, in …) and its bias.
local function linear_of(state, name, outs)
  local weight = state[name .. ".weight"]
  return core.ops.no_grad(weight.reshape, weight, outs, -1):totable(), state[name .. ".bias"]:list()
end

local function apply(weight, bias, x)
  local out = {}
  for j, row in ipairs(weight) do out[j] = dot(row, x) + (bias and bias[j] or 0) end
  return out
end

-- g of METHOD §4 of one image: each class's mean over the `top` largest of its saliency.
local function logits_by_definition(maps, top)
  local g = {}
  for j = 1, K do
    local column = {}
    for i, map in ipairs(maps) do column[i] = map[j] end
    table.sort(column, function(a, b) return a > b end)
    local sum = 0
    for i = 1, top do sum = sum + column[i] end
    g[j] = sum / top
  end
  return g
end

local function close(got, expected)
  for j, x in ipairs(expected) do lu.assertAlmostEquals(got[j], x, 1e-5) end
end

-- The tokens of one image in the order of their weight Σ_k softmax(g)_k saliency_k.
local function by_weight(maps, g)
  local p, weight, order = softmax(g), {}, {}
  for i, map in ipairs(maps) do weight[i], order[i] = dot(p, map), i end
  table.sort(order, function(a, b) return weight[a] > weight[b] end)
  return order
end

function T.test_the_priors_follow_their_definition()
  local prior, module = prior_of()
  local state, x = module:state(), tokens()
  local out = core.ops.no_grad(prior.forward, prior, x, x)
  local saliency, saliency_bias = linear_of(state, "prior.saliency", K)
  local v, v_bias = linear_of(state, "prior.pool.v", 4)
  local u, u_bias = linear_of(state, "prior.pool.u", 4)
  local head, head_bias = linear_of(state, "prior.head", K)
  local w = state["prior.pool.w.weight"]:list()
  for b = 1, B do
    local rows, maps = x:narrow(1, b, 1):reshape(TOKENS, D):totable(), {}
    for i, row in ipairs(rows) do maps[i] = apply(saliency, saliency_bias, row) end
    local g = logits_by_definition(maps, 3)
    close(out.g:totable()[b], g)
    local order, scores, pooled = by_weight(maps, g), {}, {}
    for i = 1, 2 do
      local row, gate = rows[order[i]], {}
      lu.assertEquals(out.positions:totable()[b][i], { 0, order[i] - 1 })
      close(out.crops:totable()[b][i], row)
      local tanh, open = apply(v, v_bias, row), apply(u, u_bias, row)
      for a = 1, 4 do
        gate[a] = (1 - 2 / (math.exp(2 * tanh[a]) + 1)) / (1 + math.exp(-open[a]))
      end
      scores[i] = dot(w, gate)
    end
    local share = softmax(scores)
    for d = 1, D do pooled[d] = share[1] * rows[order[1]][d] + share[2] * rows[order[2]][d] end
    local l = apply(head, head_bias, pooled)
    close(out.l:totable()[b], l)
    local mg, ml, m = softmax(g), softmax(l), {}
    for j = 1, K do m[j] = 0.25 * mg[j] + 0.75 * ml[j] end
    close(out.m:totable()[b], m)
  end
end

function T.test_one_token_is_a_linear_classifier()
  local prior, module = prior_of { mode = "global" }
  local x = core.tensor.randn { shape = { B, 1, 1, D }, seed = 8 }
  local g = core.ops.no_grad(prior.forward, prior, x, x).g:totable()
  local weight, bias = linear_of(module:state(), "prior.saliency", K)
  for b, row in ipairs(x:reshape(B, D):totable()) do close(g[b], apply(weight, bias, row)) end
  lu.assertEquals(prior.crop_features, 0)
end

function T.test_there_are_no_more_windows_than_tokens()
  local prior = prior_of { crops = 10 }
  local x = tokens()
  local out = core.ops.no_grad(prior.forward, prior, x, x)
  lu.assertEquals(out.crops:shape(), { B, TOKENS, D })
  for _, places in ipairs(out.positions:totable()) do
    local seen = {}
    for _, place in ipairs(places) do seen[place[2]] = true end
    lu.assertEquals(#places, TOKENS)
    for t = 0, TOKENS - 1 do lu.assertTrue(seen[t]) end
  end
end

-- The output of a new denoiser whose last layer is not 0.
local function output_of(x, kind, unordered)
  local module = core.module.new { seed = 4 }
  local o = kind == "film" and { "film", dim = 8 }
    or { "cross_attention", dim = 8, blocks = 2, heads = 2, mlp_ratio = 2 }
  local denoiser = networks.build_denoiser(module, "d", o, { K = K, T = 10, features = D, crop_features = 0,
    unordered = unordered })
  module:seal()
  module:flat():copy_(core.tensor.randn { shape = { module:count() }, seed = 6 } * 0.3)
  module:train(false)
  local half = core.tensor.full({ B, K }, 1 / K)
  return core.ops.no_grad(function()
    local context <close> = denoiser:encode { features = x, mg = half, ml = half }
    return denoiser:forward(context, core.tensor.randn { shape = { B, K }, seed = 7 },
      core.tensor.full({ B }, 5, "int64")):totable()
  end)
end

-- The tokens of every image in reverse.
local function reversed(x)
  local parts = {}
  for t = TOKENS, 1, -1 do parts[#parts + 1] = x:narrow(3, t, 1) end
  return core.ops.concat(parts, 3)
end

local function distance(a, b)
  local most = 0
  for i, row in ipairs(a) do
    for j, x in ipairs(row) do most = worse(most, math.abs(x - b[i][j])) end
  end
  return most
end

function T.test_a_set_has_no_order_and_a_grid_has()
  local x = tokens()
  local function change(kind, unordered)
    return distance(output_of(x, kind, unordered), output_of(reversed(x), kind, unordered))
  end
  lu.assertTrue(change("cross_attention", true) < 1e-5)
  lu.assertTrue(change("cross_attention", false) > 1e-3)
  lu.assertTrue(change("film", true) < 1e-5)
end

return T
