-- For tests of data = features: files of features whose bytes are made here, independently of the engine, and
-- tables for them. Values are multiples of 1/4 below 64, which every type holds exactly.
local lu = require "luaunit"
local data = require "aniso.method.data"

local fixture = {}

-- ── numbers ─────────────────────────────────────────────────────────────────────────────
local function f16(x)
  if x == 0 then return "\0\0" end
  if x ~= x then return string.pack("<I2", 0x7e00) end
  if math.abs(x) == math.huge then return string.pack("<I2", x > 0 and 0x7c00 or 0xfc00) end
  local sign, exponent = x < 0 and 0x8000 or 0, 0
  local m = math.abs(x)
  while m >= 2 do m, exponent = m / 2, exponent + 1 end
  while m < 1 do m, exponent = m * 2, exponent - 1 end
  return string.pack("<I2", sign | (exponent + 15) << 10 | math.tointeger((m - 1) * 1024))
end

local function bf16(x) return string.pack("<f", x):sub(3, 4) end

fixture.types = {
  float32 = { npy = "<f4", safetensors = "F32", pack = function(x) return string.pack("<f", x) end },
  float64 = { npy = "<f8", safetensors = "F64", pack = function(x) return string.pack("<d", x) end },
  float16 = { npy = "<f2", safetensors = "F16", pack = f16 },
  bfloat16 = { safetensors = "BF16", pack = bf16 },
}

-- The number of row i, token t and place d, all from 0: another one for each row of a small file.
function fixture.value(i, t, d)
  return ((i * 37 + t * 11 + d * 5) % 97 - 48) / 4
end

-- The bytes of n rows of N tokens of D numbers. value [opt]: as fixture.value.
function fixture.bytes(kind, n, N, D, value)
  local out, pack = {}, fixture.types[kind].pack
  for i = 0, n - 1 do
    for t = 0, N - 1 do
      for d = 0, D - 1 do out[#out + 1] = pack((value or fixture.value)(i, t, d)) end
    end
  end
  return table.concat(out)
end

-- ── files ───────────────────────────────────────────────────────────────────────────────
-- changes [opt]: descr, order ("True" for Fortran), version.
function fixture.npy(shape, descr, bytes, changes)
  changes = changes or {}
  local text = ("{'descr': '%s', 'fortran_order': %s, 'shape': (%s,), }"):format(changes.descr or descr,
    changes.order or "False", table.concat(shape, ", "))
  text = text .. (" "):rep(63 - (10 + #text) % 64) .. "\n"
  local version = changes.version or 1
  return "\x93NUMPY" .. string.char(version, 0) .. string.pack(version == 1 and "<s2" or "<s4", text) .. bytes
end

-- tensors: a list of {name, type, shape, bytes}; ids [opt]: text of the metadata.
function fixture.safetensors(tensors, ids)
  local parts, bytes, at = {}, {}, 0
  if ids then parts[1] = ('"__metadata__":{"ids":"%s"}'):format(ids:gsub("\n", "\\n")) end
  for _, one in ipairs(tensors) do
    local name, kind, shape, own = table.unpack(one)
    parts[#parts + 1] = ('"%s":{"dtype":"%s","shape":[%s],"data_offsets":[%d,%d]}'):format(name, kind,
      table.concat(shape, ","), at, at + #own)
    bytes[#bytes + 1], at = own, at + #own
  end
  return string.pack("<s8", "{" .. table.concat(parts, ",") .. "}") .. table.concat(bytes)
end

-- A file of a type in one of both formats. ids [opt]: for safetensors.
function fixture.file(format, kind, n, N, D, ids, value)
  local shape = N == 0 and { n, D } or { n, N, D }
  local bytes = fixture.bytes(kind, n, math.max(N, 1), D, value)
  local names = fixture.types[kind]
  if format == "npy" then return fixture.npy(shape, names.npy, bytes) end
  return fixture.safetensors({ { "features", names.safetensors, shape, bytes } }, ids)
end

-- ── a set ───────────────────────────────────────────────────────────────────────────────
local CLASSES = { "nv", "mel", "df" }

-- Row i of the table, from 0: half of the images are of the first class, a sixth of the last one.
function fixture.class(i)
  return CLASSES[({ 1, 1, 1, 2, 2, 3 })[i % 6 + 1]]
end

function fixture.id(i) return ("im%03d"):format(i) end

-- Lines of a table of n images in the order that `order` gives, two of a patient.
function fixture.table(n, order)
  local lines = { "id,label,patient,index" }
  for i = 0, n - 1 do
    local row = order and order(i) or i
    lines[#lines + 1] = ("%s,%s,p%d,%d"):format(fixture.id(row), fixture.class(row), row // 2, row)
  end
  return table.concat(lines, "\n") .. "\n"
end

function fixture.ids(n)
  local out = {}
  for i = 0, n - 1 do out[#out + 1] = fixture.id(i) end
  return table.concat(out, "\n")
end

-- ── a data set in the folder of a test case ─────────────────────────────────────────────
-- The options of a set in the folder case.layout.
function fixture.options(case, changes)
  local out = { "features", root = case.layout.root, file = "f.safetensors", table = "t.csv", val = 0.2,
    test = 0.2 }
  for key, value in pairs(changes or {}) do out[key] = value end
  return out
end

-- Writes a file of n images with ids and its table. → the name of the file
function fixture.write(case, format, kind, n, tokens, D, order)
  local name = "f." .. format
  case.layout:write(name, fixture.file(format, kind, n, tokens, D, fixture.ids(n)))
  case.layout:write("t.csv", fixture.table(n, order))
  return name
end

-- Opening the set fails with one line that has the texts.
function fixture.refuses(case, changes, ...)
  local ds, message = data.open(fixture.options(case, changes))
  lu.assertNil(ds)
  for _, text in ipairs { ... } do lu.assertStrContains(message, text) end
  lu.assertNil(message:find "\n", nil, message)
end

return fixture
