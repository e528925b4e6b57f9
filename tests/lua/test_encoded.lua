-- Predictions of a part: the same bits whether the images are encoded by every pass, once for several
-- samplers, or in pieces; and the passes of the denoiser that each sampler takes, counted.
local lu = require "luaunit"
local core = require "aniso.core"
local encoded = require "aniso.method.encoded"
local predict = require "aniso.method.predict"
local sampler = require "aniso.method.sampler"
local config = require "aniso.method.config"
local Session = require "aniso.train.session"
local fixture = dofile "tests/lua/lockstep_fixture.lua"

local T = {}

-- Networks allocate at their first pass: it comes before the tests.
local session = Session.new { config = fixture.complete {}, seed = 3 }
local model, dataset = session.model, session.dataset

local function how_of(changes)
  local how = { "ddim", steps = 3, draws = 4, seed = 1 }
  for key, value in pairs(changes or {}) do how[key] = value end
  return config.complete { sampler = how }.sampler
end

predict.predict(model, dataset, "test", how_of())

-- A copy of the model that counts what its networks do.
local function counted()
  local counts = { encoded = 0, passes = 0 }
  local denoiser = { encode = function(_, of) return model.denoiser:encode(of) end,
    forward = function(_, context, y, t, how)
      counts.passes = counts.passes + y:size(1)
      return model.denoiser:forward(context, y, t, how)
    end }
  local copy = setmetatable({ denoiser = denoiser, encode = function(_, images)
    counts.encoded = counts.encoded + images:size(1)
    return model:encode(images)
  end }, { __index = model })
  return copy, counts
end

local function same(got, expected)
  lu.assertEquals(got.chain, expected.chain)
  lu.assertEquals(got.prior, expected.prior)
  lu.assertEquals(got.width, expected.width)
  lu.assertEquals(got.agreement, expected.agreement)
end

function T.test_the_passes_of_each_sampler()
  local n = dataset:n "test"
  local function own_step(_, y) return y end
  local kinds = sampler.names()
  kinds[#kinds + 1] = own_step
  for _, kind in ipairs(kinds) do
    for _, size in ipairs { { 1, 1 }, { 5, 3 } } do
      local how = how_of { kind, steps = size[1], draws = size[2] }
      local copy, counts = counted()
      predict.predict(copy, dataset, "test", how)
      lu.assertEquals(counts.passes, n * sampler.passes(how), tostring(kind))
      lu.assertEquals(counts.encoded, n)
    end
  end
end

function T.test_several_samplers_encode_every_image_once()
  local cache, hows = {}, { how_of(), how_of { "dpmpp", steps = 4 }, how_of { draws = 1 } }
  local copy, counts = counted()
  for _, how in ipairs(hows) do
    same(predict.predict(copy, dataset, "test", how, { cache = cache, batch = 7 }),
      predict.predict(model, dataset, "test", how))
  end
  lu.assertEquals(counts.encoded, dataset:n "test")
  predict.predict(copy, dataset, "val", hows[1], { cache = cache, batch = 7 })
  lu.assertEquals(counts.encoded, dataset:n "test" + dataset:n "val")
end

function T.test_a_part_that_is_too_large_is_not_kept()
  local before, cache = encoded.max_bytes, {}
  encoded.max_bytes = 1000
  local copy, counts = counted()
  local first = predict.predict(copy, dataset, "test", how_of(), { cache = cache, batch = 7 })
  local second = predict.predict(copy, dataset, "test", how_of(), { cache = cache, batch = 7 })
  encoded.max_bytes = before
  same(first, predict.predict(model, dataset, "test", how_of()))
  same(second, first)
  lu.assertEquals(counts.encoded, 2 * dataset:n "test")
  lu.assertEquals(cache, { test = false })
end

-- Chains of few images at once: what bounds the memory of many draws changes no bit.
function T.test_chains_in_pieces()
  local before = predict.most_rows
  local how = how_of { draws = 5 }
  local whole = predict.predict(model, dataset, "test", how, { keep = true })
  for _, rows in ipairs { 1, 12 } do
    local copy, counts = counted()
    local most = 0
    local forward = copy.denoiser.forward
    function copy.denoiser:forward(context, y, ...)
      most = math.max(most, y:size(1))
      return forward(self, context, y, ...)
    end
    predict.most_rows = rows
    local pieces = predict.predict(copy, dataset, "test", how, { keep = true })
    predict.most_rows = before
    same(pieces, whole)
    same(predict.read_again(pieces, model, how), whole)
    lu.assertEquals(most, 5 * math.max(1, rows // 5))
    lu.assertEquals(counts.passes, dataset:n "test" * sampler.passes(how))
  end
end

-- Images at once, by their size: as many as ever up to 64×64, and fewer where each needs more memory.
function T.test_large_images_are_encoded_in_smaller_batches()
  lu.assertEquals(encoded.images_at_once(32, 32), 256)
  lu.assertEquals(encoded.images_at_once(64, 64), 256)
  lu.assertEquals(encoded.images_at_once(224, 224), 20)
  lu.assertEquals(encoded.images_at_once(1024, 1024), 1)
  local seen, large = {}, setmetatable({}, { __index = function(_, key)
    if key == "height" or key == "width" then return 1024 end
    local value = dataset[key]
    return type(value) == "function" and function(_, ...) return value(dataset, ...) end or value
  end })
  local copy = counted()
  function copy:encode(images)
    seen[#seen + 1] = images:size(1)
    return model:encode(images)
  end
  predict.predict(copy, large, "test", how_of())
  lu.assertEquals(#seen, dataset:n "test")
  lu.assertEquals(math.max(table.unpack(seen)), 1)
end

-- Neither the steps of the schedule nor the draws add memory to the chains of a part.
function T.test_memory_does_not_grow_with_draws_or_steps()
  local before = predict.most_rows
  predict.most_rows = 64
  local function peak(changes)
    collectgarbage()
    core.sys.tensor_peak()
    predict.predict(model, dataset, "test", how_of(changes), { beat = collectgarbage })
    return core.sys.tensor_peak()
  end
  local few, draws, steps = peak { draws = 8 }, peak { draws = 64 }, peak { draws = 8, steps = 24 }
  predict.most_rows = before
  lu.assertTrue(draws <= 1.05 * few, ("%d and %d bytes"):format(few, draws))
  lu.assertTrue(steps <= 1.05 * few, ("%d and %d bytes"):format(few, steps))
end

function T.test_time_is_measured_and_can_be_interrupted()
  local beats = 0
  local out = predict.predict(model, dataset, "test", how_of(), { beat = function() beats = beats + 1 end })
  lu.assertTrue(out.encoding_s > 0 and out.seconds > 0)
  lu.assertEquals(beats, 3)
  lu.assertErrorMsgEquals("stop", predict.predict, model, dataset, "test", how_of(),
    { beat = function() error("stop", 0) end })
  lu.assertTrue(core.ops.tape_length() >= 0)
end

return { Encoded = T }
