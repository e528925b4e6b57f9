-- aniso export RUN -o FILE: a finished run as one file that classifies new images.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local errors = require "aniso.recipe.errors"

local export = { summary = "write a finished run as a model file for aniso predict" }

local PRECISIONS = { float32 = "float32", float16 = "float16", bfloat16 = "bfloat16", bf16 = "bfloat16" }

local function precision_of(text)
  if PRECISIONS[text] then return PRECISIONS[text] end
  return nil, ("--precision is float32, float16 or bfloat16, got %s"):format(text)
end

function export.arguments(parser)
  parser:argument("run", common.TEXT.run)
  common.output(parser, "model.safetensors")
  parser:option("--precision", "precision of the weights: float32, float16 or bfloat16 (default: as stored)")
    :argname "NAME":convert(precision_of)
  common.force(parser)
  require("aniso.cli.sampler_flags").arguments(parser)
  common.db(parser)
end

local function check_name(path)
  if path:find "%.safetensors$" then return end
  cli.fail(cli.USAGE, ("-o %s: the name of a model file ends in .safetensors"):format(path))
end

local function megabytes(bytes)
  return ("%.1f MB"):format(bytes / 1e6)
end

-- Like model_file.save(); a weight beyond the range of float16 ends the command.
local function save(path, of, tensors, model, precision)
  local save_as = require("aniso.inference.model_file").save
  local ok, sha256, bytes, code = pcall(save_as, path, of, tensors, model, precision)
  if not ok then
    errors.pass_interrupts(sha256)
    cli.fail(cli.FAILED, ("--precision %s: %s; bfloat16 and float32 keep it"):format(precision,
      cli.sentence(sha256)))
  end
  return sha256, bytes, code
end

function export.run(args)
  local description = require "aniso.inference.description"
  local model_file = require "aniso.inference.model_file"
  check_name(args.output)
  local db = common.open(args)
  local run = common.find(db, args.run)
  local given = require("aniso.cli.sampler_flags").given(args)
  local of, tensors, stored = common.guarded(require("aniso.inference.stored_run").read, db, run, given)
  local precision = args.precision or stored
  local checked = description.check(of, args.output)
  local model = model_file.build(checked, tensors, args.output) -- what is written can be read back
  cli.need(require("aniso.show.output_file").may_write(args.output, "model", args.force))
  local sha256, bytes, code = save(args.output, of, tensors, model, precision)
  if not sha256 then cli.need(nil, bytes, code) end
  local how = of.config.sampler
  local chains = of.config.denoiser[1] == "none" and "a classifier"
    or ("%s %d × %d"):format(how[1], how.steps, how.draws)
  console.note(("written to %s: %s%s, %d classes, %s, %s"):format(args.output, megabytes(bytes),
    precision == "float32" and "" or " of " .. precision, #of.classes,
    require("aniso.inference.inputs").describe(of.input), chains))
end

return export
