-- Recipes of earlier versions: their old names are found in the text and in the options, changed together,
-- and the command that repeats a stored run accepts them. Names from other programs are suggestions.
local lu = require "luaunit"
local aniso = require "aniso"
local config = require "aniso.method.config"
local renamed = require "aniso.recipe.renamed"
local store = require "aniso.store"
local fixture = dofile "tests/lua/store_fixture.lua"

local Old = {}

function Old.test_a_stored_command_is_repeated_by_the_new_names()
  lu.assertEquals(renamed.setting "train.ema=0.5", "train.ema_decay=0.5")
  lu.assertEquals(renamed.setting "vary.prior.crop={6, 8}", "vary.prior.crop_size={6, 8}")
  lu.assertEquals(renamed.setting "train.epochs=3", "train.epochs=3")
  lu.assertEquals(renamed.setting "no setting", "no setting")
  local db <close> = assert(store.open(fixture.copy "tests/golden/runs-v4.sqlite"))
  assert(db:exec("UPDATE run SET argv = ?1",
    '["run","recipe.lua","--set","train.ema=0.5","--name","train.ema=x"]'))
  local function command()
    local lines = assert(require "aniso.store.reproduce"(db, db:find "1"))
    return lines[#lines]
  end
  lu.assertStrContains(command(), "--old-names --set train.ema=0.5 --name train.ema=x")
  assert(db:exec "UPDATE source SET content = 'return aniso.study {}'")
  lu.assertStrContains(command(), "lua --set train.ema_decay=0.5 --name train.ema=x")
end

-- The text of a recipe is searched without executing it.
function Old.test_old_names_in_the_text_of_a_recipe()
  lu.assertEquals(renamed.in_text [[base = { prior = { crop = 6 }, train = { sampler = "uniform" },
    sampler = { "ddim" } }, vary = { aniso.grid { ["train.decay"] = { 0, 1 } } } ]],
    { "prior.crop", "train.decay", "train.sampler" })
  lu.assertEquals(renamed.in_text [[base = { prior = { crop_size = 6, crops = 2 }, sampler = { "ddim" },
    data = { "folder", groups = {} } }, vary = { aniso.grid { ["train.weight_decay"] = { 0, 1 } } } ]], {})
end

function Old.test_old_names_are_changed_together()
  local given = { prior = { crop = 6, top = 30 }, train = { ema = 0.5, lr = 1 }, schedule = "cosine",
    data = { "lesions", shot = { many = 9, few = 3 } } }
  lu.assertEquals(renamed.describe(renamed.in_configs { {}, given }), "data.shot is now data.groups = "
    .. "{\"counts\", many = …, few = …}, prior.crop is now prior.crop_size, "
    .. "prior.top is now prior.top_percent, train.ema is now train.ema_decay")
  renamed.update(given)
  lu.assertEquals(given, { prior = { crop_size = 6, top_percent = 30 }, train = { ema_decay = 0.5, lr = 1 },
    schedule = "cosine", data = { "lesions", groups = { "counts", many = 9, few = 3 } } })
end

function Old.test_a_synonym_is_suggested()
  for name, meant in pairs(renamed.synonyms) do
    lu.assertErrorMsgEquals(("unknown option %s (did you mean %s?)"):format(name, meant), config.complete,
      aniso.options.apply({}, { [name] = 1 }))
    lu.assertNotNil(aniso.options.get(config.defaults, meant), meant)
  end
end

return { Old = Old }
