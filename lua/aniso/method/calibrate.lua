-- The option select.calibrate: how a tilt, a temperature and a test level are chosen on the validation
-- part once the weights are chosen, and how one of several predictions is chosen (METHOD §2). Nothing is
-- trained, and the test part is not used.
--   { metric = "bacc", tau = {0, 0.5, 1}, temperature = {…}, level = {…}, where = "vote" }
local catalog = require "aniso.stats.metric.catalog"
local metric = require "aniso.stats.metric"
local nearest = require "aniso.recipe.nearest"
local options = require "aniso.recipe.options"
local post_hoc = require "aniso.method.post_hoc"
local sampler = require "aniso.method.sampler"
local shift = require "aniso.stats.tilt"

local calibrate = {}

local MOST = 10000 -- candidates, each measured once

local function default_taus()
  local out = {}
  for i = 0, 15 do out[i + 1] = i / 10 end
  return out
end

-- Metrics that need only the class probabilities, by their printed names.
local function metric_names()
  local names = {}
  for _, entry in ipairs(catalog.metrics) do
    if entry.name ~= "interval_width" and entry.name ~= "agreement" then
      names[#names + 1] = catalog.printed(entry.name)
    end
  end
  return names
end

-- A metric by its printed or stored name: "tail" is stored as "few".
local metric_option = options.custom(function(value, where)
  local names, stored = metric_names(), catalog.aliases[value] or value
  for _, name in ipairs(names) do
    if stored == (catalog.aliases[name] or name) then return stored end
  end
  local meant = type(value) == "string" and nearest(value, names)
  error(("option %s: there is no metric %s of class probabilities (%s)"):format(where, tostring(value),
    meant and ("did you mean %s?"):format(meant) or "known: " .. table.concat(names, ", ")), 0)
end, "macro_f1", { about = { type = "string" } })

calibrate.fields = {
  metric = metric_option,
  tau = options.list(options.number {}, default_taus()),                 -- of sampler.tilt "prior"
  temperature = options.list(options.number { above = 0 }),              -- {}: the sampler's
  level = options.list(sampler.common.level),                            -- {}: the sampler's
  where = options.one_of { "vote", "chain" },
}

-- The rule of the option: a table, the bare name of a metric, or false for none.
calibrate.option = options.custom(function(given, where)
  if given == false or given == "none" then return nil end
  if type(given) == "string" then given = { metric = given } end
  local o = options.check(given, calibrate.fields, where)
  if #o.tau == 0 then error(("option %s.tau: give at least one value; 0 means no tilt"):format(where), 0) end
  local count = #o.tau * math.max(1, #o.temperature) * math.max(1, #o.level)
  if count > MOST then
    error(("option %s: %d candidates, expected at most %d"):format(where, count, MOST), 0)
  end
  return o
end, nil, { about = { fields = calibrate.fields, optional = true } })

-- Raises if a complete configuration both tilts the sampler and calibrates a tilt.
function calibrate.check_two_tilts(config)
  if config.select.calibrate and config.sampler.tilt[1] ~= "none" then
    error("select.calibrate chooses the tilt on validation, and sampler.tilt sets one: give one of them", 0)
  end
end

-- Raises if a metric belongs to a group of classes without a validation image.
local function check_group(name, split)
  local group, there = name:match "^auprc_(%l+)$" or name, false
  if group ~= "many" and group ~= "medium" and group ~= "few" then return end
  for k, n in ipairs(split.n_val) do there = there or n > 0 and split.shot[k] == group end
  if not there then
    error(("option select.calibrate.metric is %s, and the validation part has no image of the group %s")
      :format(catalog.printed(name), catalog.printed(group)), 0)
  end
end

-- Raises if a complete configuration chooses on validation after training, but the validation part is the
-- test part or lacks images that the choice needs.
function calibrate.check_validation(config, dataset)
  if config.select.calibrate then check_group(config.select.calibrate.metric, dataset.split) end
  if dataset.split.test_is_val == 0 then return end
  local name = config.select.calibrate and "select.calibrate"
    or config.post_hoc and post_hoc.chooses(config.post_hoc) and "post_hoc (without a tau)"
  if name then
    error(("option %s chooses on validation, and the data has no validation part: give data.val")
      :format(name), 0)
  end
end

-- The sampler's options, some of them replaced.
local function with(how, changes)
  local out = options.copy(how)
  for key, value in pairs(changes) do out[key] = value end
  return out
end

local function tilt_of(tau, where)
  return tau == 0 and { "none" } or { "prior", tau = tau, where = where }
end

-- The chains to run on the validation part, {how = sampler options, listed = whether it has candidates} each:
-- `how` itself first, then one for each level, and for each τ if the tilt is applied inside the chain.
function calibrate.chains(o, how, coupling)
  local levels = coupling == "sample" and #o.level > 0 and o.level or { how.level }
  local function key(level, tau) return ("%s %.17g"):format(level, tau) end
  local out = { { how = how, listed = false } }
  local known = { [key(how.level, 0)] = out[1] }
  for _, level in ipairs(levels) do
    for _, tau in ipairs(o.where == "chain" and o.tau or { 0 }) do
      local one = known[key(level, tau)]
      if not one then
        one = { how = with(how, { level = level, tilt = tilt_of(tau, o.where) }) }
        known[key(level, tau)], out[#out + 1] = one, one
      end
      one.listed = true
    end
  end
  return out
end

-- The number of images in the final evaluation, an image counted once for each chain it needs.
function calibrate.images(config, dataset)
  local o = config.denoiser[1] ~= "none" and config.select.calibrate
  local chains = o and #calibrate.chains(o, config.sampler, config.schedule.coupling) or 1
  return chains * dataset:n "val" + math.min(chains, 2) * dataset:n "test"
end

-- The sampler's options changed by a stored choice: {rule, tau, temperature, level}.
function calibrate.sampler_of(record, how)
  return with(how, { level = record.level, temperature = record.temperature,
    tilt = tilt_of(record.tau, record.rule.where) })
end

-- Whether two sampler options need the same chains; they may differ in the temperature and the tilt of the
-- vote.
function calibrate.same_chains(a, b)
  local function inside(how) return how.tilt.where == "chain" and how.tilt.tau or 0 end
  return a.level == b.level and inside(a) == inside(b)
end

local HIGHER = {}
for _, entry in ipairs(catalog.metrics) do HIGHER[entry.name] = entry.higher end

-- Whether a candidate is better; of equal ones the first is kept.
local function better(name, value, best)
  if value == nil then return false end
  return best == nil or HIGHER[name] and value > best or not HIGHER[name] and value < best
end

-- The τ with the best tilt of `rows` (N rows of K probabilities). of: {o, counts, labels, shot}.
-- → value, τ; nil if the metric is undefined.
local function best_tau(of, rows, taus)
  local best, chosen
  for _, tau in ipairs(taus) do
    local tilted = tau == 0 and rows or shift.apply(rows, shift.prior(of.counts, tau)):totable()
    local value = metric.value(of.o.metric, of.labels, tilted, of.shot)
    if better(of.o.metric, value, best) then best, chosen = value, tau end
  end
  return best, chosen
end

local function undefined(o)
  error(("select.calibrate: the validation part has no %s"):format(catalog.printed(o.metric)), 0)
end

-- The best candidate. runs: chains() with read(temperature) → N rows of probabilities. Candidates come in
-- the order of the chains, temperatures and τ, and of equal ones the first is taken. → {how = sampler
-- options, tau, temperature, level, value, index = of its chain}
function calibrate.choose(of, runs)
  local o, best = of.o, nil
  local inside, own = o.where == "chain", { runs[1].how.temperature }
  for index, run in ipairs(runs) do
    for _, temperature in ipairs(not run.listed and {} or #o.temperature > 0 and o.temperature or own) do
      local value, tau = best_tau(of, run.read(temperature), inside and { 0 } or o.tau)
      if better(o.metric, value, best and best.value) then
        tau = inside and (run.how.tilt.tau or 0) or tau
        best = { tau = tau, temperature = temperature, level = run.how.level, value = value, index = index,
          how = with(run.how, { temperature = temperature, tilt = tilt_of(tau, o.where) }) }
      end
    end
  end
  return best or undefined(o)
end

-- The best τ for predictions without chains, N rows of K probabilities. → {tau, value}
function calibrate.choose_tau(of, rows)
  local value, tau = best_tau(of, rows, of.o.tau)
  return value and { tau = tau, value = value } or undefined(of.o)
end

return calibrate
