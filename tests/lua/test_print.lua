-- Output for people: tables, values, completion.
local lu = require "luaunit"
local tables = require "aniso.show.table"
local pretty = require "aniso.show.pretty"
local complete = require "aniso.prompt.complete"

local T = {}

function T.test_a_table_is_aligned_by_display_width()
  local text = tables.format({ "name", { name = "f1", digits = 2 }, "n" },
    { { "é", 0.5, 10 }, { "中文", nil, 7 }, { "long name", 0.25, 100 } })
  lu.assertEquals(text, "name         f1    n\n─────────  ────  ───\né          0.50   10\n"
    .. "中文        n/a    7\nlong name  0.25  100\n")
end

function T.test_bold_only_on_request()
  local rows = { { { text = "0.9", value = 0.9, bold = true } } }
  lu.assertStrContains(tables.format({ "a" }, rows, "table", true), "\27[1m0.9\27[0m")
  lu.assertNotStrContains(tables.format({ "a" }, rows, "table", false), "\27")
end

local function widest(text)
  local most = 0
  for line in text:gmatch "[^\n]+" do most = math.max(most, tables.width(line)) end
  return most
end

function T.test_a_table_fits_the_terminal_in_blocks_that_repeat_what_names_a_row()
  local columns, rows = { "label", "by", "acc", "macro_f1", "tail", keys = 2 }, {
    { "long label", "chain", 0.25, 0.5, 0.75 }, { "long label", "prior", 0.125, 1.0, 2.0 } }
  lu.assertEquals(tables.format(columns, rows, "table", false, 36),
    "label       by       acc  macro_f1\n──────────  ─────  ─────  ────────\n"
    .. "long label  chain   0.25       0.5\nlong label  prior  0.125         1\n\n"
    .. "label       by     tail\n──────────  ─────  ────\nlong label  chain  0.75\nlong label  prior     2\n")
  lu.assertEquals(tables.format(columns, rows, "table", false, 80), tables.format(columns, rows))
  lu.assertEquals(tables.format(columns, rows, "csv", false, 36), tables.format(columns, rows, "csv"))
end

function T.test_a_long_text_continues_in_its_column()
  lu.assertEquals(tables.format({ "fact", "value" }, { { "note", "seen with too few images of melanoma" },
    { "path", ("x"):rep(30) } }, "table", false, 30),
    "fact  value\n────  ────────────────────────\nnote  seen with too few images\n      of melanoma\n"
    .. "path  " .. ("x"):rep(24) .. "\n      xxxxxx\n")
end

function T.test_no_line_is_wider_than_the_terminal()
  local columns, row = { keys = 3 }, {}
  for j = 1, 30 do
    columns[j] = ("column %d"):format(j):rep(j % 4 + 1)
    row[j] = j % 3 == 0 and j / 7 or ("日本語 and words "):rep(j)
  end
  for room = 20, 120, 7 do
    lu.assertTrue(widest(tables.format(columns, { row, row }, "table", false, room)) <= room)
  end
end

function T.test_bold_cells_of_a_wide_table_keep_their_place()
  local text = tables.format({ "run", "a", "b" }, { { "r", { text = "0.1", value = 0.1, bold = true },
    { text = ("0.2 "):rep(5), value = 0.2, bold = true } } }, "table", true, 24)
  lu.assertStrContains(text, "\27[1m0.1\27[0m")
  lu.assertTrue(widest((text:gsub("\27%[%d*m", ""))) <= 24)
end

function T.test_wrapping_keeps_every_word_and_takes_linear_time()
  local wrap = require("aniso.show.text_width").wrap
  lu.assertEquals(wrap("one two three four", 7), { "one two", "three", "four" })
  lu.assertEquals(wrap("ab cdefghijklmnop q", 7), { "ab", "cdefghi", "jklmnop", "q" })
  lu.assertEquals(wrap("", 7), { "" })
  lu.assertEquals(wrap("\xff\xfe\xfd", 2), { "\xff\xfe", "\xfd" })
  local long = ("word "):rep(100000) .. "end"
  lu.assertTrue(table.concat(wrap(long, 60), " ") == long)
end

function T.test_csv_is_quoted_and_its_lines_end_with_lf()
  local text = tables.format({ "a", "b" }, { { 'say "hi", you', 0.1 }, { "two\nlines", nil },
    { { text = "0.9", value = 0.875 }, 3 } }, "csv")
  lu.assertEquals(text, 'a,b\n"say ""hi"", you",0.1\n"two\nlines",\n0.875,3\n')
end

function T.test_csv_keeps_every_bit()
  local value = 0.1 + 0.2
  local text = tables.format({ "a" }, { { value } }, "csv")
  lu.assertIs(tonumber(text:match "\n(.-)\n"), value)
end

function T.test_json_has_the_columns_in_order()
  lu.assertEquals(tables.format({ "b", "a" }, { { 'q"\n', nil }, { 0 / 0, true } }, "json"),
    '[\n  {"b": "q\\"\\u000a", "a": null},\n  {"b": null, "a": true}\n]\n')
  lu.assertEquals(tables.format({ "b" }, {}, "json"), "[]\n")
end

function T.test_values()
  lu.assertEquals(pretty.format { 1, 2.5, "a\n", { x = true, ["a b"] = 1 } },
    '{1, 2.5, "a\\n", { ["a b"] = 1, x = true }}')
  lu.assertEquals(pretty.format(2.0), "2.0")
  lu.assertEquals(pretty.format "é", '"é"')
  lu.assertEquals(pretty.format {}, "{}")
  lu.assertEquals(pretty.format { ["end"] = 1 }, '{ ["end"] = 1 }')
  local loop = {}
  loop.me = loop
  lu.assertEquals(pretty.format(loop), "{ me = {… itself} }")
  lu.assertEquals(pretty.format(setmetatable({}, { __tostring = function() return "T" end })), "T")
end

function T.test_long_lists_are_cut()
  local long = {}
  for i = 1, 1000 do long[i] = i end
  local text = pretty.format(long)
  lu.assertStrContains(text, "… 940 more")
  for line in text:gmatch "[^\n]+" do lu.assertTrue(#line <= 100) end
end

function T.test_completion()
  local env = setmetatable({ schedule = { signal = 1, sigma = 2 } }, { __index = _G })
  lu.assertEquals({ complete("sche", env) }, { "dule" })
  lu.assertEquals({ complete("x = schedule.si", env) }, { "g", "sigma   signal" })
  lu.assertEquals({ complete("schedule.sigm", env) }, { "a" })
  lu.assertNil((complete("nothing.at.all", env)))
  lu.assertStrContains(select(2, complete("aniso.", { aniso = require "aniso" })), "schedule")
  lu.assertEquals((complete("math.flo", env)), "or")
end

function T.test_completion_depends_on_the_context()
  local env = setmetatable({ rows = { { label = "ddpm", text = "abc" } } }, { __index = _G })
  lu.assertEquals((complete("print(rows[1].la", env)), "bel")
  lu.assertEquals((complete("rows[1]['te", env)), nil) -- in a string
  lu.assertEquals((complete('rows[1]["text"]:up', env)), "per")
  lu.assertEquals((complete("'a' .. ro", env)), "ws")
  lu.assertNil((complete("-- ro", env)))
  lu.assertEquals((complete("x = 'ro' fu", env)), "nction")
  lu.assertNil((complete("rows:la", env))) -- not a method
end

function T.test_completion_of_options()
  local env = { aniso = require "aniso" }
  local function adds(before) return (complete(before, env)) end
  lu.assertEquals(adds "aniso.schedule{ coun", "ts = ")
  lu.assertEquals(adds "aniso.schedule({ T = 5, coup", "ling = ")
  lu.assertEquals(adds "aniso.study{ name = 'a', base = { train = { ep", "ochs = ")
  lu.assertEquals(adds "aniso.study{\n  base = {\n    train = { lr = 1,\n      ep", "ochs = ")
  lu.assertEquals(adds 'aniso.study{ name = "{", baseli', "ne = ")
  lu.assertEquals(adds "aniso.schedule{ T = aniso.ver", "sion") -- a value, not an option
  lu.assertNil(adds "aniso.schedule{ trai")
  lu.assertStrContains(select(2, complete("aniso.schedule{ ", env)), "lambda")
  env.s = env.aniso.schedule { K = 2 }
  lu.assertEquals(adds "s:plot{ wh", "at = ")
end

function T.test_completion_of_an_option_s_values()
  local env = { aniso = require "aniso" }
  local function adds(before) return (complete(before, env)) end
  lu.assertEquals(adds 'aniso.schedule{ lambda = "bo', 'und"')
  lu.assertEquals(adds "aniso.schedule{ K = 3, lambda = 'isot", "ropic'")
  lu.assertEquals(adds 'aniso.schedule{ lambda = { "pow', 'er"')
  lu.assertEquals(adds 'aniso.schedule{ lambda = { "power", normalise = "geo', 'metric"')
  lu.assertEquals(adds 'aniso.study{ base = { train = { mode = "sta', 'ged"')
  lu.assertEquals(adds 'aniso.schedule{ "cos', 'ine"')
  lu.assertStrContains(select(2, complete('aniso.study{ base = { select = { keep = "', env)), "last")
  lu.assertNil(adds 'aniso.schedule{ lambda = "bound", K = "bo') -- a number
  lu.assertNil(adds 'print "bo')
  lu.assertNil(adds 'x = "bo')
  lu.assertNil(adds 'aniso.schedule{ lambda = "bound" .. "bo')
end

function T.test_records_are_a_table()
  lu.assertEquals(pretty.format { { name = "b", run_id = 1, at = { 1 } }, { name = "c", run_id = 2 } },
    "run_id  name\n──────  ────\n     1  b\n     2  c\nalso: at")
  lu.assertEquals(pretty.format { { a = 1 }, { b = 2 } }, "{{ a = 1 }, { b = 2 }}")
  local many = {}
  for i = 1, 60 do many[i] = { i = i } end
  lu.assertStrContains(pretty.format(many), "\n50\n… 10 more")
end

function T.test_results()
  local function results(...) return table.concat(require "aniso.prompt.results"(...), "|") end
  lu.assertEquals(results({ 1, 2 }), "{1, 2}")
  lu.assertEquals(results(nil, 7), "nil|7")
  lu.assertEquals(results({ { n = 1, m = 2 } }, { "n", "m" }), "n  m\n─  ─\n1  2")
  lu.assertEquals(results({}, { "n" }), "no rows")
  lu.assertEquals(results(nil, "there is no run x", "ENOTFOUND"), "there is no run x")
  lu.assertEquals(results({ 1 }, { "n" }), '{1}|{"n"}')
  lu.assertStrContains(results(require("aniso").grid), "grid(axes) → Variation[]\n")
  lu.assertStrContains(results(require("aniso").schedule), "Noise levels over time and over classes.")
  lu.assertStrMatches(results(string.rep), "function: .*")
end

return T
