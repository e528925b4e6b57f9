-- aniso export RUN -o FILE: a finished run as one file that classifies new images.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"

local export = { summary = "a finished run as one file for aniso predict" }

function export.arguments(parser)
  parser:argument("run", "the run")
  parser:option("-o --output", "the file to write, its name ends in .safetensors"):argname "FILE"
    :default "model.safetensors"
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

function export.run(args)
  local description = require "aniso.inference.description"
  local model_file = require "aniso.inference.model_file"
  check_name(args.output)
  local db = common.open(args)
  local run = common.find(db, args.run)
  local given = require("aniso.cli.sampler_flags").given(args)
  local of, tensors = common.guarded(require("aniso.inference.stored_run").read, db, run, given)
  local checked = description.check(of, args.output)
  local model = model_file.build(checked, tensors, args.output) -- what is written can be read
  cli.need(require("aniso.show.output_file").may_write(args.output, "model", args.force))
  local sha256, bytes, code = model_file.save(args.output, of, tensors, model)
  if not sha256 then cli.need(nil, bytes, code) end
  local how = of.config.sampler
  local input = require("aniso.inference.inputs").describe(of.input)
  console.note(("written to %s: %s, %d classes, %s, %s"):format(args.output, megabytes(bytes),
    #of.classes, input, of.config.denoiser[1] == "none" and "a classifier"
      or ("%s %d × %d"):format(how[1], how.steps, how.draws)))
end

return export
