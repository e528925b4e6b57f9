-- golden: reads a file of tests/golden and compares the engine's results with PyTorch's. The file's
-- metadata holds the table of cases, which tests/golden/recorder.py writes.

local core = require "aniso.core"
local lu = require "luaunit"

local golden = {}

local FLOOR = 1e-6   -- of the norm, per √element: the rounding of a zero in float32
local ZERO = 1e-10   -- a float64 norm of PyTorch below this is a mathematical zero

-- Returns a list of cases; each has .tensor(name), which returns "<case>/<name>", nil if absent.
function golden.load(name)
  local tensors, meta = core.safetensors.load("tests/golden/" .. name .. ".safetensors")
  assert(tensors, meta)
  local cases = core.json.decode(meta.cases)
  for _, case in ipairs(cases) do
    function case.tensor(key) return tensors[case.name .. "/" .. key] end
  end
  return cases
end

local function norm_of(list)
  local sum = 0
  for _, v in ipairs(list) do sum = sum + v * v end
  return math.sqrt(sum)
end

-- Fails unless ‖got − expected‖ ≤ tolerance·‖expected‖ + floor, and reports the worst element. Where
-- `expected` is mathematically zero (a bias before a normalisation), the floor is multiplied by `scale`,
-- the size of the terms that cancel.
function golden.assert_near(what, got, expected, tolerance, scale)
  lu.assertNotNil(got, what .. ": missing")
  lu.assertEquals(got:shape(), expected:shape(), what .. ": shape")
  local a, b, off = got:list(), expected:list(), {}
  local worst = 1
  for i = 1, #b do
    off[i] = math.abs(a[i] - b[i])
    if not (off[i] <= off[worst]) then worst = i end
  end
  local norm, difference = norm_of(b), norm_of(off)
  local floor = FLOOR * math.sqrt(#b) * (norm < ZERO and scale or 1)
  local allowed = (tolerance or 1e-4) * norm + floor
  if not (difference <= allowed) then
    lu.fail(("%s: differs by %.3g in norm, %.3g allowed; worst at %d of %d: %.9g, PyTorch %.9g")
      :format(what, difference, allowed, worst, #b, a[worst], b[worst]))
  end
end

-- The largest norm of some of the case's tensors.
function golden.largest(case, names)
  local largest = 1
  for _, name in ipairs(names) do
    largest = math.max(largest, norm_of(case.tensor(name):list()))
  end
  return largest
end

-- Fails unless two integer tensors are equal.
function golden.assert_equal(what, got, expected)
  lu.assertEquals(got:totable(), expected:totable(), what)
end

-- Loads the case's parameters and buffers into the sealed module; both must have the same names.
function golden.load_state(module, case)
  local state = {}
  for _, key in ipairs(case.params) do state[key] = case.tensor("param/" .. key) end
  for _, key in ipairs(case.buffers) do state[key] = case.tensor("buffer/" .. key) end
  local names, ours = {}, module:names()
  for key in pairs(state) do names[#names + 1] = key end
  table.sort(names)
  table.sort(ours)
  lu.assertEquals(ours, names, "names of the parameters")
  module:load(state)
end

-- One test per case: {["test <name>"] = function}.
function golden.tests(name, body)
  local tests = {}
  for _, case in ipairs(golden.load(name)) do
    tests["test " .. case.name] = function() body(case) end
  end
  return tests
end

return golden
