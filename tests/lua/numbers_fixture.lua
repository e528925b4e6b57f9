-- Fixture for tests of numbers: a database with several configurations and seeds, empty groups of
-- classes, a class without a test image, runs without predictions, earlier attempts, a failed and a
-- removed run; and its results, computed from the tables `confusion` and `prediction` by the formulas of
-- tests/lua/independent.lua.
local lu = require "luaunit"
local core = require "aniso.core"
local metric = require "aniso.stats.metric"
local fixture = dofile "tests/lua/store_fixture.lua"
local own = dofile "tests/lua/independent.lua"

local program = os.getenv "ANISO" or "./aniso"
local K, N = 4, 160
local COUNTS = { 100, 50, 20, 10 } -- training images per class
local numbers = {}

-- ── the database ────────────────────────────────────────────────────────────────────────
numbers.splits = {
  one = { "many", "many", "few", "few" },         -- no medium
  two = { "medium", "medium", "medium", "few" },  -- no head, and class d has no test image: no tail
  three = { "many", "medium", "medium", "medium" } -- no tail
}

local state = 7
local function chance()
  state = state * 1103515245 + 12345 & 0x7fffffff
  return state / 0x7fffffff
end

local function truth(study)
  local out = {}
  for i = 1, N do
    local u = i / N
    out[i] = u <= 0.6 and 0 or u <= 0.85 and 1 or u <= 0.95 and 2 or study == "two" and 2 or 3
  end
  return out
end

-- Few distinct rows, so that there are ties, one of them on the edge of a bin.
local function probabilities(true_, skill)
  local rows, levels = {}, { 0.4, 0.625, 0.8 }
  for i, t in ipairs(true_) do
    local called = chance() < skill and t or chance() < 0.5 and 0 or math.floor(chance() * K)
    if skill < 0.5 and called == 2 then called = 0 end -- a class that is never predicted
    local level = levels[1 + math.floor(chance() * #levels)]
    rows[i] = {}
    for c = 1, K do rows[i][c] = c == called + 1 and level or (1 - level) / (K - 1) end
  end
  return rows
end

local function evaluate(run, study, skill, changes)
  local true_ = truth(study)
  local rows = core.tensor.from(probabilities(true_, skill)):totable() -- as float32 stores them
  local m = metric.evaluate { ["true"] = true_, probs = rows, shot = numbers.splits[study] }
  local of = { part = "test", weights = "best", step = 1, primary = true, n = N, confusion = m.confusion,
    bins = m.bins, results = {}, predictions = { true_idx = true_, pred_idx = m.pred,
      probs = core.tensor.from(rows) } }
  for _, entry in ipairs(metric.catalog) do of.results[entry.name] = m[entry.name] end
  for key, value in pairs(changes or {}) do of[key] = value or nil end
  run:evaluation(of)
end

local function start(db, study, label, seed)
  local shot = numbers.splits[study]
  return db:start_run(fixture.description { study = study, name = label, label = label, seed = seed,
    config = { schedule = { "cosine", lambda = { "power", gamma = #label / 4 } }, train = { lr = 0.1 } },
    dataset = { name = "four", sha256 = "d", classes = { "a", "b", "c", "d" } }, lambda = { 1, 1, 1, 1 },
    split = { name = study, profile = "custom", sha256 = study, seed = 1, n_train = COUNTS,
      n_val = { 1, 1, 1, 1 }, n_test = { 54, 23, 9, 4 }, shot = shot } })
end

-- Returns the path of the database.
function numbers.make()
  local db, path = fixture.new()
  for study in pairs(numbers.splits) do
    for seed = 0, 3 do
      for i, label in ipairs { "flat", "steeper", "silent" } do
        if seed < 3 or label == "steeper" then
          for attempt = 1, seed == 0 and 2 or 1 do
            local run = start(db, study, label, seed)
            evaluate(run, study, 0.2 + i * 0.15 + seed / 20 + attempt / 10)
            evaluate(run, study, 0.3 + i * 0.15, { part = "val" })
            evaluate(run, study, 0.4, { primary = false, sampler = "prior" })
            run:finish()
          end
        end
      end
    end
    local failed = start(db, study, "flat", 1)
    evaluate(failed, study, 1)
    failed:fail "later, and not counted"
    local gone = start(db, study, "steeper", 2)
    evaluate(gone, study, 1)
    gone:finish()
    db:remove { db:find(gone.uid) }
  end
  -- A run whose predictions were never stored.
  assert(db:exec [[
    DELETE FROM prediction WHERE eval_id IN (
      SELECT eval_id FROM evaluation JOIN run USING(run_id) WHERE run.label = 'silent' AND run.seed = 1)]])
  db:close()
  return path
end

-- ── recomputed from the tables ──────────────────────────────────────────────────────────
local function shot_of(db, split_id)
  local shot = {}
  local sql = "SELECT class_idx, shot FROM split_class WHERE split_id = ?1"
  for _, row in ipairs(assert(db:query(sql, split_id))) do
    shot[row.class_idx + 1] = row.shot
  end
  return shot
end

local function add_rows(out, rows)
  out.t, out.pred, out.probs = {}, {}, {}
  for i, row in ipairs(rows) do
    out.t[i], out.pred[i], out.probs[i] = row.true_idx, row.pred_idx, { ("<ffff"):unpack(row.probs) }
    out.probs[i][K + 1] = nil
  end
  return out
end

local function validation_of(db, run)
  local rows = assert(db:query([[
    SELECT p.* FROM prediction p JOIN evaluation USING(eval_id) WHERE run_id = ?1 AND part = 'val'
     ORDER BY sample_idx]], run.run_id))
  return #rows > 0 and add_rows({}, rows)
end

local function numbers_of(db, run, sampler)
  local id = assert(db:query([[SELECT eval_id FROM evaluation WHERE run_id = ?1 AND part = 'test'
    AND is_primary = ?2]], run.run_id, sampler ~= "prior"))[1].eval_id
  local m = own.matrix({}, {}, K)
  for _, cell in ipairs(assert(db:query("SELECT * FROM confusion WHERE eval_id = ?1", id))) do
    m[cell.true_idx + 1][cell.pred_idx + 1] = cell.n
  end
  local out = { seed = run.seed, matrix = m, classes = own.classes(m), shot = shot_of(db, run.split_id) }
  out.rates = own.rates(m, out.shot)
  local rows = assert(db:query("SELECT * FROM prediction WHERE eval_id = ?1 ORDER BY sample_idx", id))
  if #rows == 0 then return out end
  add_rows(out, rows)
  lu.assertEquals(own.matrix(out.t, out.pred, K), m)
  for name, value in pairs(own.probabilistic(out.t, out.pred, out.probs, out.shot)) do
    out.rates[name] = value
  end
  local val = sampler ~= "prior" and validation_of(db, run)
  if val then
    out.rates["tail@head=0.9"], out.tilted = own.tail_at_head(val, out, COUNTS, out.shot, 0.9)
  end
  return out
end

-- label → {gamma, seed by seed: the last finished attempt that is not removed}
function numbers.groups(db, study, sampler)
  local last, groups = {}, {}
  for _, run in ipairs(assert(db:query([[
    SELECT r.*, p.num AS gamma FROM run r JOIN study s USING(study_id) JOIN config_param p USING(config_id)
     WHERE s.name = ?1 AND p.key = 'schedule.lambda.gamma' AND r.status = 'finished' AND r.removed_at IS NULL
     ORDER BY run_id]], study))) do
    last[run.label] = last[run.label] or {}
    last[run.label][run.seed] = run
  end
  for label, runs in pairs(last) do
    local seeds = {}
    for seed in pairs(runs) do seeds[#seeds + 1] = seed end
    table.sort(seeds)
    groups[label] = { gamma = runs[seeds[1]].gamma }
    for i, seed in ipairs(seeds) do groups[label][i] = numbers_of(db, runs[seed], sampler) end
  end
  return groups
end

function numbers.values(group, get)
  local out = {}
  for _, one in ipairs(group) do out[#out + 1] = get(one) end
  return out
end

-- ── the program ─────────────────────────────────────────────────────────────────────────
-- Runs a command with --format json; returns its output, decoded.
function numbers.command_json(path, ...)
  local words = { "'" .. program .. "'" }
  for i, word in ipairs { ... } do words[i + 1] = "'" .. word .. "'" end
  local pipe = assert(io.popen(table.concat(words, " ") .. " --db '" .. path .. "' --format json"))
  local text = pipe:read "a"
  lu.assertTrue(pipe:close(), text)
  return core.json.decode(text)
end

-- Fails unless two numbers agree. JSON's null and nil are both n/a.
function numbers.assert_near(got, expected, what, tolerance)
  if got == core.json.null then got = nil end
  if expected == nil or got == nil then return lu.assertEquals(got, expected, what) end
  lu.assertAlmostEquals(got, expected, tolerance or 1e-9, what)
end

return numbers
