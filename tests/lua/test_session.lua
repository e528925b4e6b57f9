-- The session as a class: its fields are declared, and its errors are texts for people.
local lu = require "luaunit"
local errors = require "aniso.recipe.errors"
local strict = require "aniso.recipe.strict"
local Session = require "aniso.train.session"
local fixture = dofile "tests/lua/lockstep_fixture.lua"

local T = {}

function T.test_a_declared_field_is_nil_until_it_is_set_and_any_other_name_is_an_error()
  local session = Session.new { config = fixture.complete {}, seed = 3 }
  lu.assertEquals(session.seed, 3)
  lu.assertNil(session.record)
  lu.assertNil(session.problem)
  session.problem = "broken"
  lu.assertEquals(session.problem, "broken")
  lu.assertErrorMsgContains("a session has no field or method sead", function() return session.sead end)
  lu.assertErrorMsgContains("a session has no field or method sead", function() session.sead = 4 end)
end

function T.test_a_class_of_declared_fields()
  local Point = {}
  local meta = strict.class("point", { x = "a coordinate", y = "another" }, Point)
  function Point:sum() return self.x + self.y end
  local point = setmetatable({ x = 1 }, meta)
  point.y = 2
  lu.assertEquals(point:sum(), 3)
  point.y = nil
  lu.assertNil(point.y)
  local _, why = pcall(function() point.z = 1 end)
  lu.assertStrMatches(why, "tests/lua/test_session.lua:%d+: a point has no field or method z")
  lu.assertErrorMsgContains("no field or method 1", function() return point[1] end)
end

function T.test_an_unattached_session_has_no_heartbeat()
  local session = Session.new { config = fixture.complete {}, seed = 0 }
  session:heartbeat()
  lu.assertEquals(session.group, {})
end

function T.test_an_errors_text_has_no_source_position()
  lu.assertEquals(errors.sentence "aniso/recipe/options.lua:12: option x must be a number",
    "option x must be a number")
  lu.assertEquals(errors.sentence "recipes/mine.lua:3: what", "recipes/mine.lua:3: what")
  local raised = setmetatable({}, { __tostring = function() return "a: b" end })
  lu.assertEquals(errors.sentence(raised), "a: b")
end

return { Session = T }
