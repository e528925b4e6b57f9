-- A stored study for reports, with names that contain markup.
--   local db, path = fixture.filled { seeds = 3, groups = 3, dirty = true … }
local core = require "aniso.core"
local facts = require "aniso.show.report.facts"
local markup = dofile "tests/lua/markup.lua"
local store = dofile "tests/lua/store_fixture.lua"
local study = require "aniso.show.report.study"
local groups = require "aniso.store.groups"

local fixture = {}

fixture.EVIL = [[<script>alert(1)</script>"' onload="x]]

-- Confusions of γ by seed; the third label and the second class contain markup.
fixture.COUNTS = {
  { "γ=0", 0, { { 8, 2, 0 }, { 2, 4, 2 }, { 1, 1, 2 } }, { { 7, 3, 0 }, { 2, 5, 1 }, { 0, 2, 2 } },
    { { 9, 1, 0 }, { 3, 4, 1 }, { 1, 2, 1 } } },
  { "γ=0.5", 0.5, { { 9, 1, 0 }, { 1, 6, 1 }, { 0, 1, 3 } }, { { 8, 2, 0 }, { 1, 6, 1 }, { 0, 1, 3 } },
    { { 9, 1, 0 }, { 2, 5, 1 }, { 0, 1, 3 } } },
  { fixture.EVIL, 1, { { 9, 1, 0 }, { 4, 3, 1 }, { 2, 1, 1 } }, { { 9, 1, 0 }, { 4, 3, 1 }, { 2, 1, 1 } },
    { { 9, 1, 0 }, { 4, 3, 1 }, { 2, 1, 1 } } },
}
local SPLIT = { name = "70/10/20", profile = "natural", imbalance_factor = 10, seed = 1, test_is_val = false,
  sha256 = "s3", n_train = { 200, 50, 10 }, n_val = { 9, 9, 9 }, n_test = { 10, 8, 4 },
  shot = { "many", "medium", "few" } }

function fixture.lists_of(confusion)
  local true_idx, pred_idx = {}, {}
  for i, row in ipairs(confusion) do
    for j, n in ipairs(row) do
      for _ = 1, n do true_idx[#true_idx + 1], pred_idx[#pred_idx + 1] = i - 1, j - 1 end
    end
  end
  return true_idx, pred_idx
end

local function probabilities(pred_idx)
  local out = {}
  for i, class in ipairs(pred_idx) do
    out[i] = { 0.15, 0.15, 0.15 }
    out[i][class + 1] = 0.7
  end
  return core.tensor.from(out)
end

function fixture.add_run(db, label, gamma, seed, confusion, of)
  local run = db:start_run(store.description { study = "s", label = label, name = label, seed = seed,
    git = { commit = of.commit or "abc", dirty = of.dirty or false },
    dataset = { name = "d & <e>", sha256 = "d3", source = "here", classes = { "a", fixture.EVIL, "c" },
      height = 8, width = 8, channels = 3 },
    split = setmetatable({ test_is_val = of.test_is_val or false, sha256 = of.test_is_val and "v" or "s3" },
      { __index = SPLIT }), lambda = gamma == 0 and { 1, 1, 1 } or { 0.5, 1, 2 },
    config = { schedule = { "cosine", lambda = { "power", gamma = gamma } }, note = fixture.EVIL } })
  for epoch = 1, 3 do
    run:metric("train", epoch, { loss = epoch == 2 and gamma == 1 and 0 / 0 or 3 - epoch / 2 })
    run:metric("val", epoch, { macro_f1 = 0.1 * epoch })
  end
  local true_idx, pred_idx = fixture.lists_of(confusion)
  local probs, conf = of.probs and probabilities(pred_idx) or nil, {}
  for i in ipairs(pred_idx) do conf[i] = 0.7 end
  if probs then
    run:evaluation(store.evaluation(confusion, { part = "val",
      predictions = { true_idx = true_idx, pred_idx = pred_idx, probs = probs, conf = probs and conf } }))
  end
  run:evaluation(store.evaluation(confusion, { selected_by = of.selected_by or "val macro_f1 of chain",
    results = { nll = 1 + gamma + seed / 10, ece = 0.1 },
    bins = { { n = 10, sum_conf = 4, n_correct = 5 }, { n = 12, sum_conf = 9, n_correct = 8 } },
    predictions = { true_idx = true_idx, pred_idx = pred_idx, probs = probs, conf = probs and conf } }))
  if not of.unfinished then run:finish() end
end

-- A database of the study `s`; of: {seeds = 3, groups = 3, dirty, test_is_val, probs = true stores
-- probabilities, on the validation part too, …}.
function fixture.filled(of)
  of = of or {}
  local db, path = store.new()
  for g = 1, of.groups or 3 do
    local one = fixture.COUNTS[(g - 1) % 3 + 1]
    for seed = 0, (of.seeds or 3) - 1 do
      fixture.add_run(db, g > 3 and one[1] .. g or one[1], g > 3 and g or one[2], seed, one[3 + seed % 3], of)
    end
  end
  return db, path
end

function fixture.facts_of(db, how)
  local runs, counted = assert(db:runs { study = "s" }), {}
  for _, run in ipairs(runs) do
    if run.status == "finished" then counted[#counted + 1] = run end
  end
  return facts.new(db, "s", groups.of_runs(db, counted), runs, how)
end

function fixture.page_of(of, how)
  local db <close> = fixture.filled(of)
  local text = study(fixture.facts_of(db, how))
  local root, all = markup.read(text)
  return { text = text, root = root, all = all, seen = markup.text(root) }
end

return fixture
