-- ranks: a training step that ranks share (tests/bench/README.md).
--   mpirun -n R build/mpi/aniso exec tests/bench/ranks.lua WORK STEPS [THREADS]
-- WORK is w1 or w4. Prints the median milliseconds of a step after a first one, and a digest of the weights
-- after all of them, which is the same for every R and any number of threads. `own` is the least processor
-- time of rank 0 in a step without its calls of MPI. The last line is what it passed on in a step: kind,
-- calls, bytes.
local core = require "aniso.core"
local stage = require "aniso.train.stage"
local work = dofile "tests/bench/ranks_work.lua"

local STEPS = tonumber(arg[2])
core.sys.threads(tonumber(arg[3] or 1))
local session, positions = work.open(arg[1])

-- The calls of MPI until now: their processor seconds, and calls and bytes by kind.
local function passed()
  local seconds, kinds = 0, core.sys.ranks_traffic()
  for _, traffic in pairs(kinds) do seconds = seconds + traffic.seconds end
  return seconds, kinds
end

local function step()
  local start, busy, waited = core.sys.monotonic(), core.sys.cpu_seconds(), passed()
  stage.step(session, positions, 10000)
  return 1000 * (core.sys.monotonic() - start), 1000 * (core.sys.cpu_seconds() - busy - (passed() - waited))
end

step()
local times, own = {}, math.huge
local _, before = passed()
for i = 1, STEPS do
  local time, alone = step()
  times[i], own = time, math.min(own, alone)
end
local _, after = passed()
table.sort(times)
local weights = table.concat(session.model.net:flat():list(), " ")
print(("%s, ranks %d, threads %d: step %.0f ms, own %.1f ms, weights %s"):format(arg[1], (core.sys.ranks()),
  core.sys.threads(), times[(STEPS + 1) // 2], own, core.sha256.text(weights):sub(1, 12)))
local kinds = {}
for _, kind in ipairs { "share", "send", "receive", "add", "gather" } do
  kinds[#kinds + 1] = ("%s %g %g"):format(kind, (after[kind].calls - before[kind].calls) / STEPS,
    (after[kind].bytes - before[kind].bytes) / STEPS)
end
print("passed " .. table.concat(kinds, " "))
