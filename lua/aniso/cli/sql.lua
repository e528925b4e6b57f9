-- aniso sql QUERY: any SELECT on the run database, read-only.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local tables = require "aniso.show.table"

local sql = { summary = "query the database with SQL (read-only)" }

function sql.arguments(parser)
  parser:argument("query", "one SELECT, for example on the views v_run, v_eval, v_class, v_group …")
  common.db(parser)
  common.format(parser)
end

function sql.run(args)
  local db = common.open(args)
  local found, columns = cli.usage(db.sql, db, args.query)
  if not found then cli.fail(cli.DATABASE, columns) end
  local rows = {}
  for i, row in ipairs(found) do
    rows[i] = {}
    for j, name in ipairs(columns) do rows[i][j] = row[name] end
  end
  tables.print(columns, rows, args.format)
end

return sql
