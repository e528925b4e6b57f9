-- What changes a classifier after its training: each formula against one written out, and τ chosen on
-- validation alone. The training of cRT and LWS is in test_classifier_stage.lua.
local lu = require "luaunit"
local core = require "aniso.core"
local aniso = require "aniso"
local config = require "aniso.method.config"
local metric = require "aniso.stats.metric"
local post_hoc = require "aniso.method.post_hoc"
local score = require "aniso.store.score"
local fixture = dofile "tests/lua/store_fixture.lua"
local plain = dofile "tests/lua/plain_fixture.lua"

local T = {}

local function complete(choice, changes)
  local all = plain.softmax(changes)
  all.post_hoc = choice
  return plain.jobs_of(nil, { all })[1].config
end

local function session_of(choice, changes)
  local session = aniso.trainer.prepare { config = complete(choice, changes), seed = 1 }
  session.model:train(false)
  return session
end

-- Probabilities of six images by post_hoc, and the features and weights behind them as plain lists.
local function example(choice, tau, changes)
  local session = session_of(choice, changes)
  local model = session.model
  return core.ops.no_grad(function()
    local features, prior = model:encode((session.dataset:batch("test", 0, 6)))
    local rows = post_hoc.scores(session.config.post_hoc, model, features, prior):totable()
    local pooled = features:reshape(6, features:size(2) * features:size(3), features:size(4)):mean(2)
    local weight = model.net:get "prior.saliency.weight"
    return { model = model,
      probabilities = post_hoc.probabilities(session.config.post_hoc, model, rows, tau),
      m = prior.m:totable(), pooled = pooled:totable(), counts = session.dataset.counts,
      weight = weight:reshape(weight:size(1), weight:numel() // weight:size(1)):totable(),
      bias = model.net:get "prior.saliency.bias":list() }
  end)
end

local function softmax(z)
  local top, sum, out = math.max(table.unpack(z)), 0, {}
  for j, v in ipairs(z) do out[j] = math.exp(v - top) end
  for _, v in ipairs(out) do sum = sum + v end
  for j, v in ipairs(out) do out[j] = v / sum end
  return out
end

local function same_rows(actual, expected, tolerance)
  lu.assertEquals(#actual, #expected)
  for i, row in ipairs(expected) do
    for j, v in ipairs(row) do lu.assertAlmostEquals(actual[i][j], v, tolerance) end
  end
end

function T.test_logit_adjustment()
  for _, mode in ipairs { "global", "both" } do
    local one = example("logit_adjustment", 0.8, { ["prior.mode"] = mode })
    local expected = {}
    for i, row in ipairs(one.m) do
      local z = {}
      for j, p in ipairs(row) do z[j] = math.log(p) - 0.8 * math.log(one.counts[j]) end
      expected[i] = softmax(z)
    end
    same_rows(one.probabilities, expected, 1e-5)
    same_rows(example("logit_adjustment", 0, { ["prior.mode"] = mode }).probabilities, one.m, 1e-6)
  end
end

-- 1910.09217: w_j·f / ‖w_j‖^τ, without the bias.
function T.test_tau_norm()
  for _, tau in ipairs { 0, 0.7, 1 } do
    local one, expected = example("tau_norm", tau), {}
    for i, f in ipairs(one.pooled) do
      local z = {}
      for j, w in ipairs(one.weight) do
        local dot, square = 0, 0
        for c, v in ipairs(w) do dot, square = dot + v * f[c], square + v * v end
        z[j] = dot / math.sqrt(square) ^ tau
      end
      expected[i] = softmax(z)
    end
    same_rows(one.probabilities, expected, 1e-5)
  end
end

-- A new LWS changes nothing; with factors s it is s_j (w_j·f + b_j).
function T.test_lws_scales_the_logits()
  local one = example("lws")
  same_rows(one.probabilities, one.m, 1e-6)
  local session = session_of "lws"
  local model, factors = session.model, { 1, 2, 0.5, 1, 1.5, 3, 0.1 }
  model.classifier.module:get "classifier.scale":copy_(core.tensor.from(factors))
  core.ops.no_grad(function()
    local features, prior = model:encode((session.dataset:batch("test", 0, 6)))
    local logits, expected = model.classifier.logits(features, prior):totable(), {}
    for i, f in ipairs(one.pooled) do
      expected[i] = {}
      for j, w in ipairs(one.weight) do
        local dot = one.bias[j]
        for c, v in ipairs(w) do dot = dot + v * f[c] end
        expected[i][j] = factors[j] * dot
      end
    end
    same_rows(logits, expected, 1e-4)
  end)
end

function T.test_crt_is_a_new_linear_classifier_on_the_features()
  local one = example "crt"
  local state, expected = one.model.classifier.module:state(), {}
  local K, C = one.model.K, one.model.backbone.features
  local weight, bias = {}, state["classifier.bias"]:list()
  for i, v in ipairs(state["classifier.weight"]:list()) do
    local j = (i - 1) // C + 1
    weight[j] = weight[j] or {}
    table.insert(weight[j], v)
  end
  lu.assertEquals(#weight, K)
  lu.assertNotEquals(weight, one.weight)
  for i, f in ipairs(one.pooled) do
    local z = {}
    for j, w in ipairs(weight) do
      z[j] = bias[j]
      for c, v in ipairs(w) do z[j] = z[j] + v * f[c] end
    end
    expected[i] = softmax(z)
  end
  same_rows(one.probabilities, expected, 1e-5)
end

-- ── τ ───────────────────────────────────────────────────────────────────────────────────
function T.test_best_tau_is_the_best_of_the_grid_and_the_smallest_of_equal_ones()
  lu.assertEquals({ #post_hoc.grid, post_hoc.grid[1], post_hoc.grid[41] }, { 41, 0, 2 })
  lu.assertEquals(post_hoc.best_tau(function(t) return -(t - 0.62) ^ 2 end, true), 0.6)
  lu.assertEquals(post_hoc.best_tau(function(t) return (t - 0.62) ^ 2 end, false), 0.6)
  lu.assertEquals(post_hoc.best_tau(function() return 0.5 end, true), 0)
  lu.assertEquals(post_hoc.best_tau(function(t) return t > 0.31 and t or nil end, false), 0.35)
  lu.assertNil(post_hoc.best_tau(function() return 0 / 0 end, true))
end

-- The stored probabilities of both parts follow from the plain ones by one τ; no other τ of the grid is
-- better on validation.
function T.test_tau_is_chosen_on_validation_and_stored_with_both_evaluations()
  local db <close> = plain.new_db(fixture.folder(), "a")
  local uid = plain.run(db, { post_hoc = "logit_adjustment" }).uid
  local rows = assert(db:query([[
    SELECT e.eval_id, e.part, e.sampler, e.is_primary, e.selected_by, x.value AS tau FROM evaluation e
      JOIN run USING(run_id)
      LEFT JOIN (result x JOIN metric m ON m.metric_id = x.metric_id AND m.name = 'tau')
        ON x.eval_id = e.eval_id
     WHERE uid = ?1 ORDER BY part, sampler]], uid))
  local by = {}
  for i, row in ipairs(rows) do by[i] = ("%s %s %d"):format(row.part, row.sampler, row.is_primary) end
  lu.assertEquals(by, { "test logit_adjustment 1", "test prior 0", "val logit_adjustment 1", "val prior 0" })
  lu.assertEquals({ rows[1].tau, rows[2].tau }, { rows[3].tau, nil })
  lu.assertEquals(rows[1].selected_by, ("val macro_f1 of prior; tau %g by val macro_f1"):format(rows[1].tau))
  lu.assertEquals(rows[2].selected_by, "val macro_f1 of prior")

  local session = session_of "logit_adjustment"
  local function adjusted(evaluation, tau)
    local plainly = assert(db:predictions(evaluation))
    local out = {}
    for i, row in ipairs(plainly.probs) do
      local z = {}
      for j, p in ipairs(row) do z[j] = math.log(p) - tau * math.log(session.dataset.counts[j]) end
      out[i] = softmax(z)
    end
    return out, plainly.true_idx
  end
  same_rows(db:predictions(rows[1].eval_id).probs, (adjusted(rows[2].eval_id, rows[1].tau)), 1e-5)
  local function value(tau)
    local probs, labels = adjusted(rows[4].eval_id, tau)
    return metric.evaluate { ["true"] = labels, probs = probs, K = session.dataset.K,
      counts = session.dataset.counts, shot = session.dataset.split.shot }.macro_f1
  end
  local chosen = value(rows[1].tau)
  for _, tau in ipairs(post_hoc.grid) do lu.assertTrue(value(tau) <= chosen + 1e-12, tau) end
end

function T.test_a_given_tau_is_used_and_shown()
  local db <close> = plain.new_db(fixture.folder(), "a")
  plain.run(db, { post_hoc = { "tau_norm", tau = 1 } })
  lu.assertEquals(fixture.one(db, "SELECT DISTINCT selected_by FROM evaluation WHERE is_primary = 1"),
    "val macro_f1 of prior; tau 1 as given")
  local list = assert(db:scores { prior = true })
  lu.assertEquals({ list[1].by, list[1].metrics.tau }, { "tau_norm", 1 })
  lu.assertEquals({ list[2].by, list[2].prior }, { "prior", true })
end

function T.test_every_kind_has_a_column_value_of_its_own()
  local db <close> = plain.new_db(fixture.folder(), "a")
  for kind in pairs(post_hoc.kinds) do
    local trains = kind == "crt" or kind == "lws"
    local result = plain.run(db, { post_hoc = trains and { kind, epochs = 1 } or kind })
    for _, one in ipairs(assert(score.scores(db))) do
      if one.run_id == db:find(result.uid).run_id then lu.assertEquals(one.by, kind) end
    end
  end
  lu.assertNil(config.complete {}.post_hoc)
end

return T
