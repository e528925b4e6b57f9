-- What resamples of a bootstrap count, and what several comparisons share of them.
local bootstrap = require "aniso.stats.bootstrap"
local core = require "aniso.core"
local lu = require "luaunit"
local paired_images = require "aniso.stats.paired_images"
local resampler = require "aniso.stats.resampler"

local Resamples = {}

-- Two units: images 1 and 3, and image 2. Columns: the support of each class, then for each prediction its
-- calls and its correct calls.
function Resamples.test_counts_of_resamples()
  local counted = core.bootstrap.counted
  local function occurrences(rows)
    local x = core.tensor.zeros(#rows, #rows[1])
    for r, row in ipairs(rows) do
      for u, times in ipairs(row) do x:set(r, u, times) end
    end
    return x
  end
  local x = occurrences { { 1, 0 }, { 0, 1 }, { 1, 1 }, { 0, 3 } }
  local true_, first, second, unit = { 0, 1, 0 }, { 0, 0, 1 }, { 0, 1, 0 }, { 1, 2, 1 }
  lu.assertEquals(counted(x, true_, { first, second }, 2, unit):totable(),
    { { 2, 0, 1, 1, 1, 0, 2, 0, 2, 0 }, { 0, 1, 1, 0, 0, 0, 0, 1, 0, 1 },
      { 2, 1, 2, 1, 1, 0, 2, 1, 2, 1 }, { 0, 3, 3, 0, 0, 0, 0, 3, 0, 3 } })
  lu.assertEquals(counted(x, {}, {}, 2, {}):totable(), { { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 } })
  local function refused(text, ...) lu.assertErrorMsgContains(text, counted, ...) end
  refused("element 2: an integer from 0 to 1 expected", x, { 0, 2, 0 }, { first }, 2, unit)
  refused("element 3: an integer from 0 to 1 expected", x, true_, { { 0, 1, -1 } }, 2, unit)
  refused("element 3: an integer from 0 to 1 expected", x, true_, { { 0, 1 } }, 2, unit)
  refused("element 2: an integer from 1 to 1 expected", occurrences { { 1 } }, true_, { first }, 2, unit)
  refused("element 1: an integer from 1 to 2 expected", x, true_, { first }, 2, { 0, 1, 1 })
  refused("lists of classes", x, true_, { 1 }, 2, unit)
  refused("K = 0", x, true_, { first }, 0, unit)
  refused("(R, units) expected", core.tensor.zeros(3), true_, { first }, 2, unit)
end

-- Against a loop over images, with more resamples and units than a block has, in several parts.
function Resamples.test_counts_of_many_resamples()
  local N, K, R, units = 150, 4, 131, 61
  local function list(factor, n)
    local out = {}
    for i = 1, N do out[i] = (i * factor + i // 7) % n end
    return out
  end
  local true_, preds, unit = list(3, K), { list(5, K), list(11, K) }, list(13, units)
  for i, u in ipairs(unit) do unit[i] = u + 1 end
  local x = core.rng.resamples(1, "bootstrap", 1, R, units)
  local drawn, got = x:totable(), core.bootstrap.counted(x, true_, preds, K, unit):totable()
  for r = 1, R do
    local row = {}
    for w = 1, 5 * K do row[w] = 0 end
    for i, class in ipairs(true_) do
      local times = drawn[r][unit[i]]
      row[class + 1] = row[class + 1] + times
      for p, pred in ipairs(preds) do
        local calls = K * (2 * p - 1) + pred[i] + 1
        row[calls] = row[calls] + times
        if pred[i] == class then row[K + calls] = row[K + calls] + times end
      end
    end
    lu.assertEquals(got[r], row)
  end
end

-- Members that are resampled in one pass have the samples that each has alone.
function Resamples.test_members_in_one_pass()
  local true_, groups = {}, { "many", "medium", "few" }
  local function member(seed)
    local one = { true_idx = true_, pred_idx = {}, tilted = {} }
    for i = 1, 60 do
      one.pred_idx[i], one.tilted[i] = (i * 5 + i // seed) % 3, (i * seed) % 4 == 0 and i % 3 or 2
    end
    return one
  end
  for i = 1, 60 do true_[i] = i % 3 end
  local of, list = {}, {}
  for seed = 1, 4 do
    list[seed] = { seed = (seed + 1) // 2, run = {} }
    of[list[seed]] = member(seed + 2)
  end
  local pairs_of = { { list[1], list[2] }, { list[3], list[4] } }
  local first, second = { label = "a", run = {}, members = {} }, { label = "b", run = {}, members = {} }
  local got = paired_images.test(first, second, pairs_of, function(one) return of[one] end, groups,
    { draws = 70, metrics = { "acc", "tail@head=0.9" } })
  for k, one in ipairs(list) do
    local how = { draws = 70, shot = groups, metrics = { "acc" } }
    local alone = bootstrap.samples(true_, { of[one].pred_idx }, 3, how)[1]
    lu.assertEquals(of[one].samples["pred_idx acc"], alone, k)
    how.metrics = { "few" }
    lu.assertEquals(of[one].samples["tilted few"], bootstrap.samples(true_, { of[one].tilted }, 3, how)[1], k)
  end
  lu.assertNotNil(got.intervals.acc)
  lu.assertNotNil(got.intervals["tail@head=0.9"])
end

-- What is drawn does not depend on who shares it, and equal requests are drawn once.
function Resamples.test_resamplers()
  local draw = resampler.new()
  local one = draw(7, 1, 20, 30)
  lu.assertIs(draw(7, 1, 20, 30), one)
  lu.assertEquals(one:totable(), core.rng.resamples(7, "bootstrap", 1, 20, 30):totable())
  lu.assertEquals(resampler.latest(7, 1, 20, 30):totable(), one:totable())
  lu.assertNotEquals(draw(7, 21, 20, 30):totable(), one:totable())
  lu.assertEquals(one:sum(2):totable(), core.tensor.full({ 20 }, 30):totable())
  local true_, pred = { 0, 1, 1, 0 }, { 0, 1, 0, 0 }
  local shared = { draws = 40, resampler = draw }
  lu.assertEquals(bootstrap.samples(true_, { pred }, 2, shared),
    bootstrap.samples(true_, { pred }, 2, { draws = 40 }))
end

return { TestResamples = Resamples }
