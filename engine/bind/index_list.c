/* index_list: see index_list.h. */
#include "bind/index_list.h"

#include <lauxlib.h>
#include <stddef.h>

const int32_t *an_check_indices(lua_State *L, int arg, int64_t n, int64_t low, int64_t high)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    arg = lua_absindex(L, arg);
    int32_t *out = lua_newuserdatauv(L, (size_t)n * sizeof *out, 0);
    for (int64_t i = 0; i < n; i++) {
        int is_integer;
        lua_rawgeti(L, arg, i + 1);
        const lua_Integer value = lua_tointegerx(L, -1, &is_integer);
        if (!is_integer || value < low || value > high)
            luaL_error(L, "element %I: an integer from %I to %I expected", (LUAI_UACINT)i + 1,
                       (LUAI_UACINT)low, (LUAI_UACINT)high);
        lua_pop(L, 1);
        out[i] = (int32_t)value;
    }
    return out;
}
