/* tensor_make (Lua): the constructors of Tensor userdata: aniso.core.tensor.zeros, full, arange,
 * randn, rand, from, one_hot. A shape is a list of sizes. */
#include "bind/tensor_make.h"

#include "base/integer.h"
#include "base/rng.h"
#include "bind/tensor_arg.h"
#include "tensor/scope.h"

/* zeros({2, 3} [, dtype]) */
static int make_zeros(lua_State *L)
{
    int64_t shape[AN_MAX_DIMS];
    an_dtype dtype = lua_istable(L, 1) ? an_check_dtype(L, 2) : AN_F32;
    int ndim = (int)an_check_shape(L, 1, shape);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_tensor_zeros(dtype, ndim, shape));
}

/* full({2, 3}, value [, dtype]) */
static int make_full(lua_State *L)
{
    int64_t shape[AN_MAX_DIMS];
    luaL_checktype(L, 1, LUA_TTABLE);
    int ndim = (int)an_check_shape(L, 1, shape);
    double value = luaL_checknumber(L, 2);
    an_dtype dtype = an_check_dtype(L, 3);
    size_t mark = an_scope_begin();
    an_tensor *x = an_tensor_new(dtype, ndim, shape);
    return an_push_result(L, mark, x && an_fill(x, value) == AN_OK ? x : NULL);
}

/* arange(n): int64 0 … n−1 */
static int make_arange(lua_State *L)
{
    int64_t n = an_check_within(L, 1, "size", 0, AN_COUNT_MAX);
    size_t mark = an_scope_begin();
    an_tensor *x = an_tensor_new(AN_I64, 1, &n);
    for (int64_t i = 0; x && i < n; i++)
        an_i64(x)[i] = i;
    return an_push_result(L, mark, x);
}

/* randn{shape={…}, seed=, stream="name", a=, b=, first=}: element i is the number at index first+i
 * of that stream, whatever the shape. rand{…} is uniform in [0, 1). */
static int make_random(lua_State *L, void (*fill)(float *, int64_t, uint64_t, uint64_t, uint64_t))
{
    static const char *const known[] = {"shape", "seed", "stream", "a", "b", "first", NULL};
    int64_t shape[AN_MAX_DIMS];
    luaL_checktype(L, 1, LUA_TTABLE);
    an_check_keys(L, 1, known);
    lua_getfield(L, 1, "shape");
    luaL_argexpected(L, lua_istable(L, -1), 1, "a table with the field shape");
    int ndim = (int)an_check_shape(L, lua_gettop(L), shape);
    uint64_t seed = (uint64_t)an_opt_int(L, 1, "seed", 0);
    uint64_t stream =
        an_stream(an_opt_str(L, 1, "stream", "tensor"), (uint64_t)an_opt_int(L, 1, "a", 0),
                  (uint64_t)an_opt_int(L, 1, "b", 0));
    uint64_t first = (uint64_t)an_opt_int(L, 1, "first", 0);
    size_t mark = an_scope_begin();
    an_tensor *x = an_tensor_new(AN_F32, ndim, shape);
    if (x)
        fill(an_f32(x), an_numel(x), seed, stream, first);
    return an_push_result(L, mark, x);
}

static int make_randn(lua_State *L)
{
    return make_random(L, an_fill_normal);
}

static int make_rand(lua_State *L)
{
    return make_random(L, an_fill_uniform);
}

/* Reads the shape of a nested table from its first entries. */
static int nested_shape(lua_State *L, int64_t *shape)
{
    int ndim = 0, top = lua_gettop(L);
    lua_pushvalue(L, 1);
    while (lua_istable(L, -1)) {
        if (ndim == AN_MAX_DIMS)
            luaL_argerror(L, 1, "nested too deeply for a tensor");
        shape[ndim++] = (int64_t)lua_rawlen(L, -1);
        lua_rawgeti(L, -1, 1);
    }
    lua_settop(L, top);
    return ndim;
}

static void read_nested(lua_State *L, an_tensor *x, int d, int64_t *next)
{
    if (d == x->ndim) {
        int ok;
        double value = lua_tonumberx(L, -1, &ok);
        if (!ok)
            luaL_error(L, "tensor: expected a number, got a %s", luaL_typename(L, -1));
        if (x->dtype == AN_I64 && !an_fits_int64(value))
            luaL_error(L, "tensor: an int64 tensor cannot hold %f", value);
        if (x->dtype == AN_F32)
            an_f32(x)[(*next)++] = (float)value;
        else
            an_i64(x)[(*next)++] = (int64_t)value;
        return;
    }
    if (!lua_istable(L, -1) || (int64_t)lua_rawlen(L, -1) != x->shape[d])
        luaL_error(L, "tensor: the rows of a nested table must all have %I entries",
                   (lua_Integer)x->shape[d]);
    for (int64_t i = 1; i <= x->shape[d]; i++) {
        lua_rawgeti(L, -1, i);
        read_nested(L, x, d + 1, next);
        lua_pop(L, 1);
    }
}

/* from(nested table [, dtype]) */
static int make_from(lua_State *L)
{
    int64_t shape[AN_MAX_DIMS], next = 0;
    luaL_checkany(L, 1);
    int ndim = nested_shape(L, shape);
    an_dtype dtype = an_check_dtype(L, 2);
    size_t mark = an_scope_begin();
    an_tensor *x = an_tensor_new(dtype, ndim, shape);
    an_push_tensor(L, x);
    an_scope_end(mark, NULL); /* the userdata owns it: read_nested() may raise */
    lua_pushvalue(L, 1);
    read_nested(L, x, 0, &next);
    lua_pop(L, 1);
    return 1;
}

/* one_hot(labels int64 (B) in 0 … K−1, K) → (B,K) with 1 at each row's label */
static int make_one_hot(lua_State *L)
{
    an_tensor *labels = an_check_tensor(L, 1);
    const int64_t K = an_check_within(L, 2, "classes", 1, AN_COUNT_MAX);
    if (an_expect(labels, "labels", AN_I64, 1))
        return an_raise(L);
    int64_t B = an_dim(labels, 0);
    size_t mark = an_scope_begin();
    an_tensor *x = an_tensor_zeros(AN_F32, 2, (int64_t[]){B, K});
    const int64_t *label = an_i64(labels);
    for (int64_t b = 0; x && b < B; b++) {
        int64_t c = label[b * labels->stride[0]];
        if (c < 0 || c >= K) {
            an_fail(AN_EINVAL, "row %lld: label %lld is outside 0 … K − 1 = %lld", (long long)b + 1,
                    (long long)c, (long long)K - 1);
            x = NULL;
        } else {
            an_f32(x)[b * K + c] = 1;
        }
    }
    return an_push_result(L, mark, x);
}

/* trim(): returns the memory of released tensors to the system */
static int trim(lua_State *L)
{
    (void)L;
    an_tensor_trim();
    return 0;
}

static const luaL_Reg makers[] = {
    {"zeros", make_zeros},     {"full", make_full}, {"arange", make_arange},
    {"randn", make_randn},     {"rand", make_rand}, {"from", make_from},
    {"one_hot", make_one_hot}, {"trim", trim},      {NULL, NULL},
};

void an_push_tensor_makers(lua_State *L)
{
    luaL_newlib(L, makers);
}
