/* rng (Lua): core.rng, random integers by address. Resampling in Lua (bootstrap intervals) draws
 * from the engine's generator, so that it, too, depends only on the seed. */
#include "base/rng.h"

#include "base/integer.h"
#include "base/par.h"
#include "bind/tensor_arg.h"
#include "tensor/scope.h"

/* rng.below(seed, purpose, a, count, n) → list of `count` integers 1 … n: the numbers at
 * index 0 … count−1 of the stream (purpose, a). */
static int rng_below(lua_State *L)
{
    uint64_t seed = (uint64_t)luaL_checkinteger(L, 1);
    uint64_t stream = an_stream(luaL_checkstring(L, 2), (uint64_t)luaL_checkinteger(L, 3), 0);
    const int64_t count = an_check_within(L, 4, "count", 0, AN_COUNT_MAX);
    const int64_t n = an_check_within(L, 5, "n", 1, INT64_MAX);
    lua_createtable(L, (int)count, 0);
    for (lua_Integer i = 0; i < count; i++) {
        lua_pushinteger(L, 1 + an_below(seed, stream, (uint64_t)i, n));
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* Rows lo … hi−1 of rng.resamples(). */
typedef struct {
    float *counts; /* (rows, n), zeros */
    const char *purpose;
    uint64_t seed, first;
    int64_t n;
} resampling;

static void resample_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const resampling *of = context;
    (void)chunk;
    for (int64_t k = lo; k < hi; k++) {
        const uint64_t stream = an_stream(of->purpose, of->first + (uint64_t)k, 0);
        float *row = of->counts + k * of->n;
        for (int64_t i = 0; i < of->n; i++)
            row[an_below(of->seed, stream, (uint64_t)i, of->n)] += 1;
    }
}

enum { RESAMPLES_PARALLEL = 1 << 14 }; /* draws from which on threads pay off */

/* rng.resamples(seed, purpose, first, count, n) → tensor (count, n): row k counts how often
 * each of n items is in resample first+k, whose n members are below(seed, purpose, first+k, n, n).
 */
static int rng_resamples(lua_State *L)
{
    uint64_t seed = (uint64_t)luaL_checkinteger(L, 1);
    const char *purpose = luaL_checkstring(L, 2);
    const uint64_t first = (uint64_t)luaL_checkinteger(L, 3);
    const int64_t shape[] = {an_check_within(L, 4, "count", 1, AN_COUNT_MAX),
                             an_check_within(L, 5, "n", 1, INT64_MAX)};
    size_t mark = an_scope_begin();
    an_tensor *x = an_tensor_zeros(AN_F32, 2, shape);
    if (x)
        an_par_for(shape[0], an_grain(shape[0], shape[1], RESAMPLES_PARALLEL), resample_rows,
                   &(resampling){an_f32(x), purpose, seed, first, shape[1]});
    return an_push_result(L, mark, x);
}

int an_open_rng(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"below", rng_below}, {"resamples", rng_resamples}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
