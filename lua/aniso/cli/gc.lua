-- aniso gc: deletes for good what aniso rm removed, rows and checkpoints, and says what else is
-- left over. --dry-run says what it would do.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local refusal = require "aniso.store.db_error"
local tables = require "aniso.show.table"

local command = { summary = "delete for good what was removed; find what is left over" }

function command.arguments(parser)
  parser:flag("-n --dry-run", "only say what would be freed")
  parser:flag("--orphans", "also delete folders of no run and first stages that no run would use")
  common.db(parser)
  common.format(parser)
end

local function what_happens(one, args)
  local verb = args.dry_run and "would be deleted" or "deleted"
  if one.extra and one.keep then return "stays: " .. one.keep end
  if one.extra and not args.orphans then return "stays: --orphans deletes it" end
  return one.keep and ("%s; %s"):format(verb, one.keep) or verb
end

local function bytes(n)
  return { text = ("%.2f MB"):format(n / 1e6), value = n }
end

-- What a refusal in the depth says is said in one line, with the database's exit code or 1.
local function guarded(f, ...)
  local result = table.pack(pcall(f, ...))
  if result[1] then return table.unpack(result, 2, result.n) end
  if refusal.is(result[2]) then cli.need(nil, result[2].message, result[2].code) end
  error(result[2], 0)
end

function command.run(args)
  local gc = require "aniso.store.collect"
  local db <close> = args.dry_run and common.open(args) or common.open_to_write(args)
  local plan, freed, left, rows = guarded(gc.plan, db), 0, 0, {}
  if not args.dry_run then guarded(gc.carry_out, db, plan, { orphans = args.orphans }) end
  for i, one in ipairs(plan) do
    rows[i] = { one.what, one.name, bytes(one.bytes), what_happens(one, args) }
    local stays = one.extra and (one.keep or not args.orphans)
    freed, left = freed + (stays and 0 or one.bytes), left + (stays and one.bytes or 0)
  end
  if #plan > 0 or args.format ~= "table" then
    tables.print({ "what", "name", "bytes", "what happens" }, rows, args.format)
  end
  local free = cli.need(db:query [[
    SELECT freelist_count * page_size AS n FROM pragma_freelist_count, pragma_page_size]])
  io.stderr:write(("%s of files %s"):format(bytes(freed).text, args.dry_run and "would be freed" or "freed"))
  if left > 0 then io.stderr:write((", %s left over"):format(bytes(left).text)) end
  if free[1].n > 0 then
    io.stderr:write(("; %s inside the database are free (aniso db vacuum)"):format(bytes(free[1].n).text))
  end
  io.stderr:write "\n"
end

return command
