-- The identity of a recipe's function: its own text and everything that it captures.
local lu = require "luaunit"
local core = require "aniso.core"
local own_part = require "aniso.recipe.own_part"

-- Writes a recipe's text into a file; returns the recipe's result.
local function load_recipe(text)
  local folder = assert(core.sys.mkdtemp())
  local path = folder .. "/parts.lua"
  assert(core.sys.write_atomic(path, text))
  return assert(loadfile(path))(), function()
    os.remove(path)
    os.remove(folder)
  end
end

local function hash_of(f)
  return own_part.reference(f, "x").sha256
end

-- The hash of the function that a recipe's text returns.
local function hash(text)
  local f, clean = load_recipe(text)
  local ok, found = pcall(hash_of, f)
  clean()
  if not ok then error(found, 0) end
  return found
end

local Identity = {}

function Identity.test_is_the_function_and_what_it_captures()
  local text = "local scale = 2\nreturn function(n)\n  return n * scale\nend\n"
  local own = hash(text)
  lu.assertEquals(hash("-- moved\n\n" .. text .. "-- end"), own)
  lu.assertNotEquals(hash((text:gsub("scale = 2", "scale = 3"))), own)
  lu.assertNotEquals(hash((text:gsub("n %* scale", "n / scale"))), own)
  text = "local function twice(x)\n  return 2 * x\nend\nreturn function(n)\n  return twice(n)\nend\n"
  lu.assertNotEquals(hash(text), hash((text:gsub("2 %* x", "3 * x"))))
end

function Identity.test_does_not_include_the_rest_of_its_line()
  local one = hash 'return ({ label = "a", f = function(n) if n then return n end end, g = 1 }).f'
  lu.assertEquals(hash 'return ({ f = function(n) if n then return n end end, label = "other" }).f', one)
end

function Identity.test_libraries_are_identified_by_name()
  local text = 'local aniso = require "aniso"\nlocal log = math.log\nreturn function(n)\n'
    .. "  return aniso, log(n)\nend\n"
  lu.assertEquals(hash(text), hash(text))
end

-- What a function captures is part of it, wherever it comes from.
function Identity.test_every_captured_value_counts()
  local changes = {
    { "local g = math.sqrt return function(n) return g(n) end", "math%.sqrt", "math.log" },
    { 'local g = require("aniso").grid return function() return g end', "grid", "power" },
    { 'local g = require("aniso.core").tensor.zeros return function() return g end', "zeros", "ones" },
    { "local a, b = { 1 }, { 2 } local t = a return function() return a, b, t end", "t = a", "t = b" },
    { "local t = setmetatable({}, { __index = { e = 1 } }) return function() return t.e end", "e = 1",
      "e = 2" },
    { "local t = { g = math.sqrt } return function() return t end", "math%.sqrt", "math.exp" },
  }
  for _, change in ipairs(changes) do
    local text, other = change[1], change[1]:gsub(change[2], change[3])
    lu.assertEquals(hash(text), hash(text), text)
    lu.assertNotEquals(hash(text), hash(other), text)
  end
end

function Identity.test_a_module_of_the_users_counts_by_what_it_holds()
  local text = 'local h = package.loaded.own_helper return function() return h.g end'
  local function with(factor)
    package.loaded.own_helper = { g = factor }
    local out = hash(text)
    package.loaded.own_helper = nil
    return out
  end
  lu.assertEquals(with(1), with(1))
  lu.assertNotEquals(with(1), with(2))
end

function Identity.test_a_table_with_a_table_as_key_is_an_error()
  lu.assertErrorMsgContains("captures t, a table with a key that is a table",
    hash, "local t = { [{}] = 1 } return function() return t end")
end

function Identity.test_two_functions_on_one_line_are_an_error()
  local pair, clean = load_recipe "return { function() return 1 end, function() return 2 end }"
  hash_of(pair[1])
  lu.assertErrorMsgContains("begin and end on the same line", hash_of, pair[2])
  clean()
end

function Identity.test_a_function_without_source_is_an_error()
  lu.assertErrorMsgContains("captures x, a userdata",
    hash, 'local x = require("aniso.core").tensor.zeros { 2 }\nreturn function() return x end')
  lu.assertErrorMsgContains("function of the program itself", hash_of, math.log)
end

return { Identity = Identity }
