-- ranks_model: predicts the time of a training step at 1 … 64 ranks of one thread, and compares it with steps
-- measured here (tests/bench/README.md).
--   make MPI=1 all build/mpi/tests/bench/ranks_link
--   build/mpi/aniso exec tests/bench/ranks_model.lua [WORKS [ROUNDS [RANKS]]]      w1,w4  3  1,2,4
--
--   T(R) = rank 0 alone + shared(images / R) + messages(R)
--
-- The first two are processor times measured in one process (compute() below). The engine counts the messages
-- in a step of two ranks. Their cost has a latency α, a bandwidth β and the speed γ of adding; L = log2 R:
--   sum of batch norm       L (α + bytes / β)
--   gradient to rank 0      L (α + bytes / β + bytes / γ)
--   weights to all ranks    L α + 2 (R−1)/R bytes / β     (scatter, allgather: Thakur et al. 2005, IJHPCA 19)
--   images, features, their gradients     (R−1) α + (R−1)/R bytes / β, as all go through rank 0
-- Nothing is subtracted for messages under way during computation, as the gradient's first level is.
local core = require "aniso.core"
local stage = require "aniso.train.stage"
local work = dofile "tests/bench/ranks_work.lua"

local SLICES, MOST = 8, 64
local KINDS = { "share", "send", "receive", "add", "gather" }
local LINKS = { -- assumed: latency in seconds, bytes per second
  { name = "10 GbE", latency = 25e-6, bandwidth = 1.1e9 },
  { name = "100 Gb IB", latency = 1.5e-6, bandwidth = 12e9 },
}

-- ── one process: compute NAME ROUNDS ────────────────────────────────────────────────────
-- Prints the least processor milliseconds of a whole step, of what rank 0 computes alone, of what ranks share
-- in eight slices, and of what they share for so many images in one.
local function compute(name, rounds)
  core.sys.threads(1)
  local session, positions = work.open(name)
  local shared, alone = work.shared(session, positions), work.alone(session, positions)
  local batch, order, best = positions:numel(), {}, {}
  local function timed(key, f, ...)
    local start = core.sys.cpu_seconds()
    f(...)
    local took = 1000 * (core.sys.cpu_seconds() - start)
    if not best[key] then order[#order + 1] = key end
    best[key] = math.min(best[key] or took, took)
  end
  for _ = 0, rounds do
    timed("sliced", shared, batch, true)
    timed("step", stage.step, session, positions, 10000)
    timed("alone", alone)
    for images = 0, math.floor(math.log(batch, 2)) do
      if 2 ^ images * MOST >= batch then timed(2 ^ images // 1 | 0, shared, 2 ^ images // 1 | 0, false) end
    end
  end
  print("batch", batch)
  for _, key in ipairs(order) do print(key, best[key]) end
end

if arg[1] == "compute" then return compute(arg[2], tonumber(arg[3])) end

-- ── measurements, each in a process of its own ──────────────────────────────────────────
local names, rounds, counts = arg[1] or "w1,w4", tonumber(arg[2]) or 3, arg[3] or "1,2,4"
local program = assert(core.sys.realpath "/proc/self/exe")

local function output(...)
  local process = assert(io.popen(table.concat({ ... }, " ")))
  local text = process:read "a"
  assert(process:close(), "a process failed; its message is above")
  return text
end

local function ranks(n, ...) return output("mpirun -n", n, "--bind-to none", ...) end

local function measured_compute(name)
  local out = {}
  local text = output(program, "exec tests/bench/ranks_model.lua compute", name, rounds)
  for key, value in text:gmatch "(%w+)%s+(%S+)" do
    out[tonumber(key) or key] = tonumber(value)
  end
  return out
end

-- A step of R ranks: elapsed and rank 0's own milliseconds; kind → { calls, bytes } of its calls.
local function measured_step(name, R)
  local text = ranks(R, program, "exec tests/bench/ranks.lua", name, rounds, 1)
  local step, own = text:match "step (%d+) ms, own ([%d.]+) ms"
  local passed = {}
  for kind, calls, bytes in text:match "passed (.*)":gmatch "(%a+) (%S+) (%S+)" do
    passed[kind] = { calls = tonumber(calls), bytes = tonumber(bytes) }
  end
  return { step = tonumber(step), own = tonumber(own), weights = text:match "weights (%x+)", passed = passed }
end

local function measured_link()
  local text = ranks(2, (program:gsub("[^/]*$", "tests/bench/ranks_link")))
  local latency, bandwidth, addition = text:match "latency_us (%S+) bandwidth_GB (%S+) addition_GB (%S+)"
  return { latency = latency * 1e-6, bandwidth = bandwidth * 1e9, addition = addition * 1e9 }
end

-- Milliseconds of the messages of a step of two ranks, by themselves.
local function measured_messages(passed)
  local words = {}
  for i, kind in ipairs(KINDS) do words[i] = ("%d %d"):format(passed[kind].calls, passed[kind].bytes // 1) end
  local text = ranks(2, (program:gsub("[^/]*$", "tests/bench/ranks_link")), table.unpack(words))
  return tonumber(text:match "median_ms (%S+)")
end

-- ── the model ───────────────────────────────────────────────────────────────────────────
-- Milliseconds in which each of R ranks computes its images, one at least.
local function shared_time(at, R)
  local images = math.max(1, at.batch // R)
  local per_slice = (at.sliced - at[at.batch]) / (SLICES - 1)
  return at[images] + (math.max(1, SLICES // R) - 1) * per_slice
end

-- Milliseconds of the messages of a batch that is `grown` times as large as the measured one; passed: those
-- of rank 0 at two ranks, which are of half of the images and features.
local function message_time(passed, R, grown, link, addition)
  if R == 1 then return 0 end
  local levels, a, b = math.log(R, 2), link.latency, 1 / link.bandwidth
  local share, add, gather = passed.share, passed.add, passed.gather
  local seconds = share.calls * levels * a + 2 * (R - 1) / R * share.bytes * b
    + levels * (add.calls * a + add.bytes * b)
    + levels * (gather.calls * a + gather.bytes * (b + 1 / addition))
  for _, kind in ipairs { passed.send, passed.receive } do
    seconds = seconds + (R - 1) * kind.calls * a + 2 * (R - 1) / R * grown * kind.bytes * b
  end
  return 1000 * seconds
end

local function predict(at, passed, R, link, addition)
  local grown = math.max(1, R / at.batch) // 1
  local alone, shared = grown * at.alone, shared_time(at, R)
  local messages = message_time(passed, R, grown, link, addition)
  return { alone = alone, shared = shared, messages = messages, step = alone + shared + messages,
    grown = grown }
end

-- ── tables ──────────────────────────────────────────────────────────────────────────────
local function print_passed(passed)
  for _, kind in ipairs(KINDS) do
    print(("  %-8s %4g calls %8.3f MB"):format(kind, passed[kind].calls, passed[kind].bytes / 1e6))
  end
end

local function print_check(name, at, link)
  local cores = core.sys.host().cores
  print(("  %d cores; predicted, measured: own work of rank 0, processor ms; step, elapsed ms"):format(cores))
  local two
  for R in counts:gmatch "%d+" do
    local one = measured_step(name, R)
    R = tonumber(R)
    two = R == 2 and one.passed or two
    local p = predict(at, two or one.passed, R, link, link.addition)
    local own, step = p.alone + p.shared, p.alone + p.shared * math.max(1, R / cores) + p.messages
    print(("  R = %d  own %6.0f %6.0f (%.2f)   step %6.0f %6.0f (%.2f)   weights %s%s"):format(R, own,
      one.own, own / one.own, step, one.step, step / one.step, one.weights,
      R > cores and "  over-subscribed" or ""))
  end
  return assert(two, "RANKS must have 2, whose messages are counted")
end

local function print_prediction(at, passed, here)
  local links = { here, table.unpack(LINKS) }
  print "  ms; messages, step and images per second over R = 1: each by link 1, 2, 3"
  print "   R  batch   rank 0   shared   messages                step                    faster"
  for level = 0, 6 do
    local R, messages, steps, faster = 2 ^ level // 1 | 0, {}, {}, {}
    local p
    for i, link in ipairs(links) do
      p = predict(at, passed, R, link, here.addition)
      messages[i], steps[i] = ("%7.1f"):format(p.messages), ("%7.0f"):format(p.step)
      faster[i] = ("%6.2f"):format(predict(at, passed, 1, link, here.addition).step / p.step * p.grown)
    end
    print(("  %2d %6d %8.1f %8.1f  %s %s  %s%s"):format(R, p.grown * at.batch, p.alone, p.shared,
      table.concat(messages, " "), table.concat(steps, " "), table.concat(faster, " "),
      R > SLICES and "   refused" or ""))
  end
end

local link = measured_link()
print(("link 1, this machine: %.2f µs and %.2f GB/s, adding %.2f GB/s"):format(1e6 * link.latency,
  1e-9 * link.bandwidth, 1e-9 * link.addition))
for i, assumed in ipairs(LINKS) do
  print(("link %d, assumed: %s, %g µs and %g GB/s"):format(i + 1, assumed.name, 1e6 * assumed.latency,
    1e-9 * assumed.bandwidth))
end
for name in names:gmatch "%w+" do
  local at = measured_compute(name)
  print(("\n%s: a step of one thread %.0f ms; rank 0 alone %.0f, shared %.0f in eight slices, %.0f in one")
    :format(name, at.step, at.alone, at.sliced, at[at.batch]))
  local passed = print_check(name, at, link)
  print "  rank 0's calls in a step of two ranks"
  print_passed(passed)
  print(("  messages of two ranks by themselves, predicted, measured: %.2f %.2f ms"):format(
    message_time(passed, 2, 1, link, link.addition), measured_messages(passed)))
  print_prediction(at, passed, link)
end
