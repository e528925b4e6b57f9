/* module (Lua): the Module class, with the named and the flat state of networks.
 *
 *     local m = core.module.new{ seed = 1 }
 *     local net = core.resnet.new(m, "backbone", {…})
 *     m:seal()                       then m:flat(), m:zero_grad(), m:train(true), …
 * Its named state (names, get, state, load) is in bind/module_state.c. */
#include "bind/tensor_arg.h"
#include "bind/model.h"
#include "bind/open.h"
#include "kernel/matmul/gemm_buffers.h"

an_module *an_check_module(lua_State *L, int arg)
{
    return an_check_handle(L, arg, AN_MODULE);
}

int an_push_module(lua_State *L, an_module *m)
{
    void **handle = an_new_handle(L, AN_MODULE);
    an_module_retain(m);
    *handle = m;
    return 1;
}

/* new{seed = 0}. Networks multiply matrices, so the BLAS buffers are reserved before their
 * tensors. */
static int module_new(lua_State *L)
{
    static const char *const known[] = {"seed", NULL};
    an_check_keys(L, 1, known);
    uint64_t seed = (uint64_t)an_opt_int(L, 1, "seed", 0);
    if (an_k_gemm_reserve() != AN_OK)
        return an_raise(L);
    void **handle = an_new_handle(L, AN_MODULE);
    *handle = an_module_new(seed);
    return *handle ? 1 : an_raise(L);
}

/* m:seal() → m. No network can be added afterwards. */
static int module_seal(lua_State *L)
{
    if (an_module_seal(an_check_module(L, 1)))
        return an_raise(L);
    lua_settop(L, 1);
    return 1;
}

/* The initial values that the table at `arg` describes: {fan_in = n}, uniform in ±1/√n as for a
 * linear layer, or {constant = value}. */
static an_init init_of(lua_State *L, int arg)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    int64_t fan_in = an_opt_int(L, arg, "fan_in", 0);
    if (fan_in >= 1)
        return an_init_fan_in(fan_in);
    luaL_argcheck(L, fan_in == 0, arg, "fan_in: 1 or more expected");
    return an_init_constant(an_opt_num(L, arg, "constant", 0));
}

/* m:param(name, shape, {fan_in = or constant =, decay = false}) → the parameter, before m:seal() */
static int module_param(lua_State *L)
{
    static const char *const known[] = {"fan_in", "constant", "decay", NULL};
    an_module *m = an_check_module(L, 1);
    const char *name = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    int64_t shape[AN_MAX_DIMS];
    int ndim = (int)an_check_shape(L, 3, shape);
    an_check_keys(L, 4, known);
    an_init init = init_of(L, 4);
    return an_push_tensor(
        L, an_module_param(m, name, init, ndim, shape, an_opt_bool(L, 4, "decay", false)));
}

/* ── the flat state ──────────────────────────────────────────────────────────── */

/* m:flat() → values, gradient: two 1-D tensors over all parameters. */
static int module_flat(lua_State *L)
{
    an_module *m = an_check_module(L, 1);
    an_push_tensor(L, an_module_values(m));
    an_push_tensor(L, an_module_gradient(m));
    return 2;
}

/* m:flat_buffers() → 1-D tensor */
static int module_flat_buffers(lua_State *L)
{
    return an_push_tensor(L, an_module_buffers(an_check_module(L, 1)));
}

typedef int64_t find_ranges(const an_module *m, const char *prefix, an_range *out, int64_t most);

/* A list of the ranges of entries whose names begin with the prefix at argument 2 (default ""). */
static int push_ranges(lua_State *L, find_ranges *find)
{
    const an_module *m = an_check_module(L, 1);
    const char *prefix = luaL_optstring(L, 2, "");
    an_range *range = lua_newuserdatauv(L, (size_t)an_module_entries(m) * sizeof *range + 1, 0);
    int n = (int)find(m, prefix, range, an_module_entries(m));
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_createtable(L, 0, 3);
        lua_pushinteger(L, range[i].first + 1);
        lua_setfield(L, -2, "first");
        lua_pushinteger(L, range[i].length);
        lua_setfield(L, -2, "length");
        lua_pushboolean(L, range[i].decay);
        lua_setfield(L, -2, "decay");
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* m:decay_ranges([prefix]) → list of {first =, length =, decay =}, first counting from 1 */
static int module_decay_ranges(lua_State *L)
{
    return push_ranges(L, an_module_decay_ranges);
}

/* m:buffer_ranges([prefix]) → the same for the flat buffers */
static int module_buffer_ranges(lua_State *L)
{
    return push_ranges(L, an_module_buffer_ranges);
}

static int module_zero_grad(lua_State *L)
{
    return an_module_zero_grad(an_check_module(L, 1)) ? an_raise(L) : 0;
}

/* m:swap(values [, buffers]): exchanges contents with tensors of the same length. */
static int module_swap(lua_State *L)
{
    an_module *m = an_check_module(L, 1);
    an_tensor *values = an_check_tensor(L, 2), *buffers = an_opt_tensor(L, 3);
    return an_module_swap(m, values, buffers) ? an_raise(L) : 0;
}

/* ── flags ───────────────────────────────────────────────────────────────────── */

/* m:train([on = true]) → m */
static int module_train(lua_State *L)
{
    an_module_train(an_check_module(L, 1), lua_isnoneornil(L, 2) || lua_toboolean(L, 2));
    lua_settop(L, 1);
    return 1;
}

/* m:training() → whether batch normalisation uses batch moments: in training and not frozen */
static int module_training(lua_State *L)
{
    lua_pushboolean(L, an_module_training(an_check_module(L, 1)));
    return 1;
}

/* m:slice([on = true]) → m. Its convolutional networks sum over a batch in slices, which ranks can
 * share. */
static int module_slice(lua_State *L)
{
    an_module_slice(an_check_module(L, 1), lua_isnoneornil(L, 2) || lua_toboolean(L, 2));
    lua_settop(L, 1);
    return 1;
}

/* m:freeze([on = true] [, prefix]) → m. A frozen module, or the part whose names begin with the
 * prefix, requires no gradients and behaves as in evaluation. */
static int module_freeze(lua_State *L)
{
    an_module *m = an_check_module(L, 1);
    bool on = lua_isnoneornil(L, 2) || lua_toboolean(L, 2);
    if (lua_isnoneornil(L, 3))
        an_module_freeze(m, on);
    else if (an_module_freeze_part(m, luaL_checkstring(L, 3), on) == 0)
        return luaL_error(L, "the module has no tensor whose name begins with '%s'",
                          lua_tostring(L, 3));
    lua_settop(L, 1);
    return 1;
}

static int module_frozen(lua_State *L)
{
    lua_pushboolean(L, an_module_frozen(an_check_module(L, 1)));
    return 1;
}

/* ── the class ───────────────────────────────────────────────────────────────── */

/* m:count() → elements in all parameters */
static int module_count(lua_State *L)
{
    lua_pushinteger(L, an_module_numel(an_check_module(L, 1)));
    return 1;
}

static void close_module(lua_State *L, void *m)
{
    (void)L;
    an_module_release(m);
}

static int push_text(lua_State *L, void *m)
{
    lua_pushfstring(L, "Module: %I parameters in %I tensors%s%s", (lua_Integer)an_module_numel(m),
                    (lua_Integer)an_module_entries(m), an_module_sealed(m) ? "" : ", not sealed",
                    an_module_frozen(m) ? ", frozen" : "");
    return 1;
}

static const luaL_Reg methods[] = {
    {"param", module_param},
    {"seal", module_seal},
    {"flat", module_flat},
    {"flat_buffers", module_flat_buffers},
    {"decay_ranges", module_decay_ranges},
    {"buffer_ranges", module_buffer_ranges},
    {"zero_grad", module_zero_grad},
    {"swap", module_swap},
    {"train", module_train},
    {"training", module_training},
    {"slice", module_slice},
    {"freeze", module_freeze},
    {"frozen", module_frozen},
    {"names", an_module_names},
    {"get", an_module_get},
    {"state", an_module_state},
    {"load", an_module_load},
    {"count", module_count},
    {NULL, NULL},
};

static const an_class module_class = {
    .name = AN_MODULE, .close = close_module, .text = push_text, .methods = methods};

static const luaL_Reg functions[] = {{"new", module_new}, {NULL, NULL}};

int an_open_module(lua_State *L)
{
    an_define_class(L, &module_class);
    luaL_newlib(L, functions);
    return 1;
}
