-- classes: a training step of W1's network by the number of classes, with a token per class and with
-- denoiser.candidates = 16: batch 64, 32 px, M = 4, MMD. Each figure, peak memory too, is that of a process
-- of its own. A round is one process of each in turn; ratios over ten classes are medians of rounds.
--   ./aniso exec tests/bench/classes.lua [ROUNDS [THREADS [EXACT]]]
-- EXACT: the most classes that the exact denoiser is timed with, 1000 if left out. A step of these takes half
-- a minute.
local core = require "aniso.core"
local config = require "aniso.method.config"
local quoted = require("aniso.store.hint").quoted
local stage = require "aniso.train.stage"

local median = dofile "tests/bench/median.lua"
local sessions = dofile "tests/bench/session.lua"

local BATCH, CANDIDATES = 64, 16
local CLASSES = { 10, 100, 1000 }

-- ── one process: step FOLDER CANDIDATES STEPS THREADS ───────────────────────────────────
-- Prints the classes, the medians of a step's seconds and processor seconds, and the peak in bytes.
local function measure(folder, candidates, steps, threads)
  core.sys.threads(tonumber(threads))
  local session = sessions.begin(config.complete {
    data = { "folder", root = folder, size = 32, cache = false },
    backbone = { "resnet", depth = 8, width = 32 }, prior = { mode = "both", crops = 4, crop_size = 16 },
    denoiser = { "cross_attention", dim = 128, blocks = 2, heads = 4, candidates = tonumber(candidates) },
    loss = { mmd = 0.5 }, train = { batch = BATCH, draws = 4, prediction = "y0" },
  })
  local positions = sessions.positions(session, BATCH)
  local seconds, cpu = {}, {}
  for i = 0, tonumber(steps) do -- the first sizes all buffers
    local start, busy = core.sys.monotonic(), core.sys.cpu_seconds()
    stage.step(session, positions, 10000)
    if i > 0 or steps == "0" then
      seconds[#seconds + 1] = core.sys.monotonic() - start
      cpu[#cpu + 1] = core.sys.cpu_seconds() - busy
    end
  end
  print(session.dataset.K, median(seconds), median(cpu), core.sys.peak_rss())
end

if arg[1] == "step" then return measure(table.unpack(arg, 2)) end

-- ── all of them ─────────────────────────────────────────────────────────────────────────
local rounds, threads, exact = tonumber(arg[1]) or 3, tonumber(arg[2]) or 2, tonumber(arg[3]) or 1000

-- A folder of K classes: bitmaps of one colour each, four per class and 640 at least.
local function write_images(root, K)
  local head = string.pack("<c2I4I2I2I4I4i4i4I2I2I4I4i4i4I4I4", "BM", 54 + 32 * 32 * 3, 0, 0, 54, 40, 32, 32,
    1, 24, 0, 32 * 32 * 3, 0, 0, 0, 0)
  local number = 0
  for class = 1, K do
    local folder = ("%s/%04d"):format(root, class)
    assert(core.sys.mkdir_p(folder))
    for i = 1, math.max(4, 640 // K) do
      local file <close> = assert(io.open(("%s/%04d.bmp"):format(folder, i), "wb"))
      number = number + 1
      file:write(head, string.char(number % 251, number // 251, class % 256):rep(32 * 32))
    end
  end
end

local program = assert(core.sys.realpath "/proc/self/exe")
local scratch = assert(core.sys.mkdtemp())
local cases = {}
for _, K in ipairs(CLASSES) do
  write_images(("%s/%d"):format(scratch, K), K)
  for _, candidates in ipairs { false, CANDIDATES } do
    if candidates and candidates < K or not candidates and K <= exact then
      cases[#cases + 1] = { K = K, candidates = candidates, seconds = {}, cpu = {}, peak = {} }
    end
  end
end

-- Runs a case in a process of its own and keeps its figures.
local function run(case)
  local command = { quoted(program), "exec", quoted(arg[0]), "step", quoted(scratch .. "/" .. case.K),
    case.candidates or "none", not case.candidates and case.K >= 1000 and 0 or 5, threads }
  local process = assert(io.popen(table.concat(command, " ")))
  local K, seconds, cpu, peak = process:read("n", "n", "n", "n")
  assert(process:close() and K == case.K, "a process failed; its message is above")
  case.seconds[#case.seconds + 1], case.cpu[#case.cpu + 1], case.peak[#case.peak + 1] = seconds, cpu, peak
end

for _ = 1, rounds do
  for _, case in ipairs(cases) do run(case) end
end
os.execute("rm -r " .. quoted(scratch))

-- The median of the rounds' ratios of a case over the exact denoiser at ten classes.
local function ratio(case, what)
  local list = {}
  for i, value in ipairs(case[what]) do list[i] = value / cases[1][what][i] end
  return median(list)
end

print(("batch %d, 32 px, %d threads; medians of %d rounds; ratios over K = 10 of elapsed and processor time")
  :format(BATCH, threads, rounds))
for _, case in ipairs(cases) do
  local seconds, cpu = ratio(case, "seconds"), ratio(case, "cpu")
  local name = case.candidates and case.candidates .. " candidates" or "exact"
  print(("  K = %-4d %-13s step %8.1f, processor %8.1f ms, peak %4.0f MiB; ratios %.2f, %.2f"):format(case.K,
    name, 1e3 * median(case.seconds), 1e3 * median(case.cpu), median(case.peak) / 2 ^ 20, seconds, cpu))
  if case.candidates then print(("ratio classes_%d %.4g"):format(case.K, seconds)) end
end
