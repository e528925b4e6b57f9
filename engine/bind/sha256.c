/* sha256: core.sha256(text) → 64 hexadecimal digits; core.sha256.file(path) → the same of a
 * file | nil, message, code. */
#include "io/sha256.h"

#include "bind/bind.h"
#include "bind/open.h"

static int of_text(lua_State *L)
{
    size_t n;
    char hex[AN_SHA256_HEX];
    const char *data = luaL_checklstring(L, 2, &n); /* 1 is the table that is called */
    an_sha256_buffer(data, n, hex);
    lua_pushstring(L, hex);
    return 1;
}

static int of_file(lua_State *L)
{
    char hex[AN_SHA256_HEX];
    if (an_sha256_file(luaL_checkstring(L, 1), hex) != AN_OK) return an_push_failure(L);
    lua_pushstring(L, hex);
    return 1;
}

int an_open_sha256(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, of_file);
    lua_setfield(L, -2, "file");
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, of_text);
    lua_setfield(L, -2, "__call");
    lua_setmetatable(L, -2);
    return 1;
}
