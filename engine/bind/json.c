/* json (Lua): core.json, canonical JSON text; bind/json.h has the rules. */
#include "bind/json.h"

#include "bind/bind.h"
#include "bind/open.h"

/* encode(value) → canonical text. */
static int encode(lua_State *L)
{
    luaL_checkany(L, 1);
    an_json_encode(L, 1);
    return 1;
}

/* decode(text) → value | nil, message, code. */
static int decode(lua_State *L)
{
    size_t n;
    const char *from = luaL_checklstring(L, 1, &n);
    return an_json_decode(L, from, n, "the text") ? 1 : an_push_failure(L);
}

/* array(table) → the table, marked as an array even when it is empty. */
static int array(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_setmetatable(L, AN_JSON_ARRAY);
    return 1;
}

static const luaL_Reg functions[] = {
    {"array", array},
    {"decode", decode},
    {"encode", encode},
    {NULL, NULL},
};

int an_open_json(lua_State *L)
{
    an_add_json_text_class(L);
    an_add_json_tree_class(L);
    luaL_newmetatable(L, AN_JSON_ARRAY);
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    return 1;
}
