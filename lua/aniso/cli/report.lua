-- aniso report STUDY -o FILE: a study as one HTML file that works offline.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local convert = require "aniso.cli.convert"
local own_parts = require "aniso.cli.own_parts"

local report = { summary = "write a report of a study as one HTML file" }

function report.arguments(parser)
  parser:argument("study", common.TEXT.study)
  common.output(parser, "report.html")
  common.force(parser)
  parser:option("--by", "metric that picks the best configuration: macro_f1, tail, all …")
    :argname "METRIC":default "macro_f1"
  common.baseline(parser)
  parser:option("--images", "number of example images, 0 for none"):argname "N":default "12"
    :convert(convert.whole("--images", 0))
  own_parts.arguments(parser)
  common.db(parser)
  common.threads(parser)
end

-- run → why its chains cannot be run; nil if they can.
local function missing_part(db, args)
  return function(run) return own_parts.missing(db, run, cli.need(db:config(run)), "report", args) end
end

-- A report's name must end like a page's, unlike those of databases and recipes.
local function check_name(path)
  if require("aniso.show.output_file").is_named(path, "%.html?$") then return end
  cli.fail(cli.USAGE, ("-o %s: the name of a report ends in .html"):format(path))
end

-- Fails if parts of the written page could not be made. Images whose weights or data are not on this machine,
-- as after `aniso gc` or a merge, do not count: nothing failed, and repeating the command would not help.
local function fail_of_gaps(path, no_images, unrepeated)
  local gaps = {}
  if no_images then gaps[1] = ("its example images (%s)"):format(no_images) end
  if unrepeated then gaps[#gaps + 1] = ("the commands that repeat a run (%s)"):format(unrepeated) end
  if #gaps == 0 then return end
  cli.fail(cli.FAILED, ("%s lacks %s: remove the cause and repeat the command%s"):format(path,
    table.concat(gaps, " and "), no_images and ", or leave the images out with --images 0" or ""))
end

function report.run(args)
  check_name(args.output)
  common.use_threads(args)
  own_parts.load(args)
  local db = common.open(args)
  local groups, runs = common.counted_groups(db, args.study)
  local facts = cli.usage(require("aniso.show.report.facts").new, db, args.study, groups, runs,
    { metric = args.by, baseline = args.baseline })
  local pictures, why, code
  if args.images > 0 then
    pictures, why, code = require "aniso.show.report.pictures" (facts, args.images, missing_part(db, args))
  end
  local is_absent = code == "ENOTFOUND"
  if is_absent then console.note("aniso: warning: no example images: ", why) end
  -- in one transaction: all figures show the same state, and SQLite takes its locks once
  local text, unrepeated = cli.need(db:transaction(require "aniso.show.report.study", facts, pictures))
  cli.need(require("aniso.show.output_file").write(args.output, "report", text, args.force))
  console.note("written to ", args.output)
  fail_of_gaps(args.output, not is_absent and why or nil, unrepeated)
end

return report
