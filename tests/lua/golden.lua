-- golden: reads a file of tests/golden and compares ours with PyTorch's. The table of cases
-- lies in the file's metadata (tests/golden/recorder.py wrote it): nothing is written twice.

local core = require "aniso.core"
local lu = require "luaunit"

local golden = {}

local FLOOR = 1e-6   -- of the norm, per √element: what float32 leaves of a zero

-- → list of cases; each has .tensor(name), which reads "<case>/<name>", nil if absent.
function golden.load(name)
  local tensors, meta = core.safetensors.read("tests/golden/" .. name .. ".safetensors")
  assert(tensors, meta)
  local cases = core.json.decode(meta.cases)
  for _, case in ipairs(cases) do
    function case.tensor(key) return tensors[case.name .. "/" .. key] end
  end
  return cases
end

local function values(x)
  return type(x) == "table" and x or x:list()
end

-- Fails unless ‖got − want‖ ≤ tolerance·‖want‖ + floor, and shows the worst element.
function golden.near(what, got, want, tolerance)
  lu.assertNotNil(got, what .. ": ours is missing")
  lu.assertEquals(got:shape(), want:shape(), what .. ": shape")
  local a, b = values(got), values(want)
  local difference, norm, worst, at = 0, 0, -1, 0
  for i = 1, #b do
    local d = math.abs(a[i] - b[i])
    difference, norm = difference + d * d, norm + b[i] * b[i]
    if not (d <= worst) then worst, at = d, i end
  end
  local allowed = (tolerance or 1e-4) * math.sqrt(norm) + FLOOR * math.sqrt(#b)
  if not (math.sqrt(difference) <= allowed) then
    lu.fail(("%s: differs by %.3g in norm, %.3g allowed; worst at %d of %d: %.9g, PyTorch %.9g")
      :format(what, math.sqrt(difference), allowed, at, #b, a[at], b[at]))
  end
end

-- Integers: every one.
function golden.same(what, got, want)
  lu.assertEquals(got:totable(), want:totable(), what)
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
