-- The report of a study: its structure for keyboards and screen readers, that it loads nothing from
-- outside, and that its numbers are those of summary and metric.
local lu = require "luaunit"
local escape = require "aniso.show.escape"
local bootstrap = require "aniso.stats.bootstrap"
local metric = require "aniso.stats.metric"
local study = require "aniso.show.report.study"
local stats = require "aniso.stats.groups"
local fixture = dofile "tests/lua/report_fixture.lua"
local markup = dofile "tests/lua/markup.lua"

local EVIL, COUNTS = fixture.EVIL, fixture.COUNTS
local facts_of, filled, page_of = fixture.facts_of, fixture.filled, fixture.page_of
local lists_of = fixture.lists_of

local Structure = {}

function Structure.test_the_page_is_navigable()
  local page = page_of()
  lu.assertEquals(page.root.attributes.lang, "en")
  for _, landmark in ipairs { "header", "nav", "main", "footer", "h1", "title" } do
    local count = #markup.all(page.all, landmark) - (landmark == "title" and #markup.all(page.all, "title",
      markup.all(page.all, "body")[1]) or 0)
    lu.assertEquals(count, 1, landmark)
  end
  local level = 0
  for _, element in ipairs(page.all) do
    local n = tonumber(element.name:match "^h(%d)$")
    if n then
      lu.assertTrue(n <= level + 1, "no heading skips a level")
      level = n
    end
  end
  local first = markup.all(page.all, "a")[1]
  lu.assertEquals({ first.attributes.class, first.attributes.href }, { "skip", "#main" })
end

function Structure.test_ids_are_unique_and_references_resolve()
  local page, ids = page_of(), {}
  for _, element in ipairs(page.all) do
    local id = element.attributes.id
    lu.assertTrue(id == nil or not ids[id], id)
    if id then ids[id] = true end
  end
  for _, element in ipairs(page.all) do
    local a = element.attributes
    if a.href then lu.assertTrue(ids[a.href:match "^#(.+)$"] or a.href:find "^data:" ~= nil, a.href) end
    for id in (a["aria-labelledby"] or ""):gmatch "%S+" do lu.assertTrue(ids[id], id) end
  end
end

function Structure.test_every_figure_has_a_description_and_its_numbers()
  local page = page_of()
  local figures = markup.all(page.all, "figure")
  lu.assertTrue(#figures >= 9, #figures)
  for _, figure in ipairs(figures) do
    lu.assertTrue(#markup.all(page.all, "table", markup.all(page.all, "details", figure)[1]) >= 1)
    lu.assertEquals(#markup.all(page.all, "figcaption", figure), 1)
  end
  local svgs = markup.all(page.all, "svg")
  lu.assertTrue(#svgs >= 10, #svgs)
  for _, svg in ipairs(svgs) do
    local title, desc = svg.children[1], svg.children[2]
    lu.assertEquals({ svg.attributes.role, title.name, desc.name }, { "img", "title", "desc" })
    lu.assertEquals(svg.attributes["aria-labelledby"], title.attributes.id .. " " .. desc.attributes.id)
    lu.assertTrue(#markup.text(title) > 5 and #markup.text(desc) > 20)
  end
end

function Structure.test_tables_have_scoped_headers()
  local page = page_of()
  for _, one in ipairs(markup.all(page.all, "table")) do
    lu.assertEquals(one.children[1].name, "caption")
    for _, th in ipairs(markup.all(page.all, "th", one)) do
      lu.assertTrue(th.attributes.scope == "col" or th.attributes.scope == "row")
    end
    local columns = #markup.all(page.all, "th", markup.all(page.all, "thead", one)[1])
    for _, row in ipairs(markup.all(page.all, "tr", markup.all(page.all, "tbody", one)[1])) do
      local cells = 0
      for _, cell in ipairs(row.children) do cells = cells + (type(cell) == "table" and 1 or 0) end
      lu.assertEquals(cells, columns)
    end
  end
end

function Structure.test_nothing_is_fetched_and_nothing_runs()
  local page = page_of()
  lu.assertStrContains(page.text,
    [[content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"]])
  for _, element in ipairs(page.all) do
    for _, name in ipairs { "script", "link", "iframe", "object", "embed", "form", "base", "img" } do
      lu.assertNotEquals(element.name, name)
    end
    for name in pairs(element.attributes) do
      lu.assertFalse(name:find "^on" ~= nil or name == "src" or name == "style", name)
    end
  end
  local css = markup.all(page.all, "style")[1].children[1]
  lu.assertFalse(css:find "url%(" ~= nil or css:find "@import" ~= nil)
end

function Structure.test_texts_from_outside_are_escaped()
  local page = page_of({}, { baseline = EVIL })
  lu.assertStrContains(page.seen, EVIL)
  local attributes = 0
  for _, element in ipairs(page.all) do
    for _, value in pairs(element.attributes) do
      if value:find(EVIL, 1, true) then attributes = attributes + 1 end
    end
  end
  lu.assertTrue(attributes > 0, "it reached an attribute, whole")
  lu.assertEquals(escape "a\0b\255<&>\"'", "a\\x00b\\xFF&lt;&amp;&gt;&quot;&#39;")
  lu.assertEquals(escape "\xc3\x28 é\u{202E}", "\\xC3( é\\u{202E}")
end

function Structure.test_one_configuration_and_many_also_give_pages()
  local many = page_of { groups = 12, seeds = 1 }
  lu.assertStrContains(many.seen, "10 others")
  local one = page_of { groups = 1, seeds = 1 }
  lu.assertStrContains(one.seen, "γ=0 is the study's only configuration.")
end

-- Of more than eight lines a chart names three at most and draws the others grey; more than six comparisons
-- are a table.
function Structure.test_many_configurations_are_grey_lines_and_a_table()
  local function count(page, id)
    local svg = page.text:match('<section id="' .. id .. '".-<svg(.-)</svg>')
    local _, grey = svg:gsub('class="stroke thin"', "")
    return grey, svg:find "other configurations" ~= nil
  end
  local few, many = page_of { groups = 3, probs = true }, page_of { groups = 12, probs = true }
  for _, id in ipairs { "operating", "risk" } do
    lu.assertEquals({ count(few, id) }, { 0, false })
    local grey, is_named = count(many, id)
    lu.assertTrue(is_named)
    lu.assertTrue(grey == 10 or grey == 11, grey) -- of twelve, and one of the legend
  end
  lu.assertStrContains(few.seen, "γ=0.5 has tail recall ")
  lu.assertNotStrContains(many.seen, "γ=0.5 has tail recall ")
  lu.assertStrContains(many.seen, "Tail recall at head recall 0.90; γ=0 has ")
end

local Numbers = {}

function Numbers.test_the_verdict_is_the_paired_t_interval_and_the_paired_bootstrap()
  local base, best, labels, calls = {}, {}, nil, {}
  for seed = 1, 3 do
    base[seed] = metric.from_confusion(COUNTS[1][2 + seed]).macro_f1
    best[seed] = metric.from_confusion(COUNTS[2][2 + seed]).macro_f1
    for side = 1, 2 do labels, calls[2 * seed - 2 + side] = lists_of(COUNTS[side][2 + seed]) end
  end
  local t = metric.paired_t(base, best)
  local page = page_of()
  local function shown(value) return (("%+.4f"):format(value):gsub("^%-", "−")) end
  lu.assertStrContains(page.seen, ("γ=0.5 has the highest macro F1: Δ %s [%s, %s] over 3 seeds against the "
    .. "baseline γ=0."):format(shown(t.mean), shown(t.lo), shown(t.hi)))
  lu.assertStrContains(page.seen, "It is the best of 3 by these same numbers")
  local w = 1 / 3
  local images = bootstrap.combined(bootstrap.samples(labels, calls, 3), { -w, w, -w, w, -w, w }, 0.95,
    { of = { 1, 1, 2, 2, 3, 3 }, draws = 1000, seed = 0 }).macro_f1
  lu.assertAlmostEquals(images.value, t.mean, 1e-12)
  lu.assertStrContains(page.seen, ("Over the 22 test images and the seeds: 95 %% interval of Δ [%s, %s]")
    :format(shown(images.lo), shown(images.hi)))
end

-- The report and compare have the same rule: below three pairs Δ has no interval.
function Numbers.test_two_seeds_give_no_interval()
  local page = page_of { seeds = 2, groups = 2 }
  lu.assertStrMatches(page.seen, ".*highest macro F1: Δ [^%[]* over 2 seeds against.*")
  lu.assertStrContains(page.seen, "2 seeds are too few to distinguish a difference from chance")
  lu.assertNotStrContains(page.seen, "interval over seeds")
  local db <close> = fixture.filled { seeds = 2, groups = 2 }
  local delta = assert(db:compare("s", { draws = 10 })).metrics[1].delta[2]
  lu.assertEquals({ delta.n, delta.lo, delta.p }, { 2, nil, nil })
end

function Numbers.test_the_summary_is_the_table_of_aniso_table()
  local db <close> = filled()
  local known = facts_of(db)
  local page = study(known)
  for _, group in ipairs(known.groups) do
    local m = stats.of(group, "macro_f1")
    lu.assertStrContains(page, ("%.3f ± %.3f"):format(m.mean, m.sd))
  end
end

function Numbers.test_recall_confusion_and_bins_are_summed_over_the_seeds()
  local db <close> = filled()
  local known = facts_of(db)
  local recall = known:classes(known.base)[1].recall
  lu.assertEquals(recall.values, { 0.8, 0.7, 0.9 })
  lu.assertAlmostEquals(recall.mean, 0.8, 1e-12)
  lu.assertEquals(known:confusion(known.base), { { 24, 6, 0 }, { 7, 13, 4 }, { 2, 5, 5 } })
  lu.assertEquals(known:bins(known.base)[2], { n = 36, sum_conf = 27.0, n_correct = 24 })
  lu.assertEquals(known:order(), { 1, 2, 3 })
end

function Numbers.test_the_baseline_is_the_requested_or_the_isotropic_one()
  local db <close> = filled()
  lu.assertEquals(facts_of(db).base.label, "γ=0")
  local other = facts_of(db, { baseline = "γ=0.5" })
  lu.assertEquals({ other.base.label, other.best.label, other.other.label }, { "γ=0.5", "γ=0.5", "γ=0" })
  lu.assertStrContains(markup.text(markup.read(study(other))),
    "No configuration has a better macro F1 than the baseline γ=0.5; next is γ=0, Δ −")
  lu.assertErrorMsgContains("no configuration of the study is called γ=7 (it has: γ=0, γ=0.5, ", facts_of, db,
    { baseline = "γ=7" })
end

function Numbers.test_the_baseline_is_the_recipes()
  local db <close> = filled()
  assert(db:set_plan("s", {}, "γ=0.5"))
  lu.assertEquals(facts_of(db).base.label, "γ=0.5")
  lu.assertEquals(facts_of(db, { baseline = "γ=0" }).base.label, "γ=0")
  assert(db:set_plan("s", {}, "of no finished run"))
  lu.assertEquals(facts_of(db).base.label, "γ=0")
end

function Numbers.test_a_metric_where_less_is_better()
  local page = page_of({}, { metric = "nll", baseline = "γ=0.5" })
  lu.assertStrContains(page.seen,
    "γ=0 has the lowest NLL: Δ −0.5000 over 3 seeds against the baseline γ=0.5.")
  lu.assertStrContains(page.seen, "Untested: the difference is the same at each seed, which gives no")
  local db <close> = filled()
  lu.assertErrorMsgContains("seed is not a metric", facts_of, db, { metric = "seed" })
end

return { Structure = Structure, Numbers = Numbers }
