/* tensor_arg (Lua): see tensor_arg.h. */
#include "bind/tensor_arg.h"

#include <math.h>

#include "tensor/scope.h"

/* ── tensors ────────────────────────────────────────────────────────────────── */

an_tensor *an_check_tensor(lua_State *L, int arg)
{
    return an_check_handle(L, arg, AN_TENSOR);
}

an_tensor *an_opt_tensor(lua_State *L, int arg)
{
    return lua_isnoneornil(L, arg) ? NULL : an_check_tensor(L, arg);
}

/* For Lua, a tensor is a userdata of a few bytes. A collection step after every 64 MiB of new
 * tensors bounds the memory of unreachable ones. */
static void report_to_collector(lua_State *L, const an_tensor *x)
{
    enum { KILOBYTES_PER_STEP = 64 * 1024 };
    static _Thread_local size_t kilobytes;
    kilobytes += x->storage->bytes / 1024;
    if (kilobytes > KILOBYTES_PER_STEP) {
        lua_gc(L, LUA_GCSTEP, (int)(kilobytes > INT32_MAX ? INT32_MAX : kilobytes));
        kilobytes = 0;
    }
}

int an_push_tensor(lua_State *L, an_tensor *x)
{
    if (!x) {
        an_scope_end(0, NULL);
        return an_raise(L);
    }
    void **handle = an_new_handle(L, AN_TENSOR);
    an_retain(x);
    *handle = x;
    report_to_collector(L, x);
    return 1;
}

int an_push_result(lua_State *L, size_t mark, an_tensor *x)
{
    an_push_tensor(L, x);
    an_scope_end(mark, NULL);
    return 1;
}

int an_check_dimension(lua_State *L, int arg, const an_tensor *x)
{
    lua_Integer d = luaL_checkinteger(L, arg);
    if (d == 0 || d > x->ndim || d < -x->ndim)
        luaL_argerror(L, arg,
                      lua_pushfstring(L, "dimension %I: this tensor %s has 1 to %d", d,
                                      an_shape_text(x), x->ndim));
    return (int)(d > 0 ? d - 1 : d + x->ndim);
}

an_dtype an_check_dtype(lua_State *L, int arg)
{
    static const char *const names[] = {"float32", "int64", NULL};
    return (an_dtype)luaL_checkoption(L, arg, "float32", names);
}

/* ── numbers and shapes ─────────────────────────────────────────────────────── */

/* Number i (0-based) of the list or 1-D tensor at `arg`. */
static double element(lua_State *L, int arg, an_tensor *x, int64_t i)
{
    if (x)
        return x->dtype == AN_F32 ? (double)an_f32(x)[i * x->stride[0]]
                                  : (double)an_i64(x)[i * x->stride[0]];
    lua_rawgeti(L, arg, (lua_Integer)i + 1);
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
    int64_t length = *x ? (*x)->shape[0] : (int64_t)lua_rawlen(L, arg);
    if (n >= 0 && length != n)
        luaL_argerror(
            L, arg,
            lua_pushfstring(L, "expected %I numbers, got %I", (lua_Integer)n, (lua_Integer)length));
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
    int64_t ndim = table ? (int64_t)lua_rawlen(L, first) : lua_gettop(L) - first + 1;
    if (ndim < 0 || ndim > AN_MAX_DIMS)
        luaL_argerror(L, first, lua_pushfstring(L, "a shape has 0 to %d sizes", AN_MAX_DIMS));
    for (int64_t d = 0; d < ndim; d++) {
        if (table)
            lua_rawgeti(L, first, (lua_Integer)d + 1);
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

const float *an_check_moments(lua_State *L, int arg, const char *key, const char *unit, int64_t n,
                              bool positive)
{
    lua_getfield(L, arg, key);
    const float *values = an_check_floats(L, lua_gettop(L), n, NULL);
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(values[i]) || (positive && values[i] <= 0))
            luaL_error(L, "%s: %s %I is %f, expected a finite number%s", key, unit,
                       (lua_Integer)i + 1, (double)values[i], positive ? " above 0" : "");
    return values;
}
