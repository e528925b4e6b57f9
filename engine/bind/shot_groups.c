/* shot_groups: see shot_groups.h. For the metrics of many resamples and tilts. */
#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#include "bind/shot_groups.h"

const char *const an_group_names[AN_GROUPS] = {NULL, "many", "medium", "few"};

const int *an_check_groups(lua_State *L, int arg, int64_t K)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    int *group = lua_newuserdatauv(L, (size_t)K * sizeof *group, 0);
    for (int64_t k = 0; k < K; k++) {
        const bool given = lua_rawgeti(L, arg, k + 1) == LUA_TSTRING;
        const char *name = given ? lua_tostring(L, -1) : "";
        group[k] = AN_NO_GROUP;
        for (int g = AN_MANY; g < AN_GROUPS; g++)
            if (strcmp(name, an_group_names[g]) == 0)
                group[k] = g;
        luaL_argcheck(L, group[k] != AN_NO_GROUP || !given, arg, "many, medium or few expected");
        lua_pop(L, 1);
    }
    return group;
}
