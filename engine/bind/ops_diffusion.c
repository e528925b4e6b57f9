/* ops_diffusion (Lua): the forward process and the reading of predictions in aniso.core.ops; see
 * bind/ops.c. All tensors are float32 (B,K). */
#include <lauxlib.h>

#include "bind/ops.h"
#include "bind/tensor_arg.h"
#include "grad/ops.h"
#include "tensor/scope.h"

/* noised(y0, m, eps, signal, noise) → y_t */
static int op_noised(lua_State *L)
{
    an_tensor *y0 = an_check_tensor(L, 1), *m = an_check_tensor(L, 2), *e = an_check_tensor(L, 3);
    an_tensor *signal = an_check_tensor(L, 4), *noise = an_check_tensor(L, 5);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_noised(y0, m, e, signal, noise));
}

/* target("epsilon" | "y0" | "v", y0, m, eps, signal, noise) → (B,K) */
static int op_target(lua_State *L)
{
    int prediction = luaL_checkoption(L, 1, NULL, an_prediction_names);
    an_tensor *y0 = an_check_tensor(L, 2), *m = an_check_tensor(L, 3), *e = an_check_tensor(L, 4);
    an_tensor *signal = an_check_tensor(L, 5), *noise = an_check_tensor(L, 6);
    size_t mark = an_scope_begin();
    return an_push_result(L, mark, an_target((an_prediction)prediction, y0, m, e, signal, noise));
}

/* read("z0" | "epsilon", prediction, y_t, m, output, signal, noise) → (B,K) */
static int op_read(lua_State *L)
{
    static const char *const readings[] = {"z0", "epsilon", NULL};
    int what = luaL_checkoption(L, 1, NULL, readings);
    int prediction = luaL_checkoption(L, 2, NULL, an_prediction_names);
    an_tensor *y = an_check_tensor(L, 3), *m = an_check_tensor(L, 4), *x = an_check_tensor(L, 5);
    an_tensor *signal = an_check_tensor(L, 6), *noise = an_check_tensor(L, 7);
    size_t mark = an_scope_begin();
    return an_push_result(
        L, mark, an_read((an_reading)what, (an_prediction)prediction, y, m, x, signal, noise));
}

static const luaL_Reg functions[] = {
    {"noised", op_noised}, {"target", op_target}, {"read", op_read}, {NULL, NULL}};

void an_add_diffusion(lua_State *L)
{
    luaL_setfuncs(L, functions, 0);
}
