-- aniso ls [FILTER…]: the runs, newest first. A filter is KEY=VALUE with a fact, a metric or an
-- option of the configuration, tag:NAME, or a text; all filters must match (store/select.lua).
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local duration = require("aniso.show.progress").duration
local printed = require("aniso.stats.metric.catalog").printed
local tables = require "aniso.show.table"

local ls = { summary = "list runs, filtered and sorted" }

function ls.arguments(parser)
  parser:argument("filter", "KEY=VALUE (or != < <= > >= ~; quote it), tag:NAME or part of a name")
    :args "*"
  parser:option("--sort", "sort by a metric, best first, or by another key (--sort=-KEY reverses it)")
    :argname "KEY"
  parser:flag("--varying", "add the options that differ between the listed runs")
  parser:option("-n --number", "maximum number of runs, 0 for all"):argname "N":default "50"
    :convert(function(text)
    local n = math.tointeger(tonumber(text))
    if n and n >= 0 then return n end
    return nil, ("-n needs a whole number, 0 for all, got %s"):format(text)
  end)
  parser:flag("--disk", "add the size of each run's files, and totals (--sort=-disk: largest first)")
  parser:flag("--removed", "list the runs that aniso rm removed")
  common.db(parser)
  common.format(parser)
end

local METRICS = { "acc", "bacc", "macro_f1" }

-- Columns of every list; filters and the order may also use them.
local SHOWN = { run = true, id = true, study = true, label = true, data = true, seed = true, fold = true,
  status = true, started = true, wall = true }

-- The metrics in every list, then the keys of the filters and of the order, in the order of their columns.
local function extra_keys(catalog, mentioned, names)
  local out, seen = {}, {}
  local function add(key)
    local name = key.metric or key.name
    if SHOWN[name] or seen[name] then return end
    seen[name], out[#out + 1] = true, key
  end
  for _, name in ipairs(METRICS) do add(catalog:key(name)) end
  for _, key in ipairs(mentioned) do add(key) end
  for _, name in ipairs(names) do add(catalog:key(name)) end
  return out
end

-- If different data have the same name, the name is shown with the beginning of the content's hash.
local function data_names(runs)
  local content_of, several = {}, {}
  for _, run in ipairs(runs) do
    local known = content_of[run.dataset]
    if known and run.content and known ~= run.content then several[run.dataset] = true end
    content_of[run.dataset] = known or run.content
  end
  return function(run)
    local marked = several[run.dataset] and run.content
    return marked and ("%s %s"):format(run.dataset, run.content:sub(1, 8)) or run.dataset
  end
end

-- run: a row, with `after` = the seeds after which its variant was pruned, or nil.
local function row_of(run, short, keys, shown, name_of)
  local id = { text = short[run.uid], value = run.uid }
  local row, n = { id, run.study, run.label, name_of(run), run.seed }, 5
  if shown.fold then n, row[n + 1] = n + 1, run.fold end
  n, row[n + 1] = n + 1, run.status
  for _, key in ipairs(keys) do
    n = n + 1
    row[n] = key:get(run)
    if key.name == "disk" then row[n] = common.megabytes(row[n]) end
  end
  row[n + 1], row[n + 2] = run.started_at:sub(1, 16), { text = duration(run.wall_s), value = run.wall_s }
  if shown.tags then n, row[n + 3] = n + 1, table.concat(run.tags, " ") end
  if shown.pruned then row[n + 3] = run.after and ("after %d"):format(run.after) end
  return row
end

-- Which columns some run needs: fold, tags, pruned. Sets `after` of the runs of pruned variants.
local function columns_of(db, runs)
  local shown, decisions = {}, common.call(db, "pruned_of")
  for _, run in ipairs(runs) do
    run.after = decisions[run.run_id] and decisions[run.run_id].seeds
    shown.fold, shown.tags = shown.fold or run.fold ~= nil, shown.tags or #run.tags > 0
    shown.pruned = shown.pruned or run.after ~= nil
  end
  return shown
end

-- The disk space of the listed runs, and of what they share with others.
local function disk_line(db, runs, key)
  local own = 0
  for _, run in ipairs(runs) do own = own + key:get(run) end
  local stages, pixels = require("aniso.store.leftovers").shared_bytes(db,
    require("aniso.method.data").cache_folder())
  return ("on disk: these runs %s, first stages %s, decoded images %s (%s)"):format(
    common.megabytes(own).text, common.megabytes(stages).text, common.megabytes(pixels).text,
    require("aniso.store.hint").command(db, "gc"))
end

local function nothing(args)
  local what = args.removed and "removed run" or "run"
  if #args.filter == 0 then return ("there is no %s in %s"):format(what, args.db) end
  return ("no %s matches %s"):format(what, table.concat(args.filter, " "))
end

function ls.run(args)
  local db = common.open(args)
  local runs, catalog, mentioned, fitting = common.call(db, "select", args.filter,
    { sort = args.sort, limit = args.number > 0 and args.number or nil, removed = args.removed })
  if #runs == 0 then cli.fail(cli.NO_MATCH, nothing(args)) end
  if args.disk then mentioned[#mentioned + 1] = catalog:key "disk" end
  local keys = extra_keys(catalog, mentioned, args.varying and catalog:varying(runs) or {})
  local shown = columns_of(db, runs)
  local programs = tables.is_for_programs(args.format)
  local columns = { "run", "study", "label", "data", "seed", shown.fold and "fold" or "status",
    shown.fold and "status" or nil }
  for _, key in ipairs(keys) do
    columns[#columns + 1] = { name = programs and key.name or printed(key.name),
      digits = key.kind == "metric" and 3 or nil }
  end
  columns[#columns + 1], columns[#columns + 2] = "started", "wall"
  if shown.tags then columns[#columns + 1] = "tags" end
  if shown.pruned then columns[#columns + 1] = "pruned" end
  common.guarded(catalog.read_metrics, catalog, runs)
  local short = common.guarded(require("aniso.store.contents").short_ids, db, runs)
  local rows, name_of = {}, data_names(runs)
  for i, run in ipairs(runs) do rows[i] = row_of(run, short, keys, shown, name_of) end
  tables.print(columns, rows, args.format)
  if args.disk then console.note(disk_line(db, runs, catalog:key "disk")) end
  if fitting > #runs then
    console.note(("%d of %d runs; -n 0 shows all"):format(#runs, fitting))
  end
end

return ls
