/* mmd (Lua): the MMD userdata, a set of RBF kernels and the discrepancy under them.
 *
 *     local mmd = core.mmd.new{ multipliers = {0.5, 1, 2}, base = 0, unbiased = false }
 *     local loss = mmd(a, b)        -- a, b (B, K); a scalar with gradients to both */
#include "base/memory/mem.h"
#include "bind/open.h"
#include "bind/tensor_arg.h"
#include "grad/ops.h"
#include "tensor/scope.h"

#define AN_MMD "aniso.MMD"

static void read_multipliers(lua_State *L, an_mmd_args *args)
{
    int64_t n;
    lua_getfield(L, 1, "multipliers");
    const double *multiplier = an_check_doubles(L, lua_gettop(L), -1, &n);
    if (n < 1 || n > AN_MMD_KERNELS)
        luaL_argerror(L, 1,
                      lua_pushfstring(L, "option multipliers: 1 to %d numbers, got %d",
                                      AN_MMD_KERNELS, (int)n));
    args->n = (int)n;
    for (int i = 0; i < args->n; i++) {
        args->multiplier[i] = multiplier[i];
        luaL_argcheck(L, multiplier[i] > 0, 1, "option multipliers: numbers above 0 expected");
    }
}

/* new{multipliers = {…}, base =, unbiased =}. base ≤ 0 or absent: 2K. */
static int mmd_new(lua_State *L)
{
    static const char *const known[] = {"multipliers", "base", "unbiased", NULL};
    luaL_checktype(L, 1, LUA_TTABLE);
    an_check_keys(L, 1, known);
    an_mmd_args args = {.base = an_opt_num(L, 1, "base", 0),
                        .unbiased = an_opt_bool(L, 1, "unbiased", false)};
    read_multipliers(L, &args);
    void **handle = an_new_handle(L, AN_MMD);
    an_mmd_args *kept = an_alloc(sizeof *kept);
    if (!kept)
        return an_raise(L);
    *kept = args;
    *handle = kept;
    return 1;
}

/* mmd:loss(a, b), mmd(a, b) → scalar */
static int mmd_loss(lua_State *L)
{
    const an_mmd_args *args = an_check_handle(L, 1, AN_MMD);
    an_tensor *a = an_check_tensor(L, 2), *b = an_check_tensor(L, 3);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_mmd(a, b, args));
}

static void close_mmd(lua_State *L, void *args)
{
    (void)L;
    an_free(args);
}

static int push_text(lua_State *L, void *object)
{
    const an_mmd_args *args = object;
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    luaL_addstring(&text, args->unbiased ? "MMD (unbiased), h = " : "MMD (biased), h = ");
    if (args->base > 0) {
        lua_pushfstring(L, "%f", args->base);
        luaL_addvalue(&text);
    } else {
        luaL_addstring(&text, "2K");
    }
    for (int i = 0; i < args->n; i++) {
        lua_pushfstring(L, "%s%f", i ? ", " : " × {", args->multiplier[i]);
        luaL_addvalue(&text);
    }
    luaL_addchar(&text, '}');
    luaL_pushresult(&text);
    return 1;
}

static const luaL_Reg methods[] = {{"loss", mmd_loss}, {NULL, NULL}};
static const luaL_Reg meta[] = {{"__call", mmd_loss}, {NULL, NULL}};

static const an_class mmd_class = {
    .name = AN_MMD, .close = close_mmd, .text = push_text, .methods = methods, .meta = meta};

static const luaL_Reg functions[] = {{"new", mmd_new}, {NULL, NULL}};

int an_open_mmd(lua_State *L)
{
    an_define_class(L, &mmd_class);
    luaL_newlib(L, functions);
    return 1;
}
