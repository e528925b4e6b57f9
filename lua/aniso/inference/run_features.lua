-- Exports the backbone's output of a finished run for the images of its data set, as a file for data =
-- features: a row per image with its id, and the labels, parts and groups of the run as a table.
local core = require "aniso.core"
local checkpoint = require "aniso.train.checkpoint"
local feature_cache = require "aniso.train.feature_cache"
local final_evaluation = require "aniso.train.final_evaluation"
local trainer = require "aniso.train.run"

local run_features = {}

local BATCH = 64       -- images at a time
local MOST = 2 ^ 31 - 1 -- numbers in a tensor

-- The session of the run with its best weights, as in an evaluation.
local function session_of(db, run)
  local job = trainer.stored_job(db, run)
  if job.config.data[1] == "features" then
    error(("run %s has no backbone: its data are features"):format(run.uid), 0)
  end
  job.evaluation_only = true
  local session = trainer.prepare(job)
  final_evaluation.same_data(session, db, run)
  checkpoint.load_best(session, db, run.uid)
  session.model:train(false)
  return session
end

-- The images in the order of the file: lists of id, class, part and group. Groups are numbers shared by the
-- images of a group in all parts; an image without a group has a number of its own.
local function list_images(dataset, parts)
  local out = { id = {}, label = {}, part = {}, group = {} }
  for _, part in ipairs(parts) do
    local labels, clusters = dataset:labels(part):list(), dataset:clusters(part)
    for i, key in ipairs(dataset:keys(part)) do
      if key:find "[\r\n]" then
        error(("the name of the image %q has a line end, and ids are lines"):format(key), 0)
      end
      local n = #out.id + 1
      out.id[n], out.label[n] = key, dataset.classes[labels[i] + 1]
      out.part[n], out.group[n] = part, clusters[i]
    end
  end
  return out
end

-- features (B,h,w,C) → (B,h·w,C), or (B,1,C) if pooled.
local function tokens_of(features, pooled)
  local B, C = features:size(1), features:size(4)
  local tokens = features:reshape(B, -1, C)
  return pooled and tokens:mean(2):reshape(B, 1, C) or tokens
end

local function check_size(n, shape)
  if n * shape[2] * shape[3] <= MOST then return end
  error(("%d images of %d tokens of %d numbers are more than a tensor holds; --pool keeps their mean")
    :format(n, shape[2], shape[3]), 0)
end

-- Encodes all images into one tensor (n, tokens, C) → the tensor, the grid {h, w}. beat(done, n) [opt] is
-- called after each batch.
local function encode(session, parts, n, pooled, beat)
  local model, dataset, pieces, done, shape = session.model, session.dataset, {}, 0, nil
  for _, part in ipairs(parts) do
    for first = 0, dataset:n(part) - 1, BATCH do
      local count = math.min(BATCH, dataset:n(part) - first)
      local images <close> = dataset:batch(part, first, count, { normalise = model.normalise })
      pieces[#pieces + 1] = core.ops.no_grad(function()
        local features = model.backbone:forward(images)
        shape = features:shape()
        return tokens_of(features, pooled)
      end)
      check_size(n, pieces[1]:shape())
      done = done + count
      if beat then beat(done, n) end
    end
  end
  return core.ops.no_grad(feature_cache.concatenated, pieces), { shape[2], shape[3] }
end

-- run: a row from db:find(). options: parts = list; pooled: the mean over the map; beat(done, n) [opt].
-- → tensor (n, N, C), or (n, C) if pooled; images = {id, label, part, group} lists; the tokens' grid {h, w}
function run_features.of(db, run, options)
  local session = session_of(db, run)
  local dataset, parts = session.dataset, {}
  for _, part in ipairs(options.parts) do
    local again = part == "val" and dataset.split.test_is_val == 1
    if not again then parts[#parts + 1] = part end
  end
  local images = list_images(dataset, parts)
  local n = #images.id
  if n == 0 then error("no image is in these parts: the test part serves as validation", 0) end
  local x, grid = encode(session, parts, n, options.pooled, options.beat)
  if options.pooled then x = x:reshape(n, x:size(3)) end
  return x, images, grid
end

-- Writes the file → true; nil, message, code.
function run_features.save(path, x, images, run)
  return core.safetensors.save(path, { features = x }, { ids = table.concat(images.id, "\n"),
    aniso_features = "1", run = run.uid })
end

return run_features
