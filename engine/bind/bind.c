/* bind: see bind.h. */
#include "bind/bind.h"

#include <string.h>

#include "base/err.h"
#include "grad/tape.h"

/* ── failures ───────────────────────────────────────────────────────────────── */

int an_raise(lua_State *L)
{
    an_tape_clear(); /* what was recorded belongs to a computation that is over */
    return luaL_error(L, "%s", an_err_message());
}

int an_push_failure(lua_State *L)
{
    if (an_err_code() == AN_EINVAL)
        return an_raise(L);
    lua_pushnil(L);
    lua_pushstring(L, an_err_message());
    lua_pushstring(L, an_code_name(an_err_code()));
    return 3;
}

/* ── fields of option tables ────────────────────────────────────────────────── */

/* Pushes the field; true if it is there. The option's name goes into the message. */
static bool field(lua_State *L, int arg, const char *key)
{
    if (lua_isnoneornil(L, arg)) {
        lua_pushnil(L);
        return false;
    }
    luaL_checktype(L, arg, LUA_TTABLE);
    return lua_getfield(L, arg, key) != LUA_TNIL;
}

static int wrong(lua_State *L, int arg, const char *key, const char *expected)
{
    return luaL_argerror(
        L, arg,
        lua_pushfstring(L, "option %s: expected %s, got %s", key, expected, luaL_typename(L, -1)));
}

double an_opt_num(lua_State *L, int arg, const char *key, double otherwise)
{
    if (field(L, arg, key)) {
        int ok;
        otherwise = lua_tonumberx(L, -1, &ok);
        if (!ok)
            wrong(L, arg, key, "a number");
    }
    lua_pop(L, 1);
    return otherwise;
}

int64_t an_opt_int(lua_State *L, int arg, const char *key, int64_t otherwise)
{
    if (field(L, arg, key)) {
        int ok;
        otherwise = lua_tointegerx(L, -1, &ok);
        if (!ok)
            wrong(L, arg, key, "an integer");
    }
    lua_pop(L, 1);
    return otherwise;
}

bool an_opt_bool(lua_State *L, int arg, const char *key, bool otherwise)
{
    if (field(L, arg, key)) {
        if (!lua_isboolean(L, -1))
            wrong(L, arg, key, "true or false");
        otherwise = lua_toboolean(L, -1);
    }
    lua_pop(L, 1);
    return otherwise;
}

const char *an_opt_str(lua_State *L, int arg, const char *key, const char *otherwise)
{
    if (field(L, arg, key)) {
        if (lua_type(L, -1) != LUA_TSTRING)
            wrong(L, arg, key, "a string");
        otherwise = lua_tostring(L, -1);
    }
    lua_pop(L, 1);
    return otherwise;
}

int an_opt_enum(lua_State *L, int arg, const char *key, const char *const names[], int otherwise)
{
    const char *given = an_opt_str(L, arg, key, NULL);
    if (!given)
        return otherwise;
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (int i = 0; names[i]; i++) {
        if (!strcmp(names[i], given))
            return i;
        luaL_addstring(&b, i ? ", " : "");
        luaL_addstring(&b, names[i]);
    }
    luaL_pushresult(&b);
    return luaL_argerror(
        L, arg,
        lua_pushfstring(L, "option %s: '%s' is not one of %s", key, given, lua_tostring(L, -1)));
}
