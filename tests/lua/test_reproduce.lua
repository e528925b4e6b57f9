-- The commands that repeat a run are words for a shell, whatever a database holds.
local lu = require "luaunit"
local core = require "aniso.core"
local hint = require "aniso.store.hint"
local reproduce = require "aniso.store.reproduce"
local fixture = dofile "tests/lua/store_fixture.lua"

local Reproduce = {}

local HOSTILE = { "$(touch x)", "`touch x`", "a;touch x", "it's", "", "~", "=ls", "a b", "*", "#x", "\\",
  "λ" }

-- The words of a line as sh reads them.
local function as_words(text)
  local pipe <close> = assert(io.popen("printf '%s\\n' " .. text))
  return pipe:read "a"
end

function Reproduce.test_a_quoted_word_is_one_word()
  for _, word in ipairs(HOSTILE) do
    lu.assertEquals(as_words(hint.quoted(word)), word .. "\n")
  end
  lu.assertEquals(hint.quoted "train.lr=0.1", "train.lr=0.1")
end

function Reproduce.test_a_printed_command_has_its_names()
  for _, name in ipairs(HOSTILE) do
    lu.assertEquals(as_words(hint.command("runs.db", "work", { name })), "aniso\nwork\n" .. name .. "\n")
  end
  for _, name in ipairs { "a\nb", "a\27[2Jb", "it's\t100 %\\n", "a\u{202E}b" } do
    local line = hint.command("runs.db", "work", { name })
    lu.assertEquals(core.sys.visible(line), line)
    lu.assertEquals(as_words(line), "aniso\nwork\n" .. name .. "\n")
  end
  lu.assertEquals(hint.command("-a.db", "work", { "-x" }), "aniso work --db ./-a.db -- -x")
  lu.assertEquals(hint.command("runs.db", "ls", "--removed"), "aniso ls --removed")
end

local function lines_of(changes)
  local db = fixture.new()
  db:start_run(fixture.description(changes)):finish()
  local run = assert(db:find "@last")
  local lines, why, code = reproduce(db, run)
  db:close()
  return lines, why, code
end

function Reproduce.test_a_label_like_a_flag_is_none()
  local lines = assert(lines_of { label = "-x", argv = { "run", "x.lua" }, name = "n" })
  lu.assertStrContains(lines[#lines], " --only=-x ")
end

function Reproduce.test_what_a_database_holds_is_quoted()
  for _, word in ipairs(HOSTILE) do
    local lines = assert(lines_of { label = word, argv = { "run", "x.lua", "--set", word }, name = "n" })
    lu.assertStrContains(lines[1], "the recipe in it is code")
    local printed = as_words(lines[#lines])
    lu.assertStrContains(printed, "\n--set\n" .. word .. "\n")
    lu.assertStrContains(printed, "\n--only\n" .. word .. "\n")
  end
end

function Reproduce.test_comments_stay_comments()
  local lines = assert(lines_of { tool_version = "0.1\ntouch x", git = { commit = "a\rb" },
    host = { hostname = "h", os = "Linux", cpu = "c\n\27[2Jrm", cores = 2, ram_bytes = 1 } })
  for i = 1, #lines - 1 do
    lu.assertTrue(lines[i]:sub(1, 2) == "# " or lines[i]:sub(1, 11) == "aniso show ", lines[i])
  end
  lu.assertNil(table.concat(lines, " "):find "%c")
end

function Reproduce.test_control_characters_in_a_word_are_refused()
  local lines, why, code = lines_of { label = "a\n\27]0;title\7" }
  lu.assertNil(lines)
  lu.assertStrContains(why, "control characters in a\\n\\x1B]0;title\\x07")
  lu.assertEquals(code, "EFORMAT")
end

-- The path of the recipe is the database's: what is not a file there is not read.
function Reproduce.test_a_pipe_at_the_path_of_the_recipe_is_not_read()
  local path = fixture.folder() .. "/pipe"
  assert(os.execute("mkfifo " .. path))
  local lines = assert(lines_of { recipe = { path = path, text = "return 1" } })
  lu.assertStrContains(lines[#lines], "aniso run recipe-" .. core.sha256.text("return 1"):sub(1, 8) .. ".lua")
end

return { Reproduce = Reproduce }
