/* luaopen: the library as a module of a plain Lua 5.4 (`make module`, aniso.so): require "aniso"
 * and require "aniso.core". The file exports nothing else to its host.
 *
 * Unlike main.c, it does not change the signals, allocator, locale or environment of the process.
 * lua/README.md states what the host decides. */
#include <locale.h>
#include <string.h>

#include "base/environment.h"
#include "base/err.h"
#include "bind/bind.h"
#include "bind/open.h"

#define PUBLIC __attribute__((visibility("default")))

PUBLIC int luaopen_aniso(lua_State *L);
PUBLIC int luaopen_aniso_core(lua_State *L);

/* Raises if the process has settings under which numbers or options would be misread. */
static void check_host(lua_State *L)
{
    luaL_checkversion(L);
    if (strcmp(localeconv()->decimal_point, ".") != 0)
        luaL_error(L, "aniso requires numbers with a decimal point: set LC_NUMERIC to C");
    if (an_variables_check() != AN_OK)
        luaL_error(L, "%s", an_err_message());
}

/* Makes `require` find the modules, once per state. */
static void install(lua_State *L)
{
    check_host(L);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    if (lua_getfield(L, -1, "aniso.core") == LUA_TNIL)
        an_install_modules(L);
    lua_pop(L, 2);
}

/* The value of require(name), found by the searchers that install() adds. */
static int required(lua_State *L, const char *name)
{
    install(L);
    lua_getglobal(L, "require");
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    return 1;
}

int luaopen_aniso(lua_State *L)
{
    return required(L, "aniso");
}

int luaopen_aniso_core(lua_State *L)
{
    return required(L, "aniso.core");
}
