-- Facts of published data sets: totals, the spelling of classes, the text of SCIN's labels.
local lu = require "luaunit"
local kvasir = require "aniso.method.data.hyper_kvasir"
local registry = require "aniso.method.data.registry"
local scin = require "aniso.method.data.scin"

local T = {}

function T.test_published_totals()
  local function total(kind)
    local n = 0
    for _, one in ipairs(registry.of[kind].counts) do n = n + one[2] end
    return { #registry.of[kind].counts, n }
  end
  lu.assertEquals(total "ham10000", { 7, 10015 })
  lu.assertEquals(total "isic2018", { 7, 10015 })
  lu.assertEquals(total "isic2019", { 8, 25331 })
  lu.assertEquals(total "pad_ufes_20", { 6, 2298 })
  lu.assertEquals(total "hyper_kvasir", { 23, 10662 })
end

function T.test_weights_of_conditions()
  lu.assertEquals(scin.weights "{'Eczema': 0.67, 'Insect Bite': 0.33}", { { "Eczema", 0.67 },
    { "Insect Bite", 0.33 } })
  lu.assertEquals(scin.weights [[{"Grover's disease": 1.0}]], { { "Grover's disease", 1 } })
  lu.assertEquals(scin.weights "{}", {})
  for _, wrong in ipairs { "Eczema", "{Eczema: 1}", "{'Eczema': }", "{'a': 1 'b': 2}", "['a']", "{'a': 1" } do
    lu.assertNil(scin.weights(wrong), wrong)
  end
  lu.assertEquals(scin.top({ { "a", 0.3 }, { "b", 0.7 } }, 0.5), "b")
  lu.assertNil(scin.top({ { "a", 0.3 }, { "b", 0.4 } }, 0.5))
  lu.assertNil(scin.top({ { "a", 0.5 }, { "b", 0.5 } }, 0.5))
end

function T.test_hyper_kvasir_spellings()
  for table_name, folder_name in pairs { ["normal-z-line"] = "z-line",
    ["oesophagitis-b-d"] = "esophagitis-b-d",
    hemorroids = "hemorrhoids", polyp = "polyps", ["short-segment-barretts"] = "barretts-short-segment",
    ["bbps-0-1"] = "bbps-0-1", hemorrhoids = "hemorrhoids", polyps = "polyps" } do
    lu.assertEquals(kvasir.class(table_name), folder_name)
  end
end

return { DataPublished = T }
