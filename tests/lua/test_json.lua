-- JSON: canonical texts, and resistance to hostile ones.
local lu = require "luaunit"
local core = require "aniso.core"

local Json = {}

function Json.test_canonical_text()
  local encode = core.json.encode
  lu.assertEquals(encode { b = 1, a = { true, "x\n\"", 0.1 } }, '{"a":[true,"x\\u000a\\"",0.1],"b":1}')
  lu.assertEquals(encode { "ddim", steps = 20.0 }, '{"1":"ddim","steps":20}')
  lu.assertEquals(encode {}, "{}")
  lu.assertEquals(encode(core.json.array {}), "[]")
  lu.assertEquals({ encode(1 / 3), encode(1e15), encode(2 ^ 53), encode(-0.0), encode(math.huge) },
    { "0.3333333333333333", "1000000000000000", "9007199254740992", "-0", "1e999" })
  for _, bad in ipairs { 0 / 0, 1 << 60, print, { [1.5] = 1 }, { [-1] = 1, a = 1 } } do
    lu.assertError(encode, bad)
  end
  local cycle = {}
  cycle.me = cycle
  lu.assertErrorMsgContains("in a cycle", encode, cycle)
end

-- Such a table has several lengths: each of its borders is one.
function Json.test_a_table_with_gaps_and_names_is_an_object()
  local text = '{"1":3,"3":1,"4":1,"name":30}'
  lu.assertEquals(core.json.encode(core.json.decode(text)), text)
  local value = { 3, name = 30 }
  value[3], value[4] = 1, 1
  lu.assertEquals(core.json.encode(value), text)
  lu.assertEquals(core.json.encode { 1, 2, [4] = 4 }, '{"1":1,"2":2,"4":4}')
end

function Json.test_round_trip_and_hostile_text()
  local value = { a = { 1, 2.5, "é", false }, sampler = { "ddim", steps = 3 },
    e = core.json.array {}, i = -math.huge }
  local text = core.json.encode(value)
  lu.assertEquals(core.json.encode(core.json.decode(text)), text)
  lu.assertEquals(math.type(core.json.decode("[3]")[1]), "integer")
  lu.assertEquals(core.json.decode("null"), core.json.null)
  for _, bad in ipairs { "", "{", "[1,]", "nul", "1 2", ("["):rep(500) .. ("]"):rep(500),
    ("["):rep(100000), '"\xff', '{"a":}' } do
    local got, message, code = core.json.decode(bad)
    lu.assertNil(got)
    lu.assertEquals(code, "EFORMAT", message)
  end
end

return { Json = Json }
