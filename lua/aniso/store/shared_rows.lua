-- Things that runs share, stored once: study, configuration, data set, split, host, recipe.
-- Each function finds or makes the row and returns its id; call inside a transaction.
local core = require "aniso.core"
local identity = require "aniso.recipe.identity"
local must = require("aniso.store.db_error").must

local shared_rows = {}

local NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"

-- The first column of the only row.
local function id_of(connection, sql, ...)
  local rows, columns = must(connection:query(sql, ...))
  return rows[1][columns[1]]
end

function shared_rows.study(connection, name, kind)
  must(connection:exec("INSERT INTO study(name, kind, created_at) VALUES(?1, ?2, " .. NOW
    .. ") ON CONFLICT(name) DO NOTHING", name, kind))
  return id_of(connection, "SELECT study_id FROM study WHERE name = ?1", name)
end

local function is_scalar_list(value)
  for key, entry in pairs(value) do
    if math.type(key) ~= "integer" or type(entry) == "table" then return false end
  end
  return true
end

-- Calls visit(dotted key, leaf). A list of numbers or strings is one leaf; the name in {"ddim"}
-- and in {"ddim", steps = 20} is the leaf `sampler`, next to `sampler.steps`.
local function walk(value, key, visit)
  if type(value) == "table" and #value == 1 and type(value[1]) == "string" and next(value, 1) == nil
    and next(value) == 1 then
    value = value[1]
  end
  if type(value) ~= "table" or is_scalar_list(value) then return visit(key, value) end
  for name, entry in pairs(value) do
    local inner = key == "" and tostring(name) or key .. "." .. name
    if name == 1 and type(entry) ~= "table" then inner = key end
    walk(entry, inner, visit)
  end
end

local function number_of(value)
  if type(value) == "number" then return value end
  if type(value) == "boolean" then return value and 1 or 0 end
  return nil
end

local function add_params(connection, config_id, config)
  walk(config, "", function(key, value)
    local text = type(value) == "string" and value or core.json.encode(value)
    must(connection:exec("INSERT INTO config_param(config_id, key, num, txt) VALUES(?1, ?2, ?3, ?4)",
      config_id, key, number_of(value), text))
  end)
end

function shared_rows.config(connection, given)
  local config = identity(given)
  local json = core.json.encode(config)
  local sha256 = core.sha256.text(json)
  local known = must(connection:query("SELECT config_id FROM config WHERE sha256 = ?1", sha256))
  if known[1] then return known[1].config_id end
  local _, id = must(connection:exec("INSERT INTO config(sha256, json) VALUES(?1, ?2)", sha256, json))
  add_params(connection, id, config)
  return id
end

function shared_rows.dataset(connection, dataset)
  local added, id = must(connection:exec([[
    INSERT INTO dataset(name, sha256, source, n_classes, height, width, channels, content)
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(sha256) DO NOTHING]],
    dataset.name, dataset.sha256, dataset.source, #dataset.classes, dataset.height, dataset.width,
    dataset.channels, dataset.content))
  if added == 0 then
    must(connection:exec("UPDATE dataset SET content = ?2 WHERE sha256 = ?1 AND content IS NULL",
      dataset.sha256, dataset.content)) -- a row of a file before version 6 has none
    return id_of(connection, "SELECT dataset_id FROM dataset WHERE sha256 = ?1", dataset.sha256)
  end
  for i, name in ipairs(dataset.classes) do
    must(connection:exec("INSERT INTO dataset_class(dataset_id, class_idx, name) VALUES(?1, ?2, ?3)",
      id, i - 1, name))
  end
  return id
end

function shared_rows.split(connection, dataset_id, split)
  local added, id = must(connection:exec([[
    INSERT INTO data_split(dataset_id, name, profile, imbalance_factor, seed, test_is_val, sha256, folds,
                           fold_set, group_rule)
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT(sha256) DO NOTHING]],
    dataset_id, split.name, split.profile or "natural", split.imbalance_factor, split.seed,
    split.test_is_val or false, split.sha256, split.folds, split.fold_set,
    split.group_rule and core.json.encode(split.group_rule)))
  if added == 0 then
    return id_of(connection, "SELECT split_id FROM data_split WHERE sha256 = ?1", split.sha256)
  end
  for i, n_train in ipairs(split.n_train) do
    must(connection:exec([[
      INSERT INTO split_class(split_id, class_idx, n_train, n_val, n_test, shot)
      VALUES(?1, ?2, ?3, ?4, ?5, ?6)]],
      id, i - 1, n_train, split.n_val[i], split.n_test[i], split.shot[i]))
  end
  for i, cluster in ipairs(split.clusters or {}) do
    must(connection:exec("INSERT INTO split_cluster(split_id, sample_idx, cluster) VALUES(?1, ?2, ?3)",
      id, i - 1, cluster))
  end
  return id
end

function shared_rows.host(connection, host)
  local values = { host.hostname or "", host.os or "", host.arch or "", host.cpu or "",
    host.cores or 0, host.ram_bytes or 0, host.blas or "" }
  must(connection:exec([[
    INSERT INTO host(hostname, os, arch, cpu, cores, ram_bytes, blas)
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING]], table.unpack(values)))
  return id_of(connection, [[
    SELECT host_id FROM host WHERE hostname = ?1 AND os = ?2 AND arch = ?3 AND cpu = ?4
       AND cores = ?5 AND ram_bytes = ?6 AND blas = ?7]], table.unpack(values))
end

-- recipe: {path =, text =}, or nil.
function shared_rows.source(connection, recipe)
  if not recipe then return nil end
  local sha256 = core.sha256.text(recipe.text)
  must(connection:exec([[
    INSERT INTO source(sha256, path, content) VALUES(?1, ?2, ?3)
    ON CONFLICT(sha256) DO NOTHING]], sha256, recipe.path or "", recipe.text))
  return id_of(connection, "SELECT source_id FROM source WHERE sha256 = ?1", sha256)
end

return shared_rows
