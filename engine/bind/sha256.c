/* sha256 (Lua): core.sha256. text(bytes) → 64 hexadecimal digits; file(path) → the same for a
 * file | nil, message, code. */
#include "io/sha256.h"

#include "bind/bind.h"
#include "bind/open.h"

static int of_text(lua_State *L)
{
    size_t n;
    char hex[AN_SHA256_HEX];
    const char *data = luaL_checklstring(L, 1, &n);
    an_sha256_buffer(data, n, hex);
    lua_pushstring(L, hex);
    return 1;
}

static int of_file(lua_State *L)
{
    char hex[AN_SHA256_HEX];
    if (an_sha256_file(luaL_checkstring(L, 1), hex) != AN_OK)
        return an_push_failure(L);
    lua_pushstring(L, hex);
    return 1;
}

static const luaL_Reg functions[] = {{"file", of_file}, {"text", of_text}, {NULL, NULL}};

int an_open_sha256(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
