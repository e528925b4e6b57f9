-- train.sliced: sums over a batch by slices (engine/base/ranks/cut.h), and what several ranks refuse.
local core = require "aniso.core"
local lu = require "luaunit"
local config = require "aniso.method.config"
local worse = dofile "tests/lua/worse.lua"

local T = {}

local function gradient(sliced, recomputed)
  local m = core.module.new { seed = 1 }
  local net = core.resnet.new(m, "net", { depth = 8, width = 4 })
  m:seal():slice(sliced)
  local images = core.tensor.randn { shape = { 12, 8, 8, 3 }, seed = 2, stream = "images" }
  net:recompute(recomputed or 0)
  net:forward(images):mean():backward()
  local _, g = m:flat()
  return g:list(), m:flat_buffers():list()
end

local function largest_difference(a, b)
  local most = 0
  for i, x in ipairs(a) do most = worse(most, math.abs(x - b[i])) end
  return most
end

function T.test_the_gradient_is_the_plain_one_up_to_rounding()
  local plain, moments = gradient(false)
  local sliced, sliced_moments = gradient(true)
  lu.assertTrue(largest_difference(plain, sliced) < 1e-4)
  lu.assertTrue(largest_difference(moments, sliced_moments) < 1e-6)
end

function T.test_the_bits_do_not_depend_on_threads()
  local before = core.sys.threads()
  core.sys.threads(1)
  local one = gradient(true)
  core.sys.threads(3)
  local three = gradient(true)
  core.sys.threads(before)
  lu.assertEquals(one, three)
end

function T.test_recomputation_has_the_same_bits()
  local kept, moments = gradient(true)
  local recomputed, its_moments = gradient(true, 3)
  lu.assertEquals(recomputed, kept)
  lu.assertEquals(its_moments, moments)
end

function T.test_it_is_absent_unless_given()
  lu.assertNil(config.complete({}).train.sliced)
  lu.assertTrue(config.complete({ train = { sliced = true } }).train.sliced)
end

function T.test_one_process_is_one_rank()
  lu.assertEquals((core.sys.ranks()), 1)
end

return T
