-- Fixtures for the tests of the store: a run's description, an evaluation, a new database.
local core = require "aniso.core"
local store = require("aniso").store

local sys = core.sys
local fixture = {}

function fixture.description(changes)
  local of = {
    name = "adpm", label = "λ=bound", study = "lambda", study_kind = "grid",
    config = { train = { epochs = 30, lr = 1e-3 }, sampler = { "ddim", steps = 20 },
      schedule = { "cosine", lambda = { "manual", 1, 2 } }, prior = { crops = 0 }, list = { 1, 2, 3 } },
    lambda = { 0.5, 1.5 }, seed = 0, threads = 2, argv = { "run", "x.lua" },
    dataset = { name = "two", sha256 = "d1", content = "c1", source = "here", classes = { "a", "b" },
      height = 8, width = 8, channels = 3 },
    split = { name = "70/10/20", profile = "natural", imbalance_factor = 10, seed = 1,
      test_is_val = false, sha256 = "s1", n_train = { 100, 10 }, n_val = { 10, 2 },
      n_test = { 10, 4 }, shot = { "many", "few" } },
    host = { hostname = "h", os = "Linux", cpu = "c", cores = 2, ram_bytes = 1 },
    git = { commit = "abc", dirty = true }, recipe = { path = "x.lua", text = "return 1" },
    tool_version = "0.1", env = {},
  }
  for key, value in pairs(changes or {}) do of[key] = value end
  return of
end

function fixture.evaluation(confusion, changes)
  local n = 0
  for _, row in ipairs(confusion) do for _, c in ipairs(row) do n = n + c end end
  local of = { part = "test", weights = "best", step = 3, primary = true, selected_by = "val",
    sampler = "ddim", steps = 20, draws = 8, seed = 0, n = n, confusion = confusion, results = {} }
  for key, value in pairs(changes or {}) do of[key] = value end
  return of
end

function fixture.new()
  local path = fixture.folder() .. "/runs.db"
  return assert(store.open(path)), path
end

local N = 120

-- 120 images: 90 of class a, 30 of class b.
function fixture.truth()
  local true_ = {}
  for i = 1, N do true_[i] = i <= 90 and 0 or 1 end
  return true_
end

-- Records a run whose prediction is wrong on the images for which wrong(i) is true.
function fixture.record(db, label, seed, wrong, changes)
  changes = changes or {}
  local of = { label = label, name = label, seed = seed, study = changes.study or "s", split = changes.split,
    config = changes.config or { train = { lr = 0.1 }, method = label }, dataset = changes.dataset }
  local run = db:start_run(fixture.description(of))
  local true_, pred, matrix = changes["true"] or fixture.truth(), {}, { { 0, 0 }, { 0, 0 } }
  for i = 1, N do
    pred[i] = wrong(i) and 1 - true_[i] or true_[i]
    matrix[true_[i] + 1][pred[i] + 1] = matrix[true_[i] + 1][pred[i] + 1] + 1
  end
  run:evaluation(fixture.evaluation(matrix, { results = { nll = changes.nll },
    predictions = not changes.silent and { true_idx = true_, pred_idx = pred } or nil }))
  run:finish()
  return run
end

function fixture.every(n, shift)
  return function(i) return (i + (shift or 0)) % n == 0 end
end

-- The first column of the first row.
function fixture.one(db, sql, ...)
  local rows, columns = assert(db:query(sql, ...))
  return rows[1] and rows[1][columns[1]]
end

function fixture.folder()
  return assert(sys.mkdtemp())
end

-- A writable copy of a file, in a folder of its own → its path.
function fixture.copy(original)
  local path = fixture.folder() .. "/" .. original:match "[^/]+$"
  local from <close> = assert(io.open(original, "rb"))
  local to <close> = assert(io.open(path, "wb"))
  to:write(from:read "a")
  return path
end

return fixture
