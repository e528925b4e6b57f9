/* dataset_options: see dataset_options.h. */
#include "bind/dataset_options.h"

void an_check_long_tail(lua_State *L, int arg, an_long_tail *tail)
{
    if (lua_getfield(L, arg, "long_tail") != LUA_TNIL) {
        int at = lua_gettop(L);
        tail->profile = (an_profile)an_opt_enum(L, at, "profile", an_profile_names, AN_NATURAL);
        tail->ratio = an_opt_num(L, at, "ratio", 100);
        tail->share = an_opt_num(L, at, "share", 0.5);
        tail->by_size = an_opt_bool(L, at, "by_size", false);
    }
    lua_pop(L, 1);
}
