-- jobs: 20 short runs by `aniso run --jobs 2` over the same runs one after another with two threads each, and
-- what a worker adds to a run: its place in the plan, the claim of it and its end.
--   ./aniso exec tests/bench/jobs.lua [ROUNDS [RUNS]]
-- Rounds of both in turn, each a process and a new database; the ratio is the median of the rounds'. The last
-- two lines are the wall and the processor time per run of 200, without training.
local core = require "aniso.core"
local config = require "aniso.method.config"
local store = require "aniso.store"
local sys = core.sys
local units = require "aniso.train.units"

local rounds, runs = tonumber((...)) or 3, tonumber((select(2, ...))) or 20
local PLANNED = 200
local median = dofile "tests/bench/median.lua"
local remove_tree = dofile "tests/lua/remove_tree.lua"

local RECIPE = [[
local aniso = require "aniso"
return aniso.study {
  name = "short", data = { "lesions", n = 280, size = 16 },
  base = {
    backbone = { "resnet", depth = 8, width = 8 }, prior = { crops = 2 }, schedule = { "cosine", T = 100 },
    denoiser = { "cross_attention", dim = 32, blocks = 1, heads = 2 },
    train = { epochs = 2, batch = 28, draws = 2 }, sampler = { "ddim", steps = 5, draws = 2 },
  },
}
]]

-- Seconds of one command in a folder of its own.
local function seconds(folder, recipe, ...)
  local db, begin = folder .. "/runs.db", sys.monotonic()
  local child <close> = assert(sys.start_self { "aniso", "run", recipe, "--db", db, "--threads", "2",
    "--seeds", ("0..%d"):format(runs - 1), ... })
  repeat
    sys.wait_for_children({ child }, 1)
  until not child:read()
  local code
  repeat code = child:ended() until code ~= nil
  assert(code == 0, "a command failed")
  return sys.monotonic() - begin
end

local function in_folder(f, ...)
  local folder = assert(sys.mkdtemp())
  local result = f(folder, ...)
  remove_tree(folder)
  return result
end

local function compare(recipe)
  local alone, both, ratios = {}, {}, {}
  for i = 1, rounds do
    alone[i] = in_folder(seconds, recipe)
    both[i] = in_folder(seconds, recipe, "--jobs", "2")
    ratios[i] = both[i] / alone[i]
  end
  print(("  jobs          %d runs one after another %.2f s, by --jobs 2 %.2f s"):format(runs, median(alone),
    median(both)))
  print(("ratio jobs %.2f"):format(median(ratios)))
end

local function overhead(folder)
  local jobs, begin, used = {}, sys.monotonic(), sys.cpu_seconds()
  for i = 1, PLANNED do
    jobs[i] = { label = "a", seed = i, config = config.complete { data = { "lesions" } } }
  end
  units.assign(jobs, false, false)
  do
    local db <close> = assert(store.open(folder .. "/runs.db"))
    assert(db:set_plan("short", jobs, nil, { recipe = { path = "short.lua", text = RECIPE } }))
  end
  local db <close> = assert(store.open(folder .. "/runs.db", { join = true }))
  for _ = 1, PLANNED do
    db:end_planned("short", assert(db:take_unit "short")[1].seq, "finished")
  end
  return { wall = (sys.monotonic() - begin) / PLANNED, cpu = (sys.cpu_seconds() - used) / PLANNED }
end

local folder = assert(sys.mkdtemp())
local recipe = folder .. "/short.lua"
assert(sys.write_atomic(recipe, RECIPE))
compare(recipe)
remove_tree(folder)
local per_run = in_folder(overhead)
print(("  jobs          plan, claim and end of a run: %.1f ms, of which %.1f ms of processor time"):format(
  1e3 * per_run.wall, 1e3 * per_run.cpu))
