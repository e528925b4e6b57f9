-- aniso predict MODEL PATH…: predicts the classes of new images with an exported model or a run of the
-- database. One row per image, in the order of the paths; the row of an unreadable one contains the reason,
-- and the exit code is 1.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local core = require "aniso.core"
local errors = require "aniso.recipe.errors"
local image_folder = require "aniso.show.image_folder"
local prediction_rows = require "aniso.show.prediction_rows"
local sampler_flags = require "aniso.cli.sampler_flags"

local command = { summary = "classify new images with an exported model or a run" }

local function share(text)
  local x = tonumber(text)
  if x and x >= 0 and x <= 1 then return x end
  return nil, ("--abstain needs a probability from 0 to 1, got %s"):format(text)
end

function command.arguments(parser)
  parser:argument("model", "a file of aniso export, or a run of the database")
  parser:argument("path", "images, folders (with everything below them) or - for a list on standard input;\n"
    .. "for a model of features, files of features"):args "+"
  parser:option("--format", common.TEXT.jsonl):default "table"
    :choices { "table", "csv", "jsonl" }
  parser:option("--abstain", "assign no label below this probability, such as 0.8"):argname "P":convert(share)
  parser:option("--maps", "draw the attention on each image, as PNG files in this new folder"):argname "DIR"
  sampler_flags.arguments(parser)
  common.db(parser)
  common.threads(parser)
end

-- The predictor of a model file, or else of a run.
local function predictor_of(args)
  local predictor = require "aniso.inference.predictor"
  if core.sys.exists(args.model) then return predictor.load(args.model) end
  if args.model:find "%.safetensors$" or args.model:find "/" then
    cli.fail(cli.NO_MATCH, args.model .. ": there is no such model file; aniso export RUN -o FILE writes one")
  end
  local db = common.open(args)
  local of, tensors = common.guarded(require("aniso.inference.stored_run").read, db,
    common.find(db, args.model), sampler_flags.given(args))
  of = require("aniso.inference.description").check(of, "run " .. args.model)
  local model = require("aniso.inference.model_file").build(of, tensors, "run " .. args.model)
  return predictor.new(of, model)
end

-- The paths of the command line, and the number of rows; a file of features contains its number of rows.
local function paths_of(args, predictor)
  if predictor:reads_features() then return args.path, predictor:count(args.path) end
  local found = cli.usage(require("aniso.inference.image_paths").of, args.path)
  if found.others > 0 then
    console.note(("note: %d other file%s in the folders: only .jpg, .jpeg, .png and .bmp are read")
      :format(found.others, found.others == 1 and "" or "s"))
  end
  if found.not_entered > 0 then
    console.note(("note: links to folders, or folders too deep, that were not entered: %d"):format(
      found.not_entered))
  end
  if #found.paths == 0 then cli.fail(cli.NO_MATCH, "no image was named, and the folders hold none") end
  return found.paths, #found.paths
end

-- Writes the pictures of rows, the last of which is image number `done`: 000012-NAME.png.
local function write_maps(folder, rows, done)
  for i, row in ipairs(rows) do
    local path = ("%s/%06d-%s.png"):format(folder, done - #rows + i, image_folder.plain_name(row.path))
    if row.picture then cli.need(core.data.write_png(path, row.picture())) end
  end
end

-- A write without a reader ends the process by SIGPIPE; if that is ignored, main.c prints the reason. A table
-- is written only at the end, and must not be computed in vain until then.
local function end_without_reader()
  if core.sys.has_reader() then return end
  console.print ""
  io.stdout:flush()
  cli.fail(cli.FAILED, "")
end

-- Prints the rows as they are computed → how many could not be read.
local function carry_out(predictor, paths, total, args)
  local board <close> = require("aniso.show.progress").board {}
  local line, failed, shown = board:line { label = "predict", total = total }, 0, 0
  local printer = prediction_rows.printer(predictor.classes, args.format, args.abstain)
  local ok, problem = xpcall(predictor.predict, errors.traced, predictor, paths, function(rows, done)
    for _, row in ipairs(rows) do failed = failed + (row.error and 1 or 0) end
    printer.add(rows)
    end_without_reader()
    if args.maps then write_maps(args.maps, rows, done) end
    line:update(done)
    shown = done
    local signal = core.sys.interrupted()
    if signal and done < total then errors.interrupt(signal, "") end
  end, args.maps ~= nil)
  if not ok and type(problem) == "table" and problem.interrupted then
    printer.finish()
    cli.fail(problem.exit, ("interrupted after %d of %d images; their rows are complete")
      :format(shown, total))
  end
  if not ok then error(problem, 0) end
  line:finish()
  printer.finish()
  return failed
end

function command.run(args)
  common.use_threads(args)
  local predictor = predictor_of(args)
  sampler_flags.apply(predictor, args)
  if args.maps and predictor:reads_features() then
    cli.fail(cli.USAGE, "--maps draws on images, and this model reads features")
  end
  local paths, total = paths_of(args, predictor)
  if args.maps then common.make_new_folder(args.maps, "--maps") end
  core.sys.interrupt_mode "poll"
  local failed = carry_out(predictor, paths, total, args)
  if failed > 0 then
    cli.fail(cli.FAILED, ("%d of %d images could not be read; their rows say why"):format(failed,
      total))
  end
end

return command
