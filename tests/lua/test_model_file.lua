-- Model files from outside, which are refused with their reason; and the files that a model is used on.
local lu = require "luaunit"
local aniso = require "aniso"
local core = require "aniso.core"
local fixture = dofile "tests/lua/inference_fixture.lua"
local image_paths = require "aniso.inference.image_paths"
local model_file = require "aniso.inference.model_file"
local predictor = require "aniso.inference.predictor"
local stored_run = require "aniso.inference.stored_run"

local T = { setUp = fixture.begin, tearDown = fixture.finish }

-- ── files that are none ─────────────────────────────────────────────────────────────────
-- Writes the model with a change of its description or its tensors → the message of the refusal.
local function refusal(self, of, tensors, change)
  local copy, state = {}, core.json.decode(core.json.encode(of))
  for name, tensor in pairs(tensors) do copy[name] = tensor end
  change(state, copy)
  local path = self.layout:path "changed.safetensors"
  assert(model_file.save(path, state, copy))
  local ok, why = pcall(predictor.load, path)
  lu.assertFalse(ok)
  lu.assertStrContains(why, "changed.safetensors: ")
  lu.assertNil(why:find "\n")
  return why
end

function T:test_a_file_that_is_no_model_is_refused()
  local run = fixture.run_of(self, "chain")
  local of, tensors = stored_run.read(self.db, run)
  for expected, change in pairs {
    ["not a model file"] = function(s) s.aniso_model = nil end,
    ["version 2, made by aniso"] = function(s) s.aniso_model = 2 end,
    ["names of classes"] = function(s) s.classes[2] = s.classes[1] end,
    ["it has 1 classes"] = function(s) s.classes = { "a" } end,
    ["its counts are not 3"] = function(s) s.counts[3] = nil end,
    ["its count 3 is no whole number from 0 to 1000000000"] = function(s) s.counts[3] = 1 << 53 end,
    ["size, shape or normalisation"] = function(s) s.input.std[2] = 0 end,
    ["size, shape or normalisation "] = function(s) s.input.height = 5000 end,
    ["function of a recipe"] = function(s) s.config.sampler = { module = "os" } end,
    ["function of a recipe "] = function(s) s.config.loss.prior = { "own:x", sha256 = ("0"):rep(64) } end,
    ["names a file"] = function(s) s.config.backbone.weights = "/etc/passwd" end,
    ["option denoiser.dim"] = function(s) s.config.denoiser.dim = 7 end,
    ["denoiser.dim must be a number, got null"] = function(s) s.config.denoiser.dim = core.json.null end,
    ["changed.safetensors: class 1: lambda[1] = "] = function(s) s.config.schedule.beta_max = 1e-320 end,
    ["backbone.width is 60000"] = function(s) s.config.backbone.width = 60000 end,
    ["denoiser.dim is 60000"] = function(s) s.config.denoiser.dim = 60000 end,
    ["sampler.steps · draws is 1310720"] = function(s)
      s.config.sampler.steps, s.config.sampler.draws = 20, 65536
    end,
    ["net.more is of no part"] = function(_, t) t["net.more"] = core.tensor.zeros { 2 } end,
    ["conv1.weight is missing"] = function(_, t) t["net.backbone.conv1.weight"] = nil end,
    ["conv1.weight has the shape (2), expected (4, 3, 3, 3)"] = function(_, t)
      t["net.backbone.conv1.weight"] = core.tensor.zeros { 2 }
    end,
    ["conv1.weight has numbers that are not finite"] = function(_, t)
      t["net.backbone.conv1.weight"] = core.tensor.full({ 4, 3, 3, 3 }, 0 / 0)
    end,
  } do
    lu.assertStrContains(refusal(self, of, tensors, change), (expected:gsub(" $", "")))
  end
end

function T:test_a_checkpoint_and_a_damaged_file_are_refused()
  local run = fixture.run_of(self, "chain")
  local _, _, path = fixture.both(self, run)
  lu.assertErrorMsgContains("not a model file; aniso export RUN", predictor.load,
    self.db:run_folder(run.uid) .. "/best.safetensors")
  local text = assert(core.sys.read(path, 1 << 24))
  lu.assertErrorMsgContains("damaged", predictor.load, self.layout:write("cut.safetensors", text:sub(1, -2)))
  lu.assertErrorMsgContains("damaged", predictor.load,
    self.layout:write("bit.safetensors", text:sub(1, -2) .. string.char(text:byte(-1) ~ 1)))
end

-- ── paths ───────────────────────────────────────────────────────────────────────────────
function T:test_folders_lists_and_files()
  local layout = self.layout
  layout:write("images/.hidden.bmp", "x")
  layout:write("images/__MACOSX/._a.bmp", "x")
  layout:write("images/notes.txt", "x")
  assert(os.execute(("ln -s a '%s/linked'"):format(self.root)))
  local found = image_paths.of { self.root .. "/", "other.png" }
  lu.assertEquals({ #found.paths, found.others, found.not_entered }, { 37, 1, 1 })
  lu.assertEquals({ found.paths[1], found.paths[37] }, { self.root .. "/a/01.bmp", "other.png" })
  local function stream(text)
    return { read = function()
      local block = text
      text = nil
      return block
    end }
  end
  lu.assertEquals(image_paths.of({ "-" }, stream "a.png\r\n\nb c.png").paths, { "a.png", "b c.png" })
  lu.assertErrorMsgContains("more than 4096 bytes", image_paths.of, { "-" }, stream(("x"):rep(5000)))
  lu.assertErrorMsgContains("zero bytes", image_paths.of, { "-" }, stream "a.png\0b.png\0")
  local long = ("p"):rep(4000)
  lu.assertEquals(#image_paths.of({ "-" }, stream((long .. "\n"):rep(100) .. "end")).paths, 101)
end

-- ── core.data.read_images ───────────────────────────────────────────────────────────────
function T:test_images_are_resized_and_normalised_as_those_of_a_data_set()
  local ds = aniso.data { "folder", root = self.root, size = 8, cache = false }
  local form = { height = 8, width = 8, mean = ds.mean, std = ds.std }
  local paths = {}
  for i, key in ipairs(ds:keys "train") do paths[i] = self.root .. "/" .. key end
  local images, reasons = core.data.read_images(paths, form)
  lu.assertEquals(reasons, {})
  lu.assertEquals(images:list(), (ds:batch("train", 0, #paths)):list())
  form.rows = #paths + 2
  local more = core.data.read_images(paths, form)
  lu.assertEquals(more:shape(), { #paths + 2, 8, 8, 3 })
  lu.assertEquals(more:get(#paths + 2, 8, 8, 3), 0)
  lu.assertErrorMsgContains("std: channel 2", core.data.read_images, paths,
    { height = 8, width = 8, mean = { 0, 0, 0 }, std = { 1, 0, 1 } })
  lu.assertErrorMsgContains("list of 1 to 65536 paths", core.data.read_images, {}, form)
  lu.assertErrorMsgContains("path 1 is not a string", core.data.read_images, { 3 }, form)
end

-- Every value of a byte comes back from a PNG file that was written.
function T:test_a_written_picture_is_read_again()
  local values = {}
  for y = 1, 16 do
    values[y] = {}
    for x = 1, 16 do
      local v = 16 * (y - 1) + x - 1
      values[y][x] = { v / 255, (255 - v) / 255, (v * 7 % 256) / 255 }
    end
  end
  local path = self.layout:path "written.png"
  lu.assertTrue(core.data.write_png(path, core.tensor.from(values)))
  local form = { height = 16, width = 16, mean = { 0, 0, 0 }, std = { 1, 1, 1 } }
  local back = core.data.read_images({ path }, form)
  local got = back:list()
  for k, value in ipairs(core.tensor.from(values):list()) do lu.assertAlmostEquals(got[k], value, 1e-6) end
  lu.assertTrue(core.data.write_png(path, core.tensor.from { { { -1, 2, 0 / 0 } } }))
  form.height, form.width = 1, 1
  back = core.data.read_images({ path }, form)
  lu.assertEquals(back:list(), { 0, 1, 0 })
  local done, _, code = core.data.write_png(self.root .. "/none/x.png", core.tensor.zeros { 1, 1, 3 })
  lu.assertEquals({ done, code }, { nil, "EIO" })
end

return { ModelFile = T }
