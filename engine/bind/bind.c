/* bind: see bind.h. */
#include "bind/bind.h"

#include <string.h>

#include "base/err.h"
#include "bind/interrupt.h"
#include "grad/tape.h"

/* ── failures ───────────────────────────────────────────────────────────────── */

int an_raise(lua_State *L)
{
    an_tape_clear(); /* the recorded operations belong to a computation that has ended */
    if (an_err_code() == AN_ESTOPPED)
        return an_interrupt_raise(L, an_err_message());
    return luaL_error(L, "%s", an_err_message());
}

int an_push_failure(lua_State *L)
{
    if (an_err_code() == AN_EINVAL || an_err_code() == AN_ESTOPPED)
        return an_raise(L);
    lua_pushnil(L);
    lua_pushstring(L, an_err_message());
    lua_pushstring(L, an_code_name(an_err_code()));
    return 3;
}

/* ── integers ───────────────────────────────────────────────────────────────── */

/* Raises unless low ≤ n ≤ high. */
static int64_t within(lua_State *L, int arg, const char *what, int64_t n, int64_t low, int64_t high)
{
    if (n < low || n > high)
        luaL_argerror(L, arg,
                      lua_pushfstring(L, "%s = %I: expected %I to %I", what, (lua_Integer)n,
                                      (lua_Integer)low, (lua_Integer)high));
    return n;
}

int64_t an_check_within(lua_State *L, int arg, const char *what, int64_t low, int64_t high)
{
    return within(L, arg, what, luaL_checkinteger(L, arg), low, high);
}

/* ── fields of option tables ────────────────────────────────────────────────── */

/* Pushes the field; true if it is present. Messages contain the option's name. Metamethods do not
 * run: through them a script could close an object that the caller already holds. */
static bool field(lua_State *L, int arg, const char *key)
{
    if (lua_isnoneornil(L, arg)) {
        lua_pushnil(L);
        return false;
    }
    luaL_checktype(L, arg, LUA_TTABLE);
    arg = lua_absindex(L, arg);
    lua_pushstring(L, key);
    return lua_rawget(L, arg) != LUA_TNIL;
}

static bool is_known(lua_State *L, int at, const char *const known[])
{
    for (int i = 0; lua_type(L, at) == LUA_TSTRING && known[i]; i++)
        if (!strcmp(known[i], lua_tostring(L, at)))
            return true;
    return false;
}

/* Pushes the names as one text. */
static const char *push_names(lua_State *L, const char *const names[])
{
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (int i = 0; names[i]; i++) {
        luaL_addstring(&b, i ? ", " : "");
        luaL_addstring(&b, names[i]);
    }
    luaL_pushresult(&b);
    return lua_tostring(L, -1);
}

void an_check_keys(lua_State *L, int arg, const char *const known[])
{
    if (lua_isnoneornil(L, arg))
        return;
    luaL_checktype(L, arg, LUA_TTABLE);
    arg = lua_absindex(L, arg);
    for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1))
        if (!is_known(L, -2, known)) {
            const char *names = push_names(L, known);
            lua_pushvalue(L, -3);
            const char *key = luaL_tolstring(L, -1, NULL);
            luaL_argerror(L, arg,
                          lua_pushfstring(L, "unknown option %s; the options are %s", key, names));
        }
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

int64_t an_opt_within(lua_State *L, int arg, const char *key, int64_t otherwise, int64_t low,
                      int64_t high)
{
    const int64_t n = an_opt_int(L, arg, key, otherwise);
    if (n < low || n > high)
        within(L, arg, lua_pushfstring(L, "option %s", key), n, low, high);
    return n;
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
    for (int i = 0; names[i]; i++)
        if (!strcmp(names[i], given))
            return i;
    return luaL_argerror(
        L, arg,
        lua_pushfstring(L, "option %s: '%s' is not one of %s", key, given, push_names(L, names)));
}
