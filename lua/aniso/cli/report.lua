-- aniso report STUDY -o FILE: a study as one HTML file that needs no network.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"

local report = { summary = "a study as one HTML page" }

function report.arguments(parser)
  parser:argument("study", "the study's name")
  parser:option("-o --output", "the file to write"):argname "FILE":default "report.html"
  common.db(parser)
end

function report.run(args)
  local db = common.open(args)
  local groups = common.counted_groups(db, args.study)
  local runs = common.ask(db, "runs", { study = args.study })
  local text = require "aniso.report.study" (db, args.study, groups, runs)
  cli.need(require("aniso.core").sys.write_atomic(args.output, text))
  io.stderr:write("written to ", args.output, "\n")
end

return report
