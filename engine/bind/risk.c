/* risk (Lua): core.risk, the errors of a classifier that labels its most confident images first.
 * lua/aniso/stats/risk.lua derives its measures from them. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "bind/index_list.h"
#include "bind/open.h"
#include "bind/tensor_arg.h"

typedef struct {
    double confidence;
    bool is_wrong;
} labelled;

static int most_confident_first(const void *a, const void *b)
{
    const double x = ((const labelled *)a)->confidence, y = ((const labelled *)b)->confidence;
    return (x < y) - (x > y);
}

static double confidence_at(lua_State *L, int arg, int64_t i)
{
    int is_number;
    lua_rawgeti(L, arg, i + 1);
    const double value = lua_tonumberx(L, -1, &is_number);
    luaL_argcheck(L, is_number && !isnan(value), arg, "a confidence per image expected");
    lua_pop(L, 1);
    return value;
}

static void push_errors(lua_State *L, const labelled *images, int64_t N)
{
    lua_createtable(L, (int)N, 0);
    int64_t before = 0;
    for (int64_t first = 0, end; first < N; first = end) {
        int64_t wrong = 0;
        for (end = first; end < N && images[end].confidence == images[first].confidence; end++)
            wrong += images[end].is_wrong;
        for (int64_t k = 1; k <= end - first; k++) {
            lua_pushnumber(L, (double)before + (double)(wrong * k) / (double)(end - first));
            lua_rawseti(L, -2, first + k);
        }
        before += wrong;
    }
}

/* risk.errors(true_idx, pred_idx, conf) → {e_1 … e_N}, e_k: the errors among the k most confident
 * of N images; errors among images of equal confidence are spread evenly. Three lists of N:
 * classes, and confidences. */
static int risk_errors(lua_State *L)
{
    for (int arg = 1; arg <= 3; arg++)
        luaL_checktype(L, arg, LUA_TTABLE);
    const int64_t N = (int64_t)lua_rawlen(L, 1);
    const int32_t *truth = an_check_indices(L, 1, N, 0, INT32_MAX);
    const int32_t *called = an_check_indices(L, 2, N, 0, INT32_MAX);
    labelled *images = lua_newuserdatauv(L, (size_t)N * sizeof *images, 0);
    for (int64_t i = 0; i < N; i++) {
        images[i].confidence = confidence_at(L, 3, i);
        images[i].is_wrong = truth[i] != called[i];
    }
    if (N > 1)
        qsort(images, (size_t)N, sizeof *images, most_confident_first);
    push_errors(L, images, N);
    return 1;
}

int an_open_risk(lua_State *L)
{
    static const luaL_Reg functions[] = {{"errors", risk_errors}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
