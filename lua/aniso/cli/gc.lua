-- aniso gc: permanently deletes what aniso rm removed, rows and checkpoints, and lists other leftovers.
-- --dry-run only lists. Every folder and file that is or would be deleted is listed.
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local hint = require "aniso.store.hint"
local tables = require "aniso.show.table"

local command = { summary = "delete removed runs permanently, and find leftovers" }

function command.arguments(parser)
  parser:flag("-n --dry-run", "only list what would be deleted")
  parser:flag("--orphans", "also delete folders without a run, first stages that no run would use, "
    .. "and the last\ncheckpoints of finished runs")
  parser:flag("--cache", "also delete the decoded images in ~/.cache/aniso (the next run decodes them again)")
  common.db(parser)
  common.format(parser)
end

local function stays(one, args)
  return one.restored or one.extra and (one.keep or not args[one.flag or "orphans"])
end

local function what_happens(one, args)
  local verb = args.dry_run and "would be deleted" or "deleted"
  if one.restored then return "stays: it was restored meanwhile" end
  if one.extra and one.keep then return "stays: " .. one.keep end
  if stays(one, args) then return ("stays: --%s deletes it"):format(one.flag or "orphans") end
  local kept = one.keep or one.remark
  return kept and ("%s; %s"):format(verb, kept) or verb
end

function command.run(args)
  local gc = require "aniso.store.collect"
  local db <close> = args.dry_run and common.open(args) or common.open_to_write(args)
  local key_of = require("aniso.train.first_stage").key_of
  local plan, freed, left, rows = common.guarded(gc.plan, db, key_of,
    require("aniso.method.data").cache_folder()), 0, 0, {}
  if not args.dry_run then common.guarded(gc.carry_out, db, plan, { orphans = args.orphans,
    cache = args.cache }) end
  for _, one in ipairs(plan) do
    rows[#rows + 1] = { one.what, one.name, common.megabytes(one.bytes), what_happens(one, args) }
    if stays(one, args) then
      left = left + one.bytes
    else
      freed = freed + one.bytes
      for _, path in ipairs(one.path and {} or gc.paths(one)) do
        rows[#rows + 1] = { "", path, "", args.dry_run and "would be deleted" or "deleted" }
      end
    end
  end
  if #plan > 0 or args.format ~= "table" then
    tables.print({ "what", "name", "bytes", "what happens" }, rows, args.format)
  end
  local free = common.guarded(require("aniso.store.contents").free_bytes, db)
  local is_freed = args.dry_run and "would be freed" or "freed"
  console.note(("%s of files %s"):format(common.megabytes(freed).text, is_freed),
    left > 0 and (", %s left over"):format(common.megabytes(left).text) or "",
    free > 0 and ("; %s inside the database are free (%s)")
      :format(common.megabytes(free).text, hint.command(db, "db", "vacuum")) or "")
end

return command
