-- Text from outside at each exit: no escape sequence, no control that reorders a line, no formula.
local lu = require "luaunit"
local escape = require "aniso.show.escape"
local plot = require "aniso.show.plot"
local pretty = require "aniso.show.pretty"
local progress = require "aniso.show.progress"
local screen = require "aniso.show.screen"
local sys = require("aniso.core").sys
local tables = require "aniso.show.table"

local T = {}

local EVIL = "a\27]0;t\7\27[2J\u{9b}31m\u{202E}b\nc\r\xff"
local SHOWN = [[a\x1B]0;t\x07\x1B[2J\u{9B}31m\u{202E}b\nc\r\xFF]]

-- Without bytes below a space, but for those in `allowed`, and without what `visible` replaces.
local function assert_inert(text, allowed)
  local rest = text:gsub("[" .. (allowed or "\n") .. "]", "")
  lu.assertEquals(sys.visible(rest), rest)
end

-- A stream that keeps what is written.
local function stream()
  local written = {}
  return { write = function(_, ...) table.move({ ... }, 1, select("#", ...), #written + 1, written) end,
    flush = function() end, text = function() return table.concat(written) end }
end

function T.test_the_form_of_a_text()
  lu.assertEquals(sys.visible(EVIL), SHOWN)
  lu.assertEquals(sys.visible("two\nlines\tand a tab\r", true), "two\nlines\tand a tab\\r")
  lu.assertEquals(sys.visible "γ=½ 日本 e\u{301}", "γ=½ 日本 e\u{301}")
  lu.assertEquals(sys.visible "", "")
end

function T.test_tables_of_every_format()
  local utf8_evil = EVIL:gsub("\xff", "")
  for _, format in ipairs(tables.formats) do
    for _, cell in ipairs { EVIL, utf8_evil, { text = utf8_evil, value = utf8_evil } } do
      local text = tables.format({ utf8_evil, "n" }, { { cell, 1 } }, format)
      assert_inert(text)
      lu.assertNotStrContains(text, "\u{202E}")
    end
  end
  lu.assertStrContains(tables.format({ "a" }, { { utf8_evil } }, "table"), (SHOWN:gsub("\\xFF", "")))
  -- JSON keeps every character, as a code.
  local json = tables.format({ "a" }, { { "\u{202E}\27\u{E0041}" } }, "json")
  lu.assertStrContains(json, [["\u202e\u001b\udb40\udc41"]])
end

function T.test_a_cell_that_a_spreadsheet_would_run()
  lu.assertEquals(tables.format({ "=a" }, { { "=1+1" }, { "@SUM(A1)" }, { "-2" }, { -2 } }, "csv"),
    "'=a\n'=1+1\n'@SUM(A1)\n'-2\n-2\n")
  for text, written in pairs { ["a;=1"] = "a;'=1", ["a\n@b"] = '"a\n\'@b"', ["\t =1"] = "\"\t '=1\"",
    [" -1"] = "\" '-1\"", ["x=1;y-2"] = "x=1;y-2", ["\u{FF1D}1"] = "'\u{FF1D}1" } do
    lu.assertEquals(tables.format({ "a" }, { { text } }, "csv"), "a\n" .. written .. "\n", text)
  end
end

function T.test_markup_of_documents()
  local text = "![x](http://h) [a](b) <b>&amp; `_~*|"
  lu.assertStrContains(tables.format({ "a" }, { { text } }, "md"),
    [[\!\[x\](http://h) \[a\](b) &lt;b>&amp;amp; \`\_\~\*\|]])
  lu.assertStrContains(tables.format({ "a" }, { { "<|>" } }, "latex"),
    [[\textless{}\textbar{}\textgreater{}]])
end

function T.test_pages_and_figures()
  lu.assertEquals(escape "\27<\u{202E}", "\\x1B&lt;\\u{202E}")
  local figure = { title = EVIL, x = EVIL, y = EVIL, marks = { { x = 1, y = 1, label = EVIL } },
    series = { { label = EVIL, x = { 0, 1 }, y = { 0, 1 } }, { label = "b", x = { 0, 1 }, y = { 1, 0 } } } }
  for _, ascii in ipairs { true, false } do
    assert_inert(plot.terminal(figure, { colour = false, ascii = ascii, width = 200 }))
  end
  assert_inert(plot.svg(figure))
end

function T.test_progress_and_screens()
  local out = stream()
  local board = progress.board { stream = out, terminal = false }
  board:line { label = EVIL, total = 2 }:fail(EVIL)
  board:print(EVIL)
  lu.assertStrContains(out.text(), [[a\x1B]0;t]])
  assert_inert(out.text())
  out = stream()
  local block <close> = screen.new { stream = out, terminal = true, size = function() return 400, 24 end }
  block:draw { EVIL }
  lu.assertStrContains(out.text(), SHOWN)
  lu.assertNotStrContains(out.text(), "\27]0")
  block:print(EVIL)
  lu.assertNotStrContains(out.text(), "\27[2J")
end

function T.test_values_at_the_prompt()
  local text = pretty.format { [EVIL] = EVIL }
  assert_inert(text)
  lu.assertEquals(load("return " .. text)()[EVIL], EVIL)
end

return T
