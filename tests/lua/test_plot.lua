-- aniso.plot: the terminal's text and the SVG against golden texts, ticks, errors.
local lu = require "luaunit"
local axis = require "aniso.show.plot.axis"
local plot = require "aniso.show.plot"
local sys = require("aniso.core").sys

local function text(lines)
  return table.concat(lines, "\n")
end

-- A rising and a falling line, the second with bars at its ends.
local function crossing(more)
  local figure = { title = "Two lines", x = "t", y = "λ",
    series = {
      { label = "up", x = { 0, 10 }, y = { 0, 1 } },
      { label = "down", x = { 0, 5, 10 }, y = { 1, 0.5, 0 }, error = { false, 0.25, false } },
    },
    marks = { { x = 5, y = 0.5, label = "they meet" } } }
  for key, value in pairs(more or {}) do figure[key] = value end
  return figure
end

local function target(more)
  local out = { width = 30, height = 6, ascii = false, colour = false }
  for key, value in pairs(more or {}) do out[key] = value end
  return out
end

local Terminal = {}

function Terminal.test_braille()
  lu.assertEquals(plot.terminal(crossing(), target()), text {
    "Two lines",
    "    λ",
    "1.0 ┤⠑⠢⢄⡀               ⢀⡠⠔⠊",
    "    │   ⠈⠑b⢄⡀   ⢠   ⢀⡠a⠊⠁",
    "    │       ⠈⠑⠢⢄⣸⡠⠔⠊⠁",
    "0.5 ┤       ⢀⡠a⠊●⠒b⣀",
    "    │   ⢀⡠⠔⠊⠁   ⠘   ⠉⠒⠤⣀",
    "0.0 ┤⡠a⠊⠁               ⠉⠒b⣀",
    "    └┬──────────┬──────────┬ t",
    "     0          5         10",
    "  a up          b down",
    "  ● they meet",
  })
end

-- A dot per seed, also beyond the bars: the axis includes it.
function Terminal.test_dots()
  local figure = { x = "t", series = { { x = { 0, 2 }, y = { 1, 1 }, dots = { { 0, 0 }, { 2, 2 } } } } }
  lu.assertEquals(plot.terminal(figure, target()), text {
    "",
    "2 ┤                        ∘",
    "  │",
    "  │",
    "1 ┤⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉",
    "  │",
    "0 ┤∘",
    "  └┬───────────┬───────────┬ t",
    "   0           1           2",
  })
  lu.assertEquals(select(2, plot.svg(figure):gsub("<circle", "")), 2)
  lu.assertErrorMsgContains("series[1].dots[1] is not finite", plot.svg,
    { x = "t", series = { { x = { 0 }, y = { 1 }, dots = { { 0, 0 / 0 } } } } })
end

function Terminal.test_ascii()
  lu.assertEquals(plot.terminal(crossing(), target { ascii = true }), text {
    "Two lines",
    "    lambda",
    "1.0 +bb                  aaa",
    "    |  bbbb     |    aaaa",
    "    |      bbbb |aaaa",
    "0.5 +       aaab@bb",
    "    |   aaaa    |  bbbbbb",
    "0.0 +aaa                 bbb",
    "    ++----------+----------+ t",
    "     0          5         10",
    "  a up          b down",
    "  @ they meet",
  })
end

function Terminal.test_a_value_that_is_not_finite_interrupts_the_line()
  local figure = { series = { { x = { 0, 1, 2, 3, 4 }, y = { 0, 0, 0 / 0, 0, math.huge } } } }
  local rows = {}
  for line in plot.terminal(figure, target { ascii = true }):gmatch "[^\n]+" do rows[#rows + 1] = line end
  local drawn = 0
  for _, row in ipairs(rows) do
    local line = row:match "^[-%d. ]+[|+]([ *]*)$"
    if line and line:find "%*" then
      lu.assertEquals(line, "*******          *")
      drawn = drawn + 1
    end
  end
  lu.assertEquals(drawn, 1)
end

function Terminal.test_colours_are_used_only_on_request()
  local plain = plot.terminal(crossing(), target())
  local coloured = plot.terminal(crossing(), target { colour = true })
  lu.assertNotStrContains(plain, "\27")
  lu.assertStrContains(coloured, "\27[38;5;32ma up\27[0m")
  lu.assertStrContains(coloured, "\27[38;5;166mb down\27[0m")
  lu.assertEquals(coloured:gsub("\27%[[%d;]*m", ""), plain)
end

function Terminal.test_no_line_exceeds_the_requested_width()
  for _, width in ipairs { 40, 64, 100 } do
    for line in plot.terminal(crossing(), target { width = width }):gmatch "[^\n]+" do
      lu.assertTrue(utf8.len(line) <= width)
    end
  end
end

local Svg = {}

function Svg.test_golden()
  local got = plot.svg(crossing(), { width = 300, height = 220 }):gsub("<style>.-</style>", "<style/>")
  lu.assertEquals(got, text {
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 220" width="300" height="220" role="img">',
    "<title>Two lines</title>",
    "<desc>Two lines. λ against t.",
    "up: t 0: 0; t 10: 1",
    "down: t 0: 1; t 5: 0.5 (0.25 to 0.75); t 10: 0",
    "Marked: they meet, at t 5: 0.5</desc>",
    "<style/>",
    '<rect class="an-paper" width="300" height="220"/>',
    '<g transform="translate(0 0)">',
    '<path class="an-grid" d="M66 114H280"/>',
    '<text class="an-text" x="58" y="118" text-anchor="end">0.0</text>',
    '<path class="an-grid" d="M66 79H280"/>',
    '<text class="an-text" x="58" y="83" text-anchor="end">0.5</text>',
    '<path class="an-grid" d="M66 44H280"/>',
    '<text class="an-text" x="58" y="48" text-anchor="end">1.0</text>',
    '<path class="an-axis" d="M66 114v5"/>',
    '<text class="an-text" x="66" y="132" text-anchor="middle">0</text>',
    '<path class="an-axis" d="M173 114v5"/>',
    '<text class="an-text" x="173" y="132" text-anchor="middle">5</text>',
    '<path class="an-axis" d="M280 114v5"/>',
    '<text class="an-text" x="280" y="132" text-anchor="middle">10</text>',
    '<path class="an-axis" d="M66 44V114H280"/>',
    '<text class="an-text" x="173" y="150" text-anchor="middle">t</text>',
    '<text class="an-text an-title" x="14" y="24">Two lines</text>',
    '<text class="an-text" x="14" y="79" text-anchor="middle" transform="rotate(-90 14 79)">λ</text>',
    '<path class="an-line an-s1" d="M66 114L280 44"/>',
    '<path class="an-bar an-s2" style="stroke-dasharray:none" d="M173 96.5V61.5m-3 0h6M170 96.5h6"/>',
    '<path class="an-line an-s2" d="M66 44L173 79L280 114"/>',
    '<circle class="an-mark" cx="173" cy="79" r="5"/>',
    '<path class="an-line an-s1" d="M66 166h28"/>',
    '<text class="an-text" x="102" y="170">up</text>',
    '<path class="an-line an-s2" d="M66 186h28"/>',
    '<text class="an-text" x="102" y="190">down</text>',
    '<circle class="an-mark" cx="80" cy="206" r="5"/>',
    '<text class="an-text" x="102" y="210">they meet</text>',
    "</g>",
    "</svg>",
  } .. "\n")
end

function Svg.test_every_line_has_a_colour_by_day_and_by_night()
  local many = { title = "<many> & more", series = {} }
  for i = 1, 8 do many.series[i] = { label = '"' .. i .. '"', x = { 0, 1 }, y = { 0, i } } end
  local svg = plot.svg { many, many }
  for i = 1, 8 do
    local day = svg:match("%.an%-s" .. i .. "{stroke:(#%x+)")
    local night = svg:match("prefers%-color%-scheme:dark.*%.an%-s" .. i .. "{stroke:(#%x+)")
    lu.assertNotNil(day)
    lu.assertNotNil(night)
    lu.assertNotEquals(day, night)
    lu.assertStrContains(svg, 'class="an-line an-s' .. i .. '"')
  end
  lu.assertStrContains(svg, "<title>&lt;many&gt; &amp; more; &lt;many&gt; &amp; more</title>")
  lu.assertNotStrContains(svg, 'http://www.w3.org/1999')
  lu.assertNotStrContains(svg, "href")
end

function Svg.test_the_description_has_the_numbers()
  local x, y = {}, {}
  for i = 0, 100 do x[i + 1], y[i + 1] = i, i * i end
  local svg = plot.svg { title = "squares", series = { { label = "line", x = x, y = y } } }
  local description = svg:match "<desc>(.-)</desc>"
  lu.assertStrContains(description, "line: x 0: 0; x 10: 100; x 20: 400")
  lu.assertStrContains(description, "x 100: 1e+04")
end

local Other = {}

function Other.test_ticks()
  local function labels(...)
    local out = {}
    for i, tick in ipairs(axis.new(...).ticks) do out[i] = tick.label end
    return table.concat(out, " ")
  end
  lu.assertEquals(labels(0, 1000, 4), "0 250 500 750 1000")
  lu.assertEquals(labels(-0.25, 0.75, 5), "-0.2 0.0 0.2 0.4 0.6")
  lu.assertEquals(labels(0.13, 0.94, 4, true), "0.00 0.25 0.50 0.75 1.00")
  lu.assertEquals(labels(3, 3, 3), "2.8 3.0 3.2")
  lu.assertEquals(labels(0, 0, 2), "-1 0 1")
  lu.assertEquals(labels(0, 4e7, 2), "0 2e+07 4e+07")
end

-- Equal ratios have equal distances; ticks are the finest that fit.
function Other.test_a_logarithmic_axis()
  local function labels(...)
    local out = {}
    for i, tick in ipairs(axis.log(...).ticks) do out[i] = tick.label end
    return table.concat(out, " ")
  end
  lu.assertEquals(labels(1, 1280, 12), "1 2 5 10 20 50 100 200 500 1000")
  lu.assertEquals(labels(1, 1280, 5), "1 10 100 1000")
  lu.assertEquals(labels(0.0013, 0.0043, 6), "0.002 0.003 0.004")
  lu.assertEquals(labels(0.0013, 0.0016, 3), "0.0013 0.0014 0.0015 0.0016")
  lu.assertEquals(labels(4, 4, 7), "2 3 4 5 6 7 8")
  local of = axis.log(1, 100, 6)
  for value, share in pairs { [1] = 0, [10] = 0.5, [100] = 1 } do
    lu.assertAlmostEquals(axis.share(of, value), share, 1e-12)
  end
  local figure = { log_x = true, series = { { x = { 0, 1 }, y = { 1, 2 } } } }
  lu.assertErrorMsgContains("log_x needs every x above 0", plot.terminal, figure)
end

function Other.test_a_mistake_is_reported()
  local function assert_error(words, figure) lu.assertErrorMsgContains(words, plot.terminal, figure) end
  assert_error("series[1].y must be a list of 2 numbers", { series = { { x = { 1, 2 }, y = { 1 } } } })
  assert_error("series[1].x[2] is not finite", { series = { { x = { 1, 0 / 0 }, y = { 1, 2 } } } })
  assert_error("no finite point", { series = { { x = { 1 }, y = { 0 / 0 } } } })
  assert_error("a figure needs series", {})
  lu.assertErrorMsgContains("did you mean plot.width?", plot.draw, crossing(), { widht = 3 })
  lu.assertErrorMsgContains("ends in .svg", plot.draw, crossing(), { file = "x.png" })
end

function Other.test_a_file_is_written_or_an_error_returned()
  local folder = assert(sys.mkdtemp())
  local path = folder .. "/x.svg"
  lu.assertEquals(plot.draw(crossing(), { file = path }), path)
  local file <close> = assert(io.open(path))
  lu.assertEquals(file:read "a", plot.svg(crossing()))
  local written, why = plot.draw(crossing(), { file = folder .. "/none/x.svg" })
  lu.assertNil(written)
  lu.assertStrContains(why, "No such file")
  os.remove(path)
  os.remove(folder)
end

return { Terminal = Terminal, Svg = Svg, Other = Other }
