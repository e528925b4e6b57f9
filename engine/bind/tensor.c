/* tensor (Lua): the Tensor userdata: queries, indexing, changes. Its constructors are in
 * bind/tensor_make.c, operations with gradients in bind/ops.c. Positions and dimensions count from
 * 1; negative dimensions count from the end. */
#include <math.h>
#include <string.h>

#include "base/integer.h"
#include "base/memory/mem.h"
#include "bind/open.h"
#include "bind/tensor_arg.h"
#include "bind/tensor_make.h"
#include "grad/ops.h"
#include "grad/tape.h"
#include "tensor/print.h"
#include "tensor/scope.h"

/* ── queries ─────────────────────────────────────────────────────────────────── */

static int tensor_shape(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    lua_createtable(L, x->ndim, 0);
    for (int d = 0; d < x->ndim; d++) {
        lua_pushinteger(L, x->shape[d]);
        lua_seti(L, -2, d + 1);
    }
    return 1;
}

static int tensor_size(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    lua_pushinteger(L, x->shape[an_check_dimension(L, 2, x)]);
    return 1;
}

static int tensor_dim(lua_State *L)
{
    lua_pushinteger(L, an_check_tensor(L, 1)->ndim);
    return 1;
}

static int tensor_numel(lua_State *L)
{
    lua_pushinteger(L, an_numel(an_check_tensor(L, 1)));
    return 1;
}

static int tensor_dtype(lua_State *L)
{
    lua_pushstring(L, an_check_tensor(L, 1)->dtype == AN_F32 ? "float32" : "int64");
    return 1;
}

static void push_element(lua_State *L, const an_tensor *x, int64_t offset)
{
    if (x->dtype == AN_F32)
        lua_pushnumber(L, (lua_Number)an_f32(x)[offset]);
    else
        lua_pushinteger(L, an_i64(x)[offset]);
}

static int tensor_item(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    if (an_numel(x) != 1)
        return luaL_error(L, "item: the tensor %s has %I elements, not one", an_shape_text(x),
                          (lua_Integer)an_numel(x));
    push_element(L, x, 0);
    return 1;
}

static int64_t position(lua_State *L, const an_tensor *x, int first)
{
    int64_t offset = 0;
    for (int d = 0; d < x->ndim && d < AN_MAX_DIMS; d++) {
        lua_Integer i = luaL_checkinteger(L, first + d);
        if (i < 1 || i > x->shape[d])
            luaL_argerror(
                L, first + d,
                lua_pushfstring(L, "position %I is not in 1 to %I", i, (lua_Integer)x->shape[d]));
        offset += (i - 1) * x->stride[d];
    }
    return offset;
}

/* t:get(i, j, …) → number */
static int tensor_get(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    push_element(L, x, position(L, x, 2));
    return 1;
}

/* t:set(i, j, …, value) */
static int tensor_set(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    int64_t offset = position(L, x, 2);
    double value = luaL_checknumber(L, 2 + x->ndim);
    luaL_argcheck(L, x->dtype == AN_F32 || an_fits_int64(value), 2 + x->ndim,
                  "an int64 tensor cannot hold this number");
    if (x->dtype == AN_F32)
        an_f32(x)[offset] = (float)value;
    else
        an_i64(x)[offset] = (int64_t)value;
    return 0;
}

static void push_nested(lua_State *L, const an_tensor *x, int d, int64_t offset)
{
    if (d >= x->ndim || d >= AN_MAX_DIMS) {
        push_element(L, x, offset);
        return;
    }
    luaL_checkstack(L, 4, "tensor");
    lua_createtable(L, (int)x->shape[d], 0);
    for (int64_t i = 0; i < x->shape[d]; i++) {
        push_nested(L, x, d + 1, offset + i * x->stride[d]);
        lua_rawseti(L, -2, i + 1);
    }
}

/* t:totable() → nested tables */
static int tensor_totable(lua_State *L)
{
    push_nested(L, an_check_tensor(L, 1), 0, 0);
    return 1;
}

/* t:list() → one flat table in row-major order */
static int tensor_list(lua_State *L)
{
    size_t mark = an_scope_begin();
    an_tensor *x = an_contiguous(an_check_tensor(L, 1));
    if (!x)
        return an_raise(L);
    int64_t n = an_numel(x);
    lua_createtable(L, (int)n, 0);
    for (int64_t i = 0; i < n; i++) {
        push_element(L, x, i);
        lua_rawseti(L, -2, i + 1);
    }
    an_scope_end(mark, NULL);
    return 1;
}

/* t:finite() → true if no element is NaN or infinite */
static int tensor_finite(lua_State *L)
{
    size_t mark = an_scope_begin();
    an_tensor *x = an_contiguous(an_detach(an_check_tensor(L, 1)));
    if (!x)
        return an_raise(L);
    int64_t n = x->dtype == AN_F32 ? an_numel(x) : 0;
    const float *value = n ? an_f32(x) : NULL;
    bool finite = true;
    for (int64_t i = 0; i < n; i++)
        finite &= isfinite(value[i]) != 0;
    an_scope_end(mark, NULL);
    lua_pushboolean(L, finite);
    return 1;
}

/* t:argmax() → int64 (…): position, from 0, of the largest element along the last dimension */
static int tensor_argmax(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    luaL_argcheck(L, x->dtype == AN_F32 && x->ndim > 0, 1,
                  "float32 with a last dimension expected");
    size_t mark = an_scope_begin();
    x = an_contiguous(x);
    an_tensor *y = x ? an_tensor_new(AN_I64, x->ndim - 1, x->shape) : NULL;
    int64_t K = x ? an_dim(x, -1) : 0, rows = y ? an_numel(y) : 0;
    for (int64_t r = 0; r < rows; r++) {
        const float *row = an_f32(x) + r * K;
        int64_t best = 0;
        for (int64_t j = 1; j < K; j++)
            best = row[j] > row[best] ? j : best;
        an_i64(y)[r] = best;
    }
    return an_push_result(L, mark, y);
}

/* ── changing ───────────────────────────────────────────────────────────────── */

static int tensor_copy(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1), *from = an_check_tensor(L, 2);
    if (an_copy(x, from))
        return an_raise(L);
    lua_settop(L, 1);
    return 1;
}

static int tensor_fill(lua_State *L)
{
    if (an_fill(an_check_tensor(L, 1), luaL_checknumber(L, 2)))
        return an_raise(L);
    lua_settop(L, 1);
    return 1;
}

static int tensor_clone(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    size_t mark = an_scope_begin();
    an_tensor *y = an_tensor_like(x);
    return an_push_result(L, mark, y && an_copy(y, x) == AN_OK ? y : NULL);
}

/* t:to("int64") */
static int tensor_to(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    an_dtype dtype = an_check_dtype(L, 2);
    size_t mark = an_scope_begin();
    an_tensor *y = an_tensor_new(dtype, x->ndim, x->shape);
    return an_push_result(L, mark, y && an_copy(y, x) == AN_OK ? y : NULL);
}

/* t:param() → t, which requires a gradient from here on */
static int tensor_param(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    luaL_argcheck(L, x->dtype == AN_F32, 1, "only float32 has gradients");
    x->requires_grad = true;
    lua_settop(L, 1);
    return 1;
}

static int tensor_backward(lua_State *L)
{
    if (an_backward(an_check_tensor(L, 1)))
        return an_raise(L);
    return 0;
}

static void close_tensor(lua_State *L, void *x)
{
    (void)L;
    an_release(x);
}

static int push_text(lua_State *L, void *x)
{
    char *text = an_tensor_text(x);
    if (!text)
        return an_raise(L);
    lua_pushstring(L, text);
    an_free(text);
    return 1;
}

/* t.grad is the gradient so far, or nil. */
static int push_field(lua_State *L, void *object, const char *key)
{
    an_tensor *x = object;
    return !strcmp(key, "grad") && an_grad(x) ? an_push_tensor(L, x->grad) : 0;
}

/* t[i]: with one dimension, the number at position i; with more, the part at position i of the
 * first, with a gradient. */
static int push_part(lua_State *L, void *object, lua_Integer i)
{
    an_tensor *x = object;
    if (x->ndim == 0)
        return luaL_error(L,
                          "a Tensor without dimensions has no positions; t:item() is its number");
    if (i < 1 || i > x->shape[0])
        return luaL_error(L, "position %I of a Tensor is not in 1 to %I", i,
                          (lua_Integer)x->shape[0]);
    if (x->ndim == 1) {
        push_element(L, x, (i - 1) * x->stride[0]);
        return 1;
    }
    size_t mark = an_scope_begin();
    an_tensor *part = an_narrow(x, 0, i - 1, 1);
    return an_push_result(L, mark, part ? an_reshape(part, x->ndim - 1, x->shape + 1) : NULL);
}

static const luaL_Reg methods[] = {
    {"shape", tensor_shape},
    {"size", tensor_size},
    {"dim", tensor_dim},
    {"numel", tensor_numel},
    {"dtype", tensor_dtype},
    {"item", tensor_item},
    {"get", tensor_get},
    {"set", tensor_set},
    {"totable", tensor_totable},
    {"list", tensor_list},
    {"finite", tensor_finite},
    {"argmax", tensor_argmax},
    {"copy_", tensor_copy},
    {"fill_", tensor_fill},
    {"clone", tensor_clone},
    {"to", tensor_to},
    {"param", tensor_param},
    {"backward", tensor_backward},
    {NULL, NULL},
};

static const an_class tensor_class = {.name = AN_TENSOR,
                                      .close = close_tensor,
                                      .text = push_text,
                                      .methods = methods,
                                      .field = push_field,
                                      .element = push_part};

int an_open_tensor(lua_State *L)
{
    an_define_class(L, &tensor_class);
    an_push_tensor_makers(L);
    return 1;
}
