/* bind: see bind.h. */
#include "bind/bind.h"

#include <string.h>

#include "grad/tape.h"
#include "tensor/scope.h"

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

/* ── numbers and shapes ─────────────────────────────────────────────────────── */

/* Number i (0-based) of the list or 1-D tensor at `arg`. */
static double element(lua_State *L, int arg, an_tensor *x, int64_t i)
{
    if (x)
        return x->dtype == AN_F32 ? (double)an_f32(x)[i * x->stride[0]]
                                  : (double)an_i64(x)[i * x->stride[0]];
    lua_geti(L, arg, (lua_Integer)i + 1);
    int is_number;
    double value = lua_tonumberx(L, -1, &is_number);
    if (!is_number)
        luaL_argerror(
            L, arg,
            lua_pushfstring(L, "entry %d is a %s, not a number", (int)i + 1, luaL_typename(L, -1)));
    lua_pop(L, 1);
    return value;
}

static int64_t list_length(lua_State *L, int arg, int64_t n, an_tensor **x)
{
    void **handle = luaL_testudata(L, arg, AN_TENSOR);
    *x = handle ? an_check_tensor(L, arg) : NULL;
    if (*x && (*x)->ndim != 1)
        luaL_argerror(L, arg, "expected a tensor of one dimension");
    if (!*x)
        luaL_checktype(L, arg, LUA_TTABLE);
    int64_t length = *x ? (*x)->shape[0] : (int64_t)luaL_len(L, arg);
    if (n >= 0 && length != n)
        luaL_argerror(L, arg,
                      lua_pushfstring(L, "expected %d numbers, got %d", (int)n, (int)length));
    return length;
}

const double *an_check_doubles(lua_State *L, int arg, int64_t n, int64_t *count)
{
    an_tensor *x;
    arg = lua_absindex(L, arg);
    int64_t length = list_length(L, arg, n, &x);
    double *out = lua_newuserdatauv(L, (size_t)length * sizeof *out + 1, 0);
    for (int64_t i = 0; i < length; i++)
        out[i] = element(L, arg, x, i);
    if (count)
        *count = length;
    return out;
}

const float *an_check_floats(lua_State *L, int arg, int64_t n, int64_t *count)
{
    an_tensor *x;
    arg = lua_absindex(L, arg);
    int64_t length = list_length(L, arg, n, &x);
    float *out = lua_newuserdatauv(L, (size_t)length * sizeof *out + 1, 0);
    for (int64_t i = 0; i < length; i++)
        out[i] = (float)element(L, arg, x, i);
    if (count)
        *count = length;
    return out;
}

int64_t an_check_shape(lua_State *L, int first, int64_t shape[AN_MAX_DIMS])
{
    bool table = lua_istable(L, first);
    int64_t ndim = table ? (int64_t)luaL_len(L, first) : lua_gettop(L) - first + 1;
    if (ndim < 0 || ndim > AN_MAX_DIMS)
        luaL_argerror(L, first, lua_pushfstring(L, "a shape has 0 to %d sizes", AN_MAX_DIMS));
    for (int64_t d = 0; d < ndim; d++) {
        if (table)
            lua_geti(L, first, (lua_Integer)d + 1);
        else
            lua_pushvalue(L, first + (int)d);
        int is_integer;
        shape[d] = lua_tointegerx(L, -1, &is_integer);
        if (!is_integer)
            luaL_argerror(L, first, "a shape is a list of integers");
        lua_pop(L, 1);
    }
    return ndim;
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
