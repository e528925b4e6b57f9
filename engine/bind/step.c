/* step (Lua): core.step, optimiser steps in place on flat float32 tensors. The policy (learning
 * rates, which parameters decay, which state is kept) is in lua/aniso/method/optim.lua.
 *
 *     core.step.adamw(p, g, m, v, {lr =, beta1 =, beta2 =, eps =, weight_decay =, t =})
 *     core.step.sgd(p, g, buf or nil, {lr =, momentum =, nesterov =, weight_decay =, first =})
 * Both also take from = (counts from 1) and length =, the range of elements to update; scale =, a
 * factor on the gradient; average = and keep =, a tensor that follows p as an exponential average.
 * core.step.view(x, first, length) is such a range, as a tensor that shares the elements. */
#include "kernel/pointwise/optimizer_step.h"

#include <math.h>

#include "bind/tensor_arg.h"
#include "bind/open.h"
#include "tensor/scope.h"

/* The elements of a contiguous float32 tensor, as many as in `like` (NULL: any number). */
static float *check_flat(lua_State *L, int arg, const an_tensor *like)
{
    an_tensor *x = an_check_tensor(L, arg);
    luaL_argcheck(L, x->dtype == AN_F32, arg, "float32 expected");
    luaL_argcheck(L, an_is_contiguous(x), arg, "a contiguous tensor expected");
    if (like && an_numel(x) != an_numel(like))
        luaL_argerror(L, arg,
                      lua_pushfstring(L, "%s and %s differ in the number of elements",
                                      an_shape_text(x), an_shape_text(like)));
    return an_f32(x);
}

typedef struct {
    int64_t start, length;
} range;

static range check_range(lua_State *L, int arg, const an_tensor *p)
{
    const int64_t n = an_numel(p), from = an_opt_within(L, arg, "from", 1, 1, n + 1);
    const int64_t rest = n - from + 1, length = an_opt_within(L, arg, "length", rest, 0, rest);
    return (range){from - 1, length};
}

/* The fields scale, average and keep; the average starts at the range. */
static an_step_extras check_extras(lua_State *L, int arg, const an_tensor *p, range s)
{
    an_step_extras with = {.gradient_scale = an_opt_num(L, arg, "scale", 1),
                           .ema_decay = an_opt_num(L, arg, "keep", 0)};
    if (with.ema_decay < 0 || with.ema_decay > 1)
        luaL_argerror(L, arg, "option keep: expected a number in [0, 1]");
    lua_pushliteral(L, "average");
    if (lua_rawget(L, arg) != LUA_TNIL)
        with.ema = check_flat(L, lua_gettop(L), p) + s.start;
    lua_pop(L, 1);
    return with;
}

static int step_adamw(lua_State *L)
{
    static const char *const known[] = {"lr",   "beta1",  "beta2", "eps",     "weight_decay", "t",
                                        "from", "length", "scale", "average", "keep",         NULL};
    const an_tensor *x = an_check_tensor(L, 1);
    float *p = check_flat(L, 1, NULL);
    const float *g = check_flat(L, 2, x);
    float *m = check_flat(L, 3, x), *v = check_flat(L, 4, x);
    luaL_checktype(L, 5, LUA_TTABLE);
    an_check_keys(L, 5, known);
    an_adamw_args args = {.lr = an_opt_num(L, 5, "lr", 1e-3),
                          .beta1 = an_opt_num(L, 5, "beta1", 0.9),
                          .beta2 = an_opt_num(L, 5, "beta2", 0.999),
                          .eps = an_opt_num(L, 5, "eps", 1e-8),
                          .decay = an_opt_num(L, 5, "weight_decay", 0),
                          .t = an_opt_int(L, 5, "t", 1)};
    luaL_argcheck(L, args.t >= 1, 5, "t counts steps from 1");
    range s = check_range(L, 5, x);
    args.with = check_extras(L, 5, x, s);
    an_k_adamw(p + s.start, g + s.start, m + s.start, v + s.start, s.length, &args);
    return 0;
}

static int step_sgd(lua_State *L)
{
    static const char *const known[] = {"lr",      "momentum", "nesterov", "weight_decay",
                                        "first",   "from",     "length",   "scale",
                                        "average", "keep",     NULL};
    const an_tensor *x = an_check_tensor(L, 1);
    float *p = check_flat(L, 1, NULL);
    const float *g = check_flat(L, 2, x);
    float *buf = lua_isnil(L, 3) ? NULL : check_flat(L, 3, x);
    luaL_checktype(L, 4, LUA_TTABLE);
    an_check_keys(L, 4, known);
    an_sgd_args args = {.lr = an_opt_num(L, 4, "lr", 1e-2),
                        .momentum = an_opt_num(L, 4, "momentum", 0),
                        .decay = an_opt_num(L, 4, "weight_decay", 0),
                        .nesterov = an_opt_bool(L, 4, "nesterov", false),
                        .first = an_opt_bool(L, 4, "first", false)};
    luaL_argcheck(L, buf || args.momentum == 0, 3, "momentum needs a buffer");
    range s = check_range(L, 4, x);
    args.with = check_extras(L, 4, x, s);
    an_k_sgd(p + s.start, g + s.start, buf ? buf + s.start : NULL, s.length, &args);
    return 0;
}

/* ema(e, p, decay): e ← decay·e + (1−decay)·p */
static int step_ema(lua_State *L)
{
    const an_tensor *x = an_check_tensor(L, 1);
    float *e = check_flat(L, 1, NULL);
    const float *p = check_flat(L, 2, x);
    double decay = luaL_checknumber(L, 3);
    luaL_argcheck(L, decay >= 0 && decay <= 1, 3, "a decay in [0, 1] expected");
    an_k_ema(e, p, decay, an_numel(x));
    return 0;
}

/* grad_norm(g) → √Σg² */
static int step_grad_norm(lua_State *L)
{
    const float *g = check_flat(L, 1, NULL);
    lua_pushnumber(L, sqrt(an_k_sum_squares(g, an_numel(an_check_tensor(L, 1)))));
    return 1;
}

/* clip(g, limit) → the former norm; the new one is at most `limit`. */
static int step_clip(lua_State *L)
{
    float *g = check_flat(L, 1, NULL);
    double limit = luaL_checknumber(L, 2);
    luaL_argcheck(L, limit > 0, 2, "a limit above 0 expected");
    int64_t n = an_numel(an_check_tensor(L, 1));
    double norm = sqrt(an_k_sum_squares(g, n));
    if (norm > limit)
        an_k_scale(g, limit / norm, n);
    lua_pushnumber(L, norm);
    return 1;
}

/* view(x, first, length) → a tensor that shares `length` elements of the flat tensor x, from
 * `first` (from 1) on */
static int step_view(lua_State *L)
{
    an_tensor *x = an_check_tensor(L, 1);
    check_flat(L, 1, NULL);
    const int64_t first = an_check_within(L, 2, "first", 1, an_numel(x) + 1);
    const int64_t length = an_check_within(L, 3, "length", 0, an_numel(x) - first + 1);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark,
                          an_tensor_view(x->storage, AN_F32, x->offset + first - 1, 1, &length));
}

static const luaL_Reg functions[] = {
    {"adamw", step_adamw}, {"sgd", step_sgd},   {"ema", step_ema}, {"grad_norm", step_grad_norm},
    {"clip", step_clip},   {"view", step_view}, {NULL, NULL},
};

int an_open_step(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
