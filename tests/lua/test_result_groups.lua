-- Groups of results that were read from files (store/result_groups.lua): pooled folds, baselines.
local lu = require "luaunit"
local fixture = dofile "tests/lua/store_fixture.lua"
local result_file = require "aniso.store.result_file"
local stats = require "aniso.stats.groups"

local T = {}

local HEAD = "study,images,label,baseline,by,primary,folds,seed,fold,n,n_train,acc\n"

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

-- Folds without the row of all of them together; the table prints a note.
function T.test_folds_without_a_pooled_row()
  local path = fixture.folder() .. "/f.csv"
  local rows = "s,i,full,1,chain,1,2,0,0,10,5,0.5\ns,i,full,1,chain,1,2,0,1,10,5,0.7\n"
  write(path, HEAD .. rows)
  local results = result_file.read({ path }, "s")
  lu.assertNil(stats.of(results:groups()[1], "acc").mean)
  lu.assertTrue(results.unpooled)
  write(path, HEAD .. rows .. "s,i,full,1,chain,1,2,0,,20,,0.6\n")
  results = result_file.read({ path }, "s")
  lu.assertEquals(stats.of(results:groups()[1], "acc").mean, 0.6)
  lu.assertFalse(results.unpooled or false)
end

function T.test_two_baselines()
  local path = fixture.folder() .. "/b.csv"
  write(path, HEAD .. "s,i,a,1,chain,1,,0,,10,,0.5\ns,i,b,1,chain,1,,0,,10,,0.5\n"
    .. "s,i,c,0,chain,1,,0,,10,,0.1\n")
  local results = result_file.read({ path }, "s")
  local list = results:groups()
  lu.assertErrorMsgContains("a and b are each a baseline in the files: --baseline LABEL chooses one",
    results.baseline, results, list)
  lu.assertEquals(results:baseline(list, "b").label, "b")
  lu.assertEquals(results:baseline({ list[2], list[3] }).label, "b")
end

return T
