/* lua_harness: the C side of all harnesses that are Lua, tests/fuzz/fuzz_NAME.lua. The program's
 * own name selects the file.
 *
 * The file is called with `folder`, an empty folder, and returns function(text, folder): `text` is
 * the input. Both leave the folder empty. The function returns a text where it found a fault of
 * its own. An error that it raises is a refusal, unless Lua itself raised it (an index of nil, a
 * bad argument, a full stack): that is a finding. One state serves all inputs. libFuzzer sees which
 * lines of Lua follow one another, as if they were edges of C. With FUZZ_LINES=1 the lines that
 * were reached are printed at the end. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "base/log.h"
#include "base/memory/mem.h"
#include "bind/bind.h"
#include "bind/interrupt.h"
#include "bind/open.h"
#include "tests/fuzz/fuzz.h"

enum { EDGES = 1 << 15, LINES = 1 << 15, COLLECT_EVERY = 2000, MOST_GROWTH = 8 << 20 };

/* libFuzzer reads and clears these together with its own counters. */
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t edges[EDGES];

static lua_State *state;
static const char *folder;
static bool keeps_lines;
static struct {
    const char *source;
    int line;
} reached[LINES];

/* ── lines ──────────────────────────────────────────────────────────────────── */

static void keep_line(const char *source, int line, uint32_t hash)
{
    for (uint32_t i = hash; i < hash + LINES; i++) {
        if (!reached[i % LINES].source) {
            reached[i % LINES].source = source;
            reached[i % LINES].line = line;
        }
        if (reached[i % LINES].source == source && reached[i % LINES].line == line)
            return;
    }
}

static void count_line(lua_State *L, lua_Debug *at)
{
    static uint32_t before;
    lua_getinfo(L, "S", at);
    uint32_t here =
        ((uint32_t)((uintptr_t)at->source >> 4) + (uint32_t)at->currentline) * 2654435761U;
    uint8_t *count = &edges[((here ^ before) >> 8) % EDGES];
    *count += *count < UINT8_MAX;
    before = here >> 1;
    if (keeps_lines)
        keep_line(at->source, at->currentline, here >> 8);
}

/* "line aniso/recipe/literal.lua 71" for each. */
static void print_lines(void)
{
    for (int i = 0; i < LINES; i++)
        if (reached[i].source)
            fprintf(stderr, "line %s %d\n", reached[i].source + 1, reached[i].line);
}

/* ── errors ─────────────────────────────────────────────────────────────────── */

/* Whether Lua raised it: the text begins with a place in a source and words of Lua's own, or is one
 * of the texts that have no place. */
static bool is_bare(const char *text)
{
    static const char *const words[] = {"attempt to ",
                                        "bad argument #",
                                        "bad 'for' ",
                                        "stack overflow",
                                        "C stack",
                                        "table index is ",
                                        "invalid order",
                                        "invalid value (at index",
                                        "number has no",
                                        "string slice",
                                        "resulting string too",
                                        "malformed pattern",
                                        "pattern too",
                                        "too many ",
                                        "string length overflow",
                                        "invalid capture",
                                        "data string too short",
                                        "table overflow",
                                        "invalid conversion",
                                        "assertion failed!",
                                        "unfinished capture"};
    static const char *const whole[] = {"not enough memory", "error in error handling",
                                        "C stack overflow", "stack overflow"};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (strcmp(text, whole[i]) == 0)
            return true;
    const char *end = strstr(text, ".lua:");
    if (!end || strcspn(text, " \n") < (size_t)(end - text))
        return false;
    end += 5 + strspn(end + 5, "0123456789");
    for (size_t i = 0; *end == ':' && i < sizeof words / sizeof *words; i++)
        if (strncmp(end + 2, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

static _Noreturn void finding(const char *what)
{
    fprintf(stderr, "finding: %s\n", what);
    abort();
}

static int on_error(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING && is_bare(lua_tostring(L, 1))) {
        luaL_traceback(L, L, lua_tostring(L, 1), 1);
        finding(lua_tostring(L, -1));
    }
    return 1;
}

/* What Lua's objects hold is no leak at the end. */
static void close_state(void)
{
    lua_close(state);
}

/* ── the harness ────────────────────────────────────────────────────────────── */

/* Starts Lua as engine/main.c does. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char path[256];
    const char *slash = strrchr((*argv)[0], '/');
    (void)argc;
    state = luaL_newstate();
    atexit(close_state);
    folder = fuzz_folder();
    an_log_level(AN_ERROR);
    luaL_openlibs(state);
    an_install_modules(state);
    an_interrupt_install(state);
    snprintf(path, sizeof path, "tests/fuzz/%s.lua", slash ? slash + 1 : (*argv)[0]);
    keeps_lines = getenv("FUZZ_LINES") != NULL;
    if (keeps_lines)
        atexit(print_lines);
    lua_sethook(state, keeps_lines ? count_line : NULL, LUA_MASKLINE, 0);
    int status = luaL_loadfile(state, path);
    if (status == LUA_OK) {
        lua_pushstring(state, folder);
        status = lua_pcall(state, 1, 1, 0);
    }
    if (status != LUA_OK)
        finding(lua_tostring(state, -1));
    lua_sethook(state, NULL, 0, 0);
    lua_setfield(state, LUA_REGISTRYINDEX, "fuzz.reader");
    return 0;
}

/* Objects that Lua has not collected may hold memory, but not more and more of it. */
static void check_growth(void)
{
    static int64_t calls, first;
    if (++calls % COLLECT_EVERY != 0)
        return;
    lua_gc(state, LUA_GCCOLLECT);
    lua_gc(state, LUA_GCCOLLECT); /* what the finalizers released */
    const int64_t held = an_mem_live() + (int64_t)lua_gc(state, LUA_GCCOUNT) * 1024;
    first = first ? first : held;
    fuzz_require(held < first + MOST_GROWTH, "released memory");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    lua_pushcfunction(state, on_error);
    lua_getfield(state, LUA_REGISTRYINDEX, "fuzz.reader");
    lua_pushlstring(state, (const char *)bytes, count);
    lua_pushstring(state, folder);
    lua_sethook(state, count_line, LUA_MASKLINE, 0);
    const int status = lua_pcall(state, 2, 1, 1);
    lua_sethook(state, NULL, 0, 0);
    if (status == LUA_OK && lua_type(state, -1) == LUA_TSTRING)
        finding(lua_tostring(state, -1));
    const char *message = luaL_tolstring(state, -1, NULL); /* an error has a printed form */
    if (status != LUA_OK && is_bare(message))
        finding(message);
    lua_settop(state, 0);
    check_growth();
    return 0;
}
