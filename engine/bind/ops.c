/* ops (Lua): the differentiable operations, as functions in aniso.core.ops and, where the
 * first argument is a tensor, as methods of Tensor. Names are those of grad/ops.h without
 * the prefix; dimensions count from 1. */
#include "bind/ops.h"

#include "base/integer.h"
#include "bind/tensor_arg.h"
#include "grad/ops.h"
#include "grad/tape.h"
#include "tensor/scope.h"

/* ── arithmetic: either operand may be a number ─────────────────────────────── */

typedef an_tensor *(*binary_fn)(an_tensor *, an_tensor *);

static an_tensor *scalar(double value)
{
    float f = (float)value;
    return an_tensor_from(&f, 0, NULL);
}

static int binary(lua_State *L, binary_fn op)
{
    bool left = lua_isnumber(L, 1), right = lua_isnumber(L, 2);
    double numbers[2] = {left ? lua_tonumber(L, 1) : 0, right ? lua_tonumber(L, 2) : 0};
    an_tensor *a = left ? NULL : an_check_tensor(L, 1), *b = right ? NULL : an_check_tensor(L, 2);
    size_t mark = an_scope_begin();
    if (!a)
        a = scalar(numbers[0]);
    if (!b)
        b = scalar(numbers[1]);
    return an_push_result(L, mark, op(a, b));
}

static int op_add(lua_State *L)
{
    return binary(L, an_add);
}

static int op_sub(lua_State *L)
{
    return binary(L, an_sub);
}

static int op_mul(lua_State *L)
{
    return binary(L, an_mul);
}

static int op_div(lua_State *L)
{
    return binary(L, an_div);
}

static int op_neg(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_affine(x, -1.0, 0.0));
}

/* ── maps ───────────────────────────────────────────────────────────────────── */

static int map(lua_State *L, an_map_kind kind)
{
    an_tensor *x = an_check_tensor(L, 1);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_map(x, kind));
}

static int op_relu(lua_State *L)
{
    return map(L, AN_RELU);
}
static int op_gelu(lua_State *L)
{
    return map(L, AN_GELU);
}
static int op_silu(lua_State *L)
{
    return map(L, AN_SILU);
}
static int op_sigmoid(lua_State *L)
{
    return map(L, AN_SIGMOID);
}
static int op_tanh(lua_State *L)
{
    return map(L, AN_TANH);
}
static int op_softplus(lua_State *L)
{
    return map(L, AN_SOFTPLUS);
}
static int op_exp(lua_State *L)
{
    return map(L, AN_EXP);
}
static int op_log(lua_State *L)
{
    return map(L, AN_LOG);
}
static int op_sqrt(lua_State *L)
{
    return map(L, AN_SQRT);
}
static int op_square(lua_State *L)
{
    return map(L, AN_SQUARE);
}

/* ── sums and shapes ────────────────────────────────────────────────────────── */

static int reduce(lua_State *L, an_tensor *(*op)(an_tensor *, int, bool))
{
    an_tensor *x = an_check_tensor(L, 1);
    int dim = lua_isnoneornil(L, 2) ? AN_ALL : an_check_dimension(L, 2, x);
    bool keep = lua_toboolean(L, 3);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, op(x, dim, keep));
}

static int op_sum(lua_State *L)
{
    return reduce(L, an_sum);
}
static int op_mean(lua_State *L)
{
    return reduce(L, an_mean);
}

static int op_reshape(lua_State *L)
{
    int64_t shape[AN_MAX_DIMS];
    an_tensor *x = an_check_tensor(L, 1);
    int ndim = (int)an_check_shape(L, 2, shape);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_reshape(x, ndim, shape));
}

static int op_expand(lua_State *L)
{
    int64_t shape[AN_MAX_DIMS];
    an_tensor *x = an_check_tensor(L, 1);
    int ndim = (int)an_check_shape(L, 2, shape);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_expand(x, ndim, shape));
}

/* permute(x, 2, 1, 3) */
static int op_permute(lua_State *L)
{
    int order[AN_MAX_DIMS];
    an_tensor *x = an_check_tensor(L, 1);
    for (int d = 0; d < x->ndim; d++)
        order[d] = an_check_dimension(L, 2 + d, x);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_permute(x, order));
}

/* narrow(x, dim, start, length): `length` entries from position `start` (from 1) */
static int op_narrow(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    int dim = an_check_dimension(L, 2, x);
    int64_t start = an_check_within(L, 3, "start", 1, AN_COUNT_MAX);
    int64_t length = an_check_within(L, 4, "length", 0, AN_COUNT_MAX);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_narrow(x, dim, start - 1, length));
}

static int op_repeat_rows(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    int64_t times = an_check_within(L, 2, "times", 1, AN_COUNT_MAX);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_repeat_rows(x, times));
}

static int op_detach(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_detach(x));
}

/* concat({a, b, …}, dim) */
static int op_concat(lua_State *L)
{
    an_tensor *xs[AN_NODE_INPUTS];
    luaL_checktype(L, 1, LUA_TTABLE);
    const size_t length = lua_rawlen(L, 1);
    luaL_argcheck(L, length >= 1 && length <= AN_NODE_INPUTS, 1,
                  "a list of 1 to 6 tensors expected");
    const int n = (int)length;
    for (int k = 0; k < n; k++) {
        lua_rawgeti(L, 1, k + 1);
        xs[k] = an_check_tensor(L, -1); /* stays on the stack, so it is not collected */
    }
    int dim = an_check_dimension(L, 2, xs[0]);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_concat(xs, n, dim));
}

/* ── products, convolution, pooling, normalisation ──────────────────────────── */

static int op_matmul(lua_State *L)
{
    an_tensor *a = an_check_tensor(L, 1), *b = an_check_tensor(L, 2);
    bool ta = lua_toboolean(L, 3), tb = lua_toboolean(L, 4);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_matmul(a, b, ta, tb));
}

static int op_linear(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1), *w = an_check_tensor(L, 2), *b = an_opt_tensor(L, 3);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_linear(x, w, b));
}

/* The int at `arg`, a number of pixels ≥ low. */
static int pixels(lua_State *L, int arg, const char *what, int low)
{
    return (int)an_check_within(L, arg, what, low, AN_COUNT_MAX);
}

static int opt_pixels(lua_State *L, int arg, const char *what, int low, int otherwise)
{
    return lua_isnoneornil(L, arg) ? otherwise : pixels(L, arg, what, low);
}

/* conv2d(x, w, b or nil, stride, pad) */
static int op_conv2d(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1), *w = an_check_tensor(L, 2), *b = an_opt_tensor(L, 3);
    int stride = opt_pixels(L, 4, "stride", 1, 1), pad = opt_pixels(L, 5, "pad", 0, 0);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_conv2d(x, w, b, stride, pad));
}

static int op_max_pool2d(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    int size = pixels(L, 2, "size", 1), stride = opt_pixels(L, 3, "stride", 1, size);
    int pad = opt_pixels(L, 4, "pad", 0, 0);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_max_pool2d(x, size, stride, pad));
}

static int op_avg_pool2d(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    int size = pixels(L, 2, "size", 1), stride = opt_pixels(L, 3, "stride", 1, size);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_avg_pool2d(x, size, stride));
}

static int op_global_avg_pool(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_global_avg_pool(x));
}

static int op_top_pool(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    double percent = luaL_checknumber(L, 2);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_top_pool(x, percent));
}

/* batch_norm(x, gamma, beta, running_mean, running_var, {train=, relu=, momentum=, eps=},
 * residual or nil) */
static int op_batch_norm(lua_State *L)
{
    static const char *const known[] = {"train", "relu", "momentum", "eps", NULL};
    an_tensor *x = an_check_tensor(L, 1);
    an_check_keys(L, 6, known);
    an_batch_norm_args args = {
        .gamma = an_check_tensor(L, 2),
        .beta = an_check_tensor(L, 3),
        .running_mean = an_check_tensor(L, 4),
        .running_var = an_check_tensor(L, 5),
        .train = an_opt_bool(L, 6, "train", false),
        .relu = an_opt_bool(L, 6, "relu", false),
        .momentum = an_opt_num(L, 6, "momentum", 0.1),
        .eps = an_opt_num(L, 6, "eps", 1e-5),
    };
    an_tensor *residual = an_opt_tensor(L, 7);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_batch_norm(x, residual, &args));
}

static int op_layer_norm(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1), *gamma = an_opt_tensor(L, 2), *beta = an_opt_tensor(L, 3);
    double eps = luaL_optnumber(L, 4, 1e-5);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_layer_norm(x, gamma, beta, eps));
}

/* ── the tape ───────────────────────────────────────────────────────────────── */

/* no_grad(f, …) → f(…) computed without recording */
static int no_grad(lua_State *L)
{
    luaL_checkany(L, 1);
    bool was = an_set_recording(false);
    int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
    an_set_recording(was);
    if (status)
        return lua_error(L);
    return lua_gettop(L);
}

/* tape_length() → how many operations are recorded, and how often recorded ones were dropped */
static int tape_length(lua_State *L)
{
    lua_pushinteger(L, an_tape_length());
    lua_pushinteger(L, an_tape_drops());
    return 2;
}

static int clear_tape(lua_State *L)
{
    (void)L;
    an_tape_clear();
    return 0;
}

static const luaL_Reg functions[] = {
    {"add", op_add},
    {"sub", op_sub},
    {"mul", op_mul},
    {"div", op_div},
    {"neg", op_neg},
    {"relu", op_relu},
    {"gelu", op_gelu},
    {"silu", op_silu},
    {"sigmoid", op_sigmoid},
    {"tanh", op_tanh},
    {"softplus", op_softplus},
    {"exp", op_exp},
    {"log", op_log},
    {"sqrt", op_sqrt},
    {"square", op_square},
    {"sum", op_sum},
    {"mean", op_mean},
    {"reshape", op_reshape},
    {"expand", op_expand},
    {"permute", op_permute},
    {"narrow", op_narrow},
    {"repeat_rows", op_repeat_rows},
    {"detach", op_detach},
    {"matmul", op_matmul},
    {"linear", op_linear},
    {"conv2d", op_conv2d},
    {"max_pool2d", op_max_pool2d},
    {"avg_pool2d", op_avg_pool2d},
    {"global_avg_pool", op_global_avg_pool},
    {"top_pool", op_top_pool},
    {"batch_norm", op_batch_norm},
    {"layer_norm", op_layer_norm},
    {NULL, NULL},
};

static const luaL_Reg operators[] = {
    {"__add", op_add}, {"__sub", op_sub}, {"__mul", op_mul},
    {"__div", op_div}, {"__unm", op_neg}, {NULL, NULL},
};

static const luaL_Reg tape[] = {
    {"concat", op_concat},        {"no_grad", no_grad}, {"clear_tape", clear_tape},
    {"tape_length", tape_length}, {NULL, NULL},
};

/* After an_open_tensor(): adds methods and operators to its class. */
int an_open_ops(lua_State *L)
{
    luaL_getmetatable(L, AN_TENSOR);
    luaL_setfuncs(L, operators, 0);
    lua_getfield(L, -1, "methods");
    luaL_setfuncs(L, functions, 0);
    an_add_losses(L);
    lua_pop(L, 2);
    luaL_newlib(L, functions);
    luaL_setfuncs(L, tape, 0);
    an_add_losses(L);
    an_add_diffusion(L);
    return 1;
}
