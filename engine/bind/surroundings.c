/* surroundings: see surroundings.h. */
#include "bind/surroundings.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "io/file.h"

/* Bytes of stack. The main thread's deepest calls take more than 64 KiB: buffers for paths and file
 * content, and Lua's parser. */
enum { STACK_NEEDED = 128 << 10 };

static bool has_stack(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur >= STACK_NEEDED)
        return true;
    unsigned long long given = limit.rlim_cur;
    if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= STACK_NEEDED) {
        limit.rlim_cur = STACK_NEEDED;
        if (setrlimit(RLIMIT_STACK, &limit) == 0)
            return true;
    }
    fprintf(stderr,
            "aniso: a stack of %llu KiB is too small; the limit (ulimit -s) must be %d or more\n",
            given >> 10, STACK_NEEDED >> 10);
    return false;
}

bool an_check_surroundings(void)
{
    an_file_open_standard_streams();
    return has_stack();
}

/* setlocale([locale [, category]]) */
static int keep_locale(lua_State *L)
{
    const char *name = luaL_optstring(L, 1, NULL);
    if (!name || strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0) {
        lua_pushliteral(L, "C");
        return 1;
    }
    if (!lua_toboolean(L, lua_upvalueindex(1))) {
        lua_pushboolean(L, 1);
        lua_replace(L, lua_upvalueindex(1));
        fprintf(stderr,
                "aniso: os.setlocale is refused: numbers in files and the order of names do not "
                "follow a locale\n");
    }
    luaL_pushfail(L);
    return 1;
}

void an_keep_locale(lua_State *L)
{
    lua_getglobal(L, "os");
    lua_pushboolean(L, 0);
    lua_pushcclosure(L, keep_locale, 1);
    lua_setfield(L, -2, "setlocale");
    lua_pop(L, 1);
}
