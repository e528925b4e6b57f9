-- NumPy's .npy files as MONICA's lists use them (github.com/PyJulie/MONICA): an array of names, and a
-- pickled dictionary from names to class numbers. Format: numpy.lib.format, version 1 to 3.
-- A pickle is read as data: its functions are neither looked up nor called.
local fault = require "aniso.method.data.fault"
local sys = require("aniso.core").sys

local numpy = {}

local LARGEST = 1 << 28 -- bytes

-- The header, all bytes, and the position where the content starts.
local function read(path)
  local bytes = fault.need(sys.read(path, LARGEST))
  if bytes:sub(1, 6) ~= "\x93NUMPY" or #bytes < 12 then
    fault.raise("EFORMAT", "%s: not a .npy file", path)
  end
  local old = bytes:byte(7) == 1
  local length = string.unpack(old and "<I2" or "<I4", bytes, 9)
  local from = old and 11 or 13
  return bytes:sub(from, from + length - 1), bytes, from + length
end

-- n characters of four bytes each → UTF-8, without trailing zeros.
local function ucs4(bytes, at, n)
  local out = {}
  for k = 1, n do
    local code = string.unpack("<I4", bytes, at + 4 * (k - 1))
    if code == 0 then break end
    out[k] = utf8.char(code <= 0x10FFFF and code or 0xFFFD)
  end
  return table.concat(out)
end

-- The texts of a one-dimensional array of fixed width.
local function fixed_names(path, header, bytes, at)
  local kind, width = header:match "'descr':%s*'[<|]([US])(%d+)'"
  local n = math.tointeger(tonumber(header:match "'shape':%s*%((%d+),%)"))
  width = math.tointeger(tonumber(width))
  local size = width and width * (kind == "U" and 4 or 1)
  -- The header's numbers may be of any size: their product may overflow an integer, their quotient cannot.
  if not n or not width or width == 0 or size // width ~= (kind == "U" and 4 or 1)
    or n > (#bytes - at + 1) // size then
    fault.raise("EFORMAT", "%s: not an array of names (or cut off): %s", path, header:match "^%s*(.-)%s*$")
  end
  local out = {}
  for i = 1, n do
    local from = at + (i - 1) * size
    out[i] = kind == "U" and ucs4(bytes, from, width) or bytes:sub(from, from + size - 1):match "^(.-)\0*$"
  end
  return out
end

-- ── pickles ─────────────────────────────────────────────────────────────────────────────
-- A machine { bytes, at, stack, marks, memo }. Values: numbers, texts, NONE, lists, and dictionaries
-- { pairs = {key, value, …} }; a call is { call = name, arguments = list }.
local NONE = setmetatable({}, { __name = "None" })

local function take(m, format)
  local value
  value, m.at = string.unpack(format, m.bytes, m.at)
  return value
end

local function push(m, value) m.stack[#m.stack + 1] = value end
local function pop(m) return table.remove(m.stack) end

local function pop_to_mark(m)
  local mark = table.remove(m.marks)
  local items = table.move(m.stack, mark + 1, #m.stack, 1, {})
  for i = #m.stack, mark + 1, -1 do m.stack[i] = nil end
  return items
end

local function line(m)
  local text, at = m.bytes:match("^([^\n]*)\n()", m.at)
  m.at = assert(at, "no end of line")
  return text
end

-- Kind of a NumPy type and bytes → value; the kinds are those of NumPy's array protocol.
local SCALARS = {
  i = function(bytes) return (string.unpack("<i" .. #bytes, bytes)) end,
  u = function(bytes) return (string.unpack("<I" .. #bytes, bytes)) end,
  b = function(bytes) return bytes:byte() end,
  f = function(bytes) return (string.unpack(#bytes == 8 and "<d" or "<f", bytes)) end,
  U = function(bytes) return ucs4(bytes, 1, #bytes // 4) end,
}
local WIDTHS = { i = "[1248]", u = "[1248]", b = "1", f = "[48]", U = "%d+" }

-- NumPy's own numbers and texts are pickled as calls of `scalar` with a type and the bytes of the value.
local function scalar(called)
  local arguments = type(called.arguments) == "table" and called.arguments or {}
  local dtype, bytes = arguments[1], arguments[2]
  local code = type(dtype) == "table" and type(dtype.arguments) == "table" and dtype.arguments[1]
  local kind, width = tostring(code):match "^([iubfU])(%d+)$"
  local size = kind and math.tointeger(tonumber(width)) * (kind == "U" and 4 or 1)
  local known = called.call:find "scalar$" and type(bytes) == "string" and #bytes == size
    and width:find("^" .. WIDTHS[kind] .. "$")
  return known and SCALARS[kind](bytes) or called
end

local function pusher(format)
  return function(m) push(m, take(m, format)) end
end

local function tuple(n)
  return function(m)
    local items = {}
    for k = n, 1, -1 do items[k] = pop(m) end
    push(m, items)
  end
end

local function add_pairs(m, items)
  table.move(items, 1, #items, #m.stack[#m.stack].pairs + 1, m.stack[#m.stack].pairs)
end

local function memo_set(m, index) m.memo[index] = m.stack[#m.stack] end

local function nothing() end

-- opcode → what it does, after Python's pickletools.
local operations = {
  ["\x80"] = function(m) take(m, "<I1") end, ["\x95"] = function(m) take(m, "<I8") end,
  c = function(m) push(m, { name = line(m) .. " " .. line(m) }) end,
  ["\x93"] = function(m)
    local name = pop(m)
    push(m, { name = tostring(pop(m)) .. " " .. tostring(name) })
  end,
  X = pusher "<s4", ["\x8c"] = pusher "<s1", ["\x8d"] = pusher "<s8", B = pusher "<s4", C = pusher "<s1",
  T = pusher "<s4", U = pusher "<s1",
  K = pusher "<I1", M = pusher "<I2", J = pusher "<i4", G = pusher ">d",
  ["\x8a"] = function(m)
    local bytes = take(m, "<s1")
    push(m, #bytes > 0 and #bytes <= 8 and string.unpack("<i" .. #bytes, bytes) or 0)
  end,
  N = function(m) push(m, NONE) end,
  ["\x88"] = function(m) push(m, 1) end, ["\x89"] = function(m) push(m, 0) end,
  q = function(m) memo_set(m, take(m, "<I1")) end, r = function(m) memo_set(m, take(m, "<I4")) end,
  ["\x94"] = function(m)
    m.memo[m.next_memo] = m.stack[#m.stack]
    m.next_memo = m.next_memo + 1
  end,
  h = function(m) push(m, m.memo[take(m, "<I1")]) end, j = function(m) push(m, m.memo[take(m, "<I4")]) end,
  ["("] = function(m) m.marks[#m.marks + 1] = #m.stack end,
  t = function(m) push(m, pop_to_mark(m)) end, [")"] = function(m) push(m, {}) end,
  ["\x85"] = tuple(1), ["\x86"] = tuple(2), ["\x87"] = tuple(3),
  ["]"] = function(m) push(m, {}) end,
  e = function(m)
    local items = pop_to_mark(m)
    table.move(items, 1, #items, #m.stack[#m.stack] + 1, m.stack[#m.stack])
  end,
  a = function(m)
    local item = pop(m)
    table.insert(m.stack[#m.stack], item)
  end,
  ["}"] = function(m)
    push(m, { pairs = {} })
    m.dictionaries[#m.dictionaries + 1] = m.stack[#m.stack]
  end,
  u = function(m) add_pairs(m, pop_to_mark(m)) end,
  s = function(m)
    local value = pop(m)
    add_pairs(m, { pop(m), value })
  end,
  R = function(m)
    local arguments = pop(m)
    local called = pop(m)
    push(m, scalar { call = type(called) == "table" and called.name or "", arguments = arguments })
  end,
  b = function(m) -- the state of an object that is not created; an array's fifth is the list of its items
    local state = pop(m)
    if type(state) == "table" and type(state[5]) == "table" then m.items = state[5] end
  end,
  ["\x97"] = nothing, ["\x98"] = nothing,
}

-- The dictionaries in a pickle, and the items of its array.
local function unpickle(bytes, at, path)
  local m = { bytes = bytes, at = at, stack = {}, marks = {}, memo = {}, next_memo = 0, dictionaries = {} }
  while true do
    local code = bytes:sub(m.at, m.at)
    m.at = m.at + 1
    if code == "." then return m.dictionaries, m.items or {} end
    local operation = operations[code]
    if not operation or not pcall(operation, m) then
      fault.raise("EFORMAT", "%s: a pickle of other things than names and class numbers (byte %d)", path,
        m.at - 2)
    end
  end
end

-- The texts of a one-dimensional array, fixed-width or pickled.
function numpy.names(path)
  local header, bytes, at = read(path)
  if not header:find "'descr':%s*'|O'" then return fixed_names(path, header, bytes, at) end
  local _, items = unpickle(bytes, at, path)
  for i, name in ipairs(items) do
    if type(name) ~= "string" then
      fault.raise("EFORMAT", "%s: not an array of names: item %d is a %s", path, i - 1, type(name))
    end
  end
  if #items == 0 or header:match "'shape':%s*%((%d+),%)" ~= tostring(#items) then
    fault.raise("EFORMAT", "%s: not an array of names (or cut off): %s", path, header:match "^%s*(.-)%s*$")
  end
  return items
end

-- The dictionary from names to class numbers or class names, in a .npy file with one pickled object.
function numpy.dictionary(path)
  local header, bytes, at = read(path)
  if not header:find "'descr':%s*'|O'" then
    fault.raise("EFORMAT", "%s: not a dictionary from names to class numbers", path)
  end
  local out = {}
  for _, one in ipairs((unpickle(bytes, at, path))) do
    for k = 1, #one.pairs, 2 do
      local name, label = one.pairs[k], one.pairs[k + 1]
      label = type(label) == "string" and label ~= "" and label or math.tointeger(label)
      if type(name) == "string" and label then out[name] = label end
    end
  end
  return out
end

return numpy
