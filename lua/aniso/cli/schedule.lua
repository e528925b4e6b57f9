-- aniso schedule BASE --counts …: a noise schedule as a table of classes, as figures, or compared with
-- others; its bound, paths of the label vector through it, the image-needed share and the implied tilt: the
-- results of aniso.schedule{…}:plot(), :bound(), :simulate(), :share(), :tilt() and aniso.compare_schedules.
local cli = require "aniso.cli"
local common = require "aniso.cli.common"
local console = require "aniso.show.console"
local literal = require "aniso.recipe.literal"
local options = require "aniso.recipe.options"
local tables = require "aniso.show.table"
require "aniso.prompt.explore.schedule"

local schedule = { summary = "show a noise schedule: λ_j, signal and noise" }

local kinds = { "all", "signal", "noise", "snr" }

-- "3,2,1" → {3, 2, 1}
local function numbers(text)
  local out = {}
  for part in (text .. ","):gmatch "([^,]*)," do
    out[#out + 1] = math.tointeger(tonumber(part))
    if #out == 0 or not tonumber(part) or not math.tointeger(tonumber(part)) then
      return nil, ("expected whole numbers separated by commas, like 500,40,6; got %s"):format(text)
    end
  end
  return out
end

-- "0.5,0.25" → {0.5, 0.25}
local function shares(text)
  local out = {}
  for part in (text .. ","):gmatch "([^,]*)," do
    out[#out + 1] = tonumber(part)
    if not tonumber(part) then
      return nil, ("expected numbers separated by commas, like 0.7,0.2,0.1; got %s"):format(text)
    end
  end
  return out
end

local function one_number(text)
  local n = math.tointeger(tonumber(text))
  if n then return n end
  return nil, ("expected a whole number, got %s"):format(text)
end

function schedule.arguments(parser)
  parser:argument("base", "cosine (default), linear, scaled_linear, quadratic, sigmoid or constant"):args "?"
  parser:option("--T", "diffusion steps (default: 1000)"):argname "N":convert(one_number)
  parser:option("--lambda", [[policy of the levels: bound, '{"power", gamma = 0.5}' …]]):argname "POLICY"
  parser:option("--coupling", "variance (default), speed, sample, class_speed or image"):argname "NAME"
  parser:option("--counts", "training images of each class: 6705,1113 …"):argname "N,...":convert(numbers)
  parser:option("--K", "number of classes, without --counts"):argname "N":convert(one_number)
  parser:option("--times", "times in the table (default: quarters of T)"):argname "T,...":convert(numbers)
  parser:option("--plot", "draw all (default), signal, noise or snr"):args "?":argname "WHAT":choices(kinds)
  parser:option("--class", "draw only these classes: 1,7"):argname "N,...":convert(numbers)
  parser:option("--compare", [[draw one class (default: the rarest) against a schedule with other options:
    linear, '{lambda = "bound"}' … (repeatable)]]):argname("OPTIONS"):count "*"
  parser:option("--svg", common.TEXT.svg):argname "FILE"
  common.force(parser)
  parser:flag("--bound", "show E(λ) with λ ∝ n^−γ over γ, instead of the classes")
  parser:option("--simulate", "show paths for an image of this class"):argname "CLASS":convert(one_number)
  parser:option("--paths", "number of paths of --simulate (default: 2000)"):argname "N":convert(one_number)
  parser:option("--prior", "prior mean of --simulate: 0.7,0.2,0.1 (default: 1/K)"):argname "M,..."
    :convert(shares)
  parser:flag("--share", "show how much of the time each class needs the image, instead of the classes")
  parser:flag("--tilt", "show the log-odds shift of each class over time, instead of the classes")
  parser:option("--class-weight", [[of --tilt: power, '{"manual", values = {1, 2}}' …]]):argname "WEIGHT"
  parser:option("--level", common.TEXT.level .. " (for --tilt; default: mixture)"):argname "LEVEL"
  common.set(parser)
  common.format(parser)
end

local function given_by(args)
  local given = { args.base, T = args.T, coupling = args.coupling, counts = args.counts, K = args.K }
  if args.lambda then given.lambda = literal.read(args.lambda) end
  for _, set in ipairs(args.set) do options.set(given, (set[1]:gsub("^schedule%.", "")), set[2]) end
  return given
end

local function made_of(args)
  return require("aniso.method.schedule").new(given_by(args))
end

-- The arguments of aniso.compare_schedules: this schedule, and this one with other options.
local function compared(s, args)
  local list = { { args.base or "cosine", s } }
  for i, text in ipairs(args.compare) do
    local other, given = literal.read(text), given_by(args)
    for key, value in pairs(type(other) == "table" and other or { other }) do given[key] = value end
    list[i + 1] = { text, require("aniso.method.schedule").new(given) }
  end
  list[1][1] = args.lambda and list[1][1] .. " " .. args.lambda or list[1][1]
  return list
end

local function times_of(s, args)
  local out, seen = {}, {}
  for _, t in ipairs(args.times or { s.T // 4, s.T // 2, s.T * 3 // 4, s.T }) do
    if t < 0 or t > s.T then error(("--times: t = %d is outside 0 … T = %d"):format(t, s.T), 0) end
    if not seen[t] then out[#out + 1], seen[t] = t, true end
  end
  return out
end

-- A number rounded to the seven digits of a float32.
local function single(value)
  return tonumber(("%.7g"):format(value)) + 0.0
end

-- A row per class: n, λ, and at each time the signal a and the noise s.
local function class_table(s, times)
  local at = require("aniso.prompt.explore.curves").at
  local columns, rows = { "class", "n", { name = "lambda", digits = 4 } }, {}
  local counts, lambda = s.counts, s.lambda
  for i, t in ipairs(times) do
    columns[2 * i + 2] = { name = "a_" .. t, digits = 4 }
    columns[2 * i + 3] = { name = "s_" .. t, digits = 4 }
  end
  for j = 1, s.K do
    rows[j] = { j, counts and counts[j], single(lambda:get(j)) }
    local a, sd = at(s, times, j)
    for i = 1, #times do rows[j][2 * i + 2], rows[j][2 * i + 3] = single(a[i]), single(sd[i]) end
  end
  return columns, rows
end

local function bound_table(curve)
  local rows = {}
  for i = 1, #curve.gamma do rows[i] = { curve.gamma[i], curve.value[i] } end
  return { "gamma", "bound" }, rows
end

-- The option whose result replaces the table of classes, or nil.
local function only_one(args)
  local given = {}
  for _, name in ipairs { "bound", "simulate", "share", "tilt" } do
    if args[name] then given[#given + 1] = "--" .. name end
  end
  if #given > 1 then
    error(("%s and %s exclude each other: give one of them"):format(given[1], given[2]), 0)
  end
  return given[1]
end

local function check(args)
  local what = args.plot and (args.plot[1] or "all")
  if #args.compare > 0 or args.class then what = what or #args.compare > 0 and "snr" or "all" end
  local instead = only_one(args)
  if #args.compare > 0 and args.class and #args.class > 1 then
    error("--compare draws one class: give --class one number", 0)
  end
  if not args.tilt and (args.class_weight or args.level) then
    error("--class-weight and --level belong to --tilt", 0)
  elseif not args.simulate and (args.paths or args.prior) then
    error("--paths and --prior belong to --simulate CLASS", 0)
  end
  if args.svg and not require("aniso.show.output_file").is_named(args.svg, "%.svg$") then
    error(("--svg %s: the name of an SVG file ends in .svg"):format(args.svg), 0)
  elseif what and not args.svg and args.format ~= "table" then
    error(("--plot prints a drawing: leave out --format %s, or draw into --svg FILE"):format(args.format), 0)
  elseif instead and what then
    error(("%s draws itself: leave out --plot, --class and --compare"):format(instead), 0)
  end
  return what
end

local function write(args, draw)
  local written, why = cli.usage(draw, { file = args.svg, force = args.force })
  if not written then cli.fail(cli.FAILED, why) end
  console.note("written to ", args.svg)
end

-- A row per time and class.
local function simulation_table(r)
  local columns, rows = { "t", "class", "mean", "sd", "q05", "q50", "q95" }, {}
  for i, t in ipairs(r.t:list()) do
    for j = 1, r.mean:size(2) do
      local row = { t, j, single(r.mean:get(i, j)), single(r.sd:get(i, j)) }
      for q = 1, 3 do row[4 + q] = single(r.quantile:get(q, i, j)) end
      rows[#rows + 1] = row
    end
  end
  return columns, rows
end

-- A row per class.
local function share_table(r)
  local rows = {}
  for j, share in ipairs(r.share) do rows[j] = { j, share, r.error[j] } end
  return { "class", "share", "error" }, rows
end

-- A row per time and class.
local function tilt_table(r)
  local rows = {}
  for i, t in ipairs(r.t) do
    for k, values in ipairs(r.tilt) do rows[#rows + 1] = { t, k, values[i] } end
  end
  return { "t", "class", "tilt" }, rows
end

-- A result that draws itself, or its rows in the formats for programs.
local function show(result, as_table, args)
  if args.format == "table" then
    print(result) -- may contain the colours of a figure
  else
    local columns, rows = as_table(result)
    tables.print(columns, rows, args.format)
  end
  if args.svg then write(args, function(target) return result:plot(target) end) end
end

local function draw(s, args, what, target)
  target = { what = what, file = target and target.file, force = target and target.force, class = args.class }
  if #args.compare == 0 then return s:plot(target) end
  local given = compared(s, args)
  given.what, given.class = what, args.class and args.class[1]
  given.file, given.force = target.file, target.force
  return require "aniso.prompt.explore.compare_schedules"(given)
end

function schedule.run(args)
  local what = cli.usage(check, args)
  local s <close> = cli.usage(made_of, args)
  if args.bound then return show(cli.usage(s.bound, s), bound_table, args) end
  if args.simulate then
    local how = { y0 = args.simulate, n = args.paths, prior = args.prior }
    return show(cli.usage(s.simulate, s, how), simulation_table, args)
  end
  if args.share then return show(cli.usage(s.share, s), share_table, args) end
  if args.tilt then
    local how = { class_weight = args.class_weight and cli.usage(literal.read, args.class_weight),
      level = args.level and cli.usage(literal.read, args.level), times = args.times }
    return show(cli.usage(s.tilt, s, how), tilt_table, args)
  end
  cli.usage(require("aniso.prompt.explore.curves").chosen, s, args.class)
  cli.usage(compared, s, args)
  local columns, rows = class_table(s, cli.usage(times_of, s, args))
  tables.print(columns, rows, args.format)
  if s.before_training and args.format == "table" then console.print_text("\n" .. s.text) end
  if what and not args.svg then
    console.print()
    cli.usage(draw, s, args, what)
  end
  if args.svg then
    write(args, function(target) return draw(s, args, what or "all", target) end)
  end
end

return schedule
