/* fuzz_editor: any bytes as keys that are typed at the prompt, on a pseudo-terminal: the editor
 * returns lines, keeps them in its history, and Tab completes. Newlines are typed after the input,
 * so that whatever it begins (a quoted character, a search, a command of libedit's) ends.
 *
 * Covers: engine/bind/editor.c */
#include <fcntl.h>
#include <lauxlib.h>
#include <locale.h>
#include <lua.h>
#include <lualib.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "base/memory/mem.h"
#include "bind/bind.h"
#include "bind/interrupt.h"
#include "bind/open.h"
#include "tests/fuzz/fuzz.h"

enum { LAST_NEWLINES = 16, MOST_KEYS = 1024 };

static const char source[] = /* pending() → bytes that were typed and not read */
    "local pending = ...\n"
    "local core, complete = require 'aniso.core', require 'aniso.prompt.complete'\n"
    "local env = setmetatable({ aniso = require 'aniso', runs = { { la = 1 } } }, { __index = _G "
    "})\n"
    "return function()\n"
    "  local editor <close> = core.term.editor {\n"
    "    complete = function(before) return complete(before, env) end }\n"
    "  while pending() > 0 do\n"
    "    local line, why = editor:read '> '\n"
    "    if line then\n"
    "      assert(not line:find '\\n', 'finding: a line with a newline')\n"
    "      editor:remember(line)\n"
    "    else\n"
    "      assert(why == 'end', 'finding: another end')\n"
    "    end\n"
    "  end\n"
    "end\n";

/* libtinfo keeps one text for each editor that is made; the program makes one. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:_nc_trim_sgr0\n";
}

static lua_State *state;
static int terminal; /* where keys are typed and the screen is read */

static int count_pending(lua_State *L)
{
    int count = 0;
    ioctl(STDIN_FILENO, FIONREAD, &count);
    lua_pushinteger(L, count);
    return 1;
}

/* The screen: a terminal that is not read stops the program that writes to it. */
static void *read_screen(void *unused)
{
    char screen[4096];
    while (read(terminal, screen, sizeof screen) > 0)
        continue;
    return unused;
}

static void open_terminal(void)
{
    struct termios raw;
    const struct winsize size = {.ws_row = 24, .ws_col = 80};
    pthread_t reader;
    terminal = posix_openpt(O_RDWR | O_NOCTTY);
    fuzz_require(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0, "a terminal");
    int side = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    fuzz_require(side >= 0 && tcgetattr(side, &raw) == 0, "its other side");
    cfmakeraw(&raw); /* what is typed before the editor reads is not edited by the system */
    tcsetattr(side, TCSANOW, &raw);
    ioctl(side, TIOCSWINSZ, &size);
    dup2(side, STDIN_FILENO);
    dup2(side, STDOUT_FILENO);
    fuzz_require(pthread_create(&reader, NULL, read_screen, NULL) == 0, "a thread");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    setlocale(LC_CTYPE, "C.UTF-8");
    setenv("TERM", "xterm", 1);
    setenv("HOME", fuzz_folder(), 1); /* without a configuration of the editor's */
    open_terminal();
    state = luaL_newstate();
    luaL_openlibs(state);
    an_install_modules(state);
    an_interrupt_install(state);
    fuzz_require(luaL_loadstring(state, source) == LUA_OK, "a script");
    lua_pushcfunction(state, count_pending);
    fuzz_require(lua_pcall(state, 1, 1, 0) == LUA_OK, "a reader");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    char keys[MOST_KEYS + LAST_NEWLINES];
    struct pollfd typed = {.fd = STDIN_FILENO, .events = POLLIN};
    if (count > MOST_KEYS)
        return 0;
    tcflush(STDIN_FILENO, TCIFLUSH);
    int64_t live = an_mem_live();
    memcpy(keys, bytes, count);
    memset(keys + count, '\r', LAST_NEWLINES);
    count += LAST_NEWLINES;
    fuzz_require(write(terminal, keys, count) == (ssize_t)count && poll(&typed, 1, 10000) == 1,
                 "a terminal that takes keys");
    lua_pushvalue(state, 1);
    if (lua_pcall(state, 0, 0, 0) != LUA_OK) {
        fprintf(stderr, "finding: %s\n", lua_tostring(state, -1));
        abort();
    }
    lua_settop(state, 1);
    fuzz_require(an_mem_live() == live, "released memory");
    return 0;
}
