/* embedded (Lua): core.embedded, the text files that were built into the program (base/embedded.h).
 *
 * text(name) → the file's text, nil if there is no such file; names([beginning]) → sorted list. */
#include "base/embedded.h"

#include <string.h>

#include "bind/bind.h"
#include "bind/open.h"

static int text(lua_State *L)
{
    size_t length;
    const char *found = an_embedded(luaL_checkstring(L, 1), &length);
    if (!found)
        return 0;
    lua_pushlstring(L, found, length);
    return 1;
}

static int names(lua_State *L)
{
    size_t length;
    const char *beginning = luaL_optlstring(L, 1, "", &length);
    lua_newtable(L);
    lua_Integer n = 0;
    for (size_t i = 0; i < an_embedded_count; i++) {
        if (strncmp(an_embedded_files[i].name, beginning, length) != 0)
            continue;
        lua_pushstring(L, an_embedded_files[i].name);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

static const luaL_Reg functions[] = {{"names", names}, {"text", text}, {NULL, NULL}};

int an_open_embedded(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
