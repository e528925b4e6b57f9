-- aniso features RUN -o FILE: the output of a finished run's backbone for its images, with their ids, and the
-- table that data = features joins to it.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local core = require "aniso.core"
local output_file = require "aniso.show.output_file"
local pretty = require "aniso.show.pretty"
local tables = require "aniso.show.table"

local command = { summary = "write the backbone's output for a run's images as a file for data = features" }

local PARTS = { "train", "val", "test" }

function command.arguments(parser)
  parser:argument("run", common.TEXT.run)
  common.output(parser, "features.safetensors")
  parser:option("--table", "also write ids, labels, parts and groups to this CSV file"):argname "FILE"
  parser:option("--part", "only this part (default: all images)"):choices(PARTS)
  parser:flag("--pool", "average over the map: one vector per image, not one token per cell")
  common.force(parser)
  common.db(parser)
  common.threads(parser)
end

local function check_names(args)
  if not args.output:find "%.safetensors$" then
    cli.fail(cli.USAGE, ("-o %s: the name of a file of features ends in .safetensors"):format(args.output))
  end
  local is_one_file = args.table == args.output
    or args.table and core.sys.exists(args.table)
      and core.sys.realpath(args.table) == core.sys.realpath(args.output)
  if is_one_file then
    cli.fail(cli.USAGE, ("--table %s: the table would replace the features; name another file")
      :format(args.table))
  end
  cli.need(output_file.may_write(args.output, "features file", args.force))
  if args.table then cli.need(output_file.may_write(args.table, "table of features", args.force)) end
end

-- The table as CSV; its columns are those that the recipe's data name.
local function table_of(images)
  local rows = {}
  for i, id in ipairs(images.id) do rows[i] = { id, images.label[i], images.part[i], images.group[i] } end
  return tables.list({ "id", "label", "split", "features_group" }, rows)
end

local function recipe_line(args, grid)
  local data = { "features", file = core.sys.realpath(args.output), table = core.sys.realpath(args.table),
    group = "features_group", split = not args.part and "split" or nil,
    grid = not args.pool and { grid[1], grid[2] } or nil }
  return "In a recipe:  data = " .. pretty.format(data)
end

function command.run(args)
  common.use_threads(args)
  check_names(args)
  local run_features = require "aniso.inference.run_features"
  local db = common.open(args)
  local run = common.find(db, args.run)
  local board <close> = require("aniso.show.progress").board {}
  local line
  core.sys.interrupt_mode "poll"
  local x, images, grid = common.guarded(run_features.of, db, run, {
    parts = args.part and { args.part } or PARTS, pooled = args.pool,
    beat = function(done, n)
      line = line or board:line { label = "features", total = n }
      line:update(done)
      local signal = core.sys.interrupted()
      if signal then
        cli.fail(cli.EXIT_OF[signal], ("interrupted after %d of %d images; nothing is written")
          :format(done, n))
      end
    end })
  line:finish()
  cli.need(run_features.save(args.output, x, images, run))
  if args.table then cli.need(core.sys.write_atomic(args.table, table_of(images))) end
  console.note(("written to %s: %d images, %s"):format(args.output, #images.id,
    args.pool and ("%d numbers each"):format(x:size(2))
      or ("%d tokens of %d numbers each"):format(x:size(2), x:size(3))))
  if args.table then console.print_text(recipe_line(args, grid)) end
end

return command
