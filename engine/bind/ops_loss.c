/* ops_loss (Lua): softmax, losses, attention and embeddings in aniso.core.ops; see
 * bind/ops.c. */
#include "base/integer.h"
#include "bind/ops.h"
#include "bind/tensor_arg.h"
#include "grad/ops.h"
#include "tensor/scope.h"

static int op_softmax(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_softmax(x));
}

static int op_log_softmax(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_log_softmax(x));
}

/* The K numbers in option `key` of the table at `arg`, or NULL; they stay on the stack. */
static const float *class_numbers(lua_State *L, int arg, const char *key, int64_t K)
{
    if (lua_isnoneornil(L, arg) || (lua_pushstring(L, key), lua_rawget(L, arg) == LUA_TNIL))
        return NULL;
    return an_check_floats(L, lua_gettop(L), K, NULL);
}

/* cross_entropy(logits, labels, {weight=, adjust=, margin=, scale=, focal=, smoothing=}) */
static int op_cross_entropy(lua_State *L)
{
    static const char *const known[] = {"weight", "adjust",    "margin", "scale",
                                        "focal",  "smoothing", NULL};
    lua_settop(L, 3);
    an_check_keys(L, 3, known);
    an_tensor *logits = an_check_tensor(L, 1), *labels = an_check_tensor(L, 2);
    int64_t K = logits->ndim ? an_dim(logits, -1) : 0;
    an_cross_entropy_args args = {
        .weight = class_numbers(L, 3, "weight", K),
        .adjust = class_numbers(L, 3, "adjust", K),
        .margin = class_numbers(L, 3, "margin", K),
        .scale = an_opt_num(L, 3, "scale", 1.0),
        .focal = an_opt_num(L, 3, "focal", 0.0),
        .smoothing = an_opt_num(L, 3, "smoothing", 0.0),
    };
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_cross_entropy(logits, labels, &args));
}

/* mse(a, b [, w]) → mean of w·(a − b)², w one weight per row */
static int op_mse(lua_State *L)
{
    an_tensor *a = an_check_tensor(L, 1), *b = an_check_tensor(L, 2), *w = an_opt_tensor(L, 3);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_mse(a, b, w));
}

/* attention(q, k, v, heads [, true]) → output [, map] */
static int op_attention(lua_State *L)
{
    an_tensor *q = an_check_tensor(L, 1), *k = an_check_tensor(L, 2), *v = an_check_tensor(L, 3);
    int heads = (int)an_check_within(L, 4, "heads", 1, AN_COUNT_MAX);
    bool with_map = lua_toboolean(L, 5);
    an_tensor *map = NULL;
    size_t mark = an_scope_begin();
    an_push_tensor(L, an_attention(q, k, v, heads, with_map ? &map : NULL));
    if (with_map)
        an_push_tensor(L, map);
    an_scope_end(mark, NULL);
    return with_map ? 2 : 1;
}

static int op_embedding(lua_State *L)
{
    an_tensor *w = an_check_tensor(L, 1), *index = an_check_tensor(L, 2);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_embedding(w, index));
}

static int op_timestep_embedding(lua_State *L)
{
    an_tensor *t = an_check_tensor(L, 1);
    int64_t D = an_check_within(L, 2, "width", 1, AN_COUNT_MAX);
    double max_period = luaL_optnumber(L, 3, 10000.0);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_timestep_embedding(t, D, max_period));
}

static const luaL_Reg functions[] = {
    {"softmax", op_softmax},
    {"log_softmax", op_log_softmax},
    {"mse", op_mse},
    {"cross_entropy", op_cross_entropy},
    {"attention", op_attention},
    {"embedding", op_embedding},
    {"timestep_embedding", op_timestep_embedding},
    {NULL, NULL},
};

void an_add_losses(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
