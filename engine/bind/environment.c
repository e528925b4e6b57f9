/* environment (Lua): the environment variables of base/environment.h, and the cache folder that
 * follows from them; functions of core.sys. */
#include <lauxlib.h>

#include "base/environment.h"
#include "bind/sys.h"
#include "io/path.h"

/* variable(name) → its value, nil if it is unset or empty. */
int an_lua_variable(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    luaL_argcheck(L, an_variable_is_known(name), 1, "not a variable of base/environment.c");
    lua_pushstring(L, an_variable(name));
    return 1;
}

/* variables() → {{name =, values =, otherwise =, meaning =}, …} */
int an_lua_variables(lua_State *L)
{
    lua_createtable(L, (int)an_variable_count, 0);
    for (size_t i = 0; i < an_variable_count; i++) {
        lua_createtable(L, 0, 4);
        lua_pushstring(L, an_variables[i].name);
        lua_setfield(L, -2, "name");
        lua_pushstring(L, an_variables[i].values);
        lua_setfield(L, -2, "values");
        lua_pushstring(L, an_variables[i].otherwise);
        lua_setfield(L, -2, "otherwise");
        lua_pushstring(L, an_variables[i].meaning);
        lua_setfield(L, -2, "meaning");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* cache_folder() → the path, nil without a home folder */
int an_lua_cache_folder(lua_State *L)
{
    char path[AN_PATH];
    lua_pushstring(L, an_path_cache_folder(path) ? path : NULL);
    return 1;
}
