-- help(x): the annotations are complete, and names and values are resolved to them.
local lu = require "luaunit"
local aniso = require "aniso"
local annotations = require "aniso.prompt.help.annotations"
local manual = require "aniso.prompt.help.manual"

local all = annotations.load()

local T = {}

local function one(what)
  local texts = manual.find(what)
  lu.assertEquals(#texts, 1, tostring(what))
  return texts[1]
end

function T.test_types()
  local function split(text) return { annotations.split_type(text) } end
  lu.assertEquals(split "aniso.Tensor one-hot (B,K)", { "aniso.Tensor", "one-hot (B,K)" })
  lu.assertEquals(split "integer", { "integer", "" })
  lu.assertEquals(split '"a b"|"c" text', { '"a b"|"c"', "text" })
  lu.assertEquals(split "fun(a: b, c: d): e text", { "fun(a: b, c: d): e", "text" })
  lu.assertEquals(split "{ n: integer, mean: number }[]? it", { "{ n: integer, mean: number }[]?", "it" })
  lu.assertEquals(split "table<string, any> | nil x", { "table<string, any> | nil", "x" })
end

function T.test_parsing()
  local parsed = annotations.parse { ["x.lua"] = [[
---@meta _
-- Not for editors.

---An alias.
---@alias x.kind
---| x.A
---| "b" text

---A class.
---@class x.A : x.B
---@operator add(x.A): x.A
---@overload fun(n: integer): x.A
---Long text
---of a field.
---@field size? integer more.
---@field [1] "a"
local A = {}

---Does.
---@param n? integer how often
---@return boolean done
function A:go(n) end
]] }
  local class = parsed.classes["x.A"]
  lu.assertEquals(class.text, "A class.")
  lu.assertEquals(class.parents, { "x.B" })
  lu.assertNotNil(class.operators.add)
  lu.assertEquals(class.overloads, { "fun(n: integer): x.A" })
  lu.assertEquals(class.members.size, { name = "size", kind = "field", type = "integer", optional = true,
    text = "Long text of a field. more." })
  lu.assertEquals(class.members[2].name, 1)
  lu.assertEquals(class.members.go, { name = "go", kind = "method", text = "Does.", arguments = "n",
    params = { { name = "n", type = "integer", text = "how often", optional = true } },
    returns = { { type = "boolean", text = "done" } } })
  lu.assertEquals(annotations.parts(parsed, "x.kind|nil"), { "x.A", '"b"', "nil" })
end

-- What LuaLS would complain about.
function T.test_signatures_and_types()
  local function check_types(where, text)
    for name in text:gmatch "aniso[%w_.]*" do
      lu.assertTrue(all.classes[name] ~= nil or all.aliases[name] ~= nil, where .. ": no type " .. name)
    end
  end
  for _, class in ipairs(all.order) do
    for _, parent in ipairs(class.parents) do check_types(class.name, parent) end
    for _, member in ipairs(class.members) do
      local where, names = class.name .. "." .. tostring(member.name), {}
      check_types(where, member.type or "")
      for i, param in ipairs(member.params or {}) do
        names[i] = param.name
        check_types(where, param.type)
      end
      for _, result in ipairs(member.returns or {}) do check_types(where, result.type) end
      if member.arguments then lu.assertEquals(table.concat(names, ", "), member.arguments, where) end
    end
  end
end

function T.test_names()
  lu.assertStrContains(one "train.lr", "train.lr: number\n  Largest learning rate (default 0.001, above 0).")
  local gamma = manual.find "schedule.lambda.gamma" -- of two policies
  lu.assertEquals(#gamma, 2)
  lu.assertStrContains(gamma[1], "schedule.lambda.gamma: number\n  γ; below 0")
  lu.assertStrContains(gamma[2], "schedule.lambda.gamma: number[]\n  Candidates")
  lu.assertStrContains(one "Schedule:noised", "Schedule:noised(y0, m, t, eps [, level]) → Tensor\n")
  lu.assertEquals(one "aniso.Schedule.forward_step", one "forward_step")
  lu.assertStrContains(one "core.step.clip", "core.step.clip(g, limit) → number")
  lu.assertStrContains(one "grid", "Every combination")
  lu.assertStrContains(one "seeds", "seeds: integer|integer[]|string")
  lu.assertStrContains(one "help", "help(what)")
  local runs = manual.find "runs"
  lu.assertStrContains(runs[1], "runs: RunDatabase\n  The run database that --db names")
  lu.assertEquals(runs[2], one "RunDatabase")
  lu.assertEquals(one "aniso", one(aniso))
  local lambda = one "schedule.lambda"
  lu.assertStrContains(lambda, "option.lambda.manual")
  lu.assertStrContains(lambda, "(default 0.999, at least 0, below 1)")
  lu.assertEquals(#manual.find "schedule", 2) -- the option and aniso.schedule
  lu.assertEquals(manual.find "sampler.ddim", manual.find "option.sampler.ddim")
  lu.assertEquals(#manual.find "option.backbone.normalise", 3)
  lu.assertEquals(manual.find "nothing.like.this", {})
  lu.assertEquals(manual.nearest "schedule.lamda", "schedule.lambda")
  lu.assertEquals(manual.nearest "Tensor.reshpae", "Tensor.reshape")
end

function T.test_what_prints_as_a_plot()
  local s = aniso.schedule { "cosine", counts = { 90, 10 } }
  for _, result in ipairs { s:share { draws = 64 }, s:tilt(), s:bound(), s:simulate { y0 = 1, n = 2 } } do
    lu.assertStrContains(manual.find(result)[1], ":plot([target])")
  end
end

function T.test_every_name_is_found()
  for _, class in ipairs(all.order) do
    if class.name ~= "global" then lu.assertTrue(#manual.find(class.name) > 0, class.name) end
    local kind = class.name:match "^aniso%.option%.(.*)"
    if kind then lu.assertTrue(#manual.find(kind) > 0, kind) end
    for _, member in ipairs(class.members) do
      local name = class.name .. "." .. tostring(member.name)
      if class.name ~= "global" and type(member.name) == "string" then
        lu.assertTrue(#manual.find(name) > 0, name)
      end
    end
  end
end

-- What a type is called where an option is described.
function T.test_every_type_of_an_option_is_found()
  for name in pairs(all.aliases) do
    if #manual.classes_of(all, name) > 0 then lu.assertTrue(#manual.find(name) > 0, name) end
  end
end

function T.test_values()
  local s = aniso.schedule { K = 3 }
  lu.assertEquals(one(s), one "Schedule")
  lu.assertEquals(one(s.noised), one "Schedule:noised")
  lu.assertStrContains(one(aniso.schedule), "called: (given: option.schedule): Schedule")
  lu.assertEquals(one(aniso.grid), one "grid")
  lu.assertEquals(one(aniso.core.step.clip), one "core.step.clip")
  local x = aniso.tensor.zeros { 1 }
  lu.assertStrContains(one(x.relu), "Tensor:relu() → Tensor")
  lu.assertEquals(one(aniso.optim.adamw()), one "AdamW")
  lu.assertEquals(manual.find(string.rep), {})
  lu.assertEquals(manual.find(nil), {})
  lu.assertEquals(manual.find(7), {})
end

function T.test_contents()
  local contents = manual.contents()
  for _, name in ipairs(getmetatable(aniso).__dir()) do lu.assertStrContains(contents, "aniso." .. name) end
  for _, entry in ipairs { "Schedule", "RunDatabase", "Options of a run", "  train " } do
    lu.assertStrContains(contents, entry)
  end
end

return T
