/* bootstrap_counts: see bootstrap_counts.h. An image adds its occurrences in a block of resamples,
 * a short vector, to the counts of its class: unlike in a product of matrices, the time does not
 * depend on K. */
#include "bind/bootstrap_counts.h"

#include "base/integer.h"
#include "base/par.h"
#include "base/simd.h"
#include "bind/bind.h"
#include "bind/index_list.h"
#include "bind/tensor_arg.h"
#include "tensor/scope.h"

enum {
    BLOCK = 32, /* resamples; a chunk of the parallel loop */
    LINE = 16   /* units transposed at a time: a cache line of each row */
};

/* The images are ordered by unit: those of unit u are first[u] … first[u + 1] − 1. */
typedef struct {
    const float *occurrences; /* (R, units) */
    int64_t N, P, K, units;
    int32_t *first;          /* (units + 1) */
    int32_t *truth, *called; /* (N), (N, P) */
    float *sums;             /* (chunks, K (1 + 2 P), BLOCK), zeros */
    float *out;              /* (R, K (1 + 2 P)) */
} counting;

static int64_t columns_of(const counting *of)
{
    return of->K * (1 + 2 * of->P);
}

/* Transposes units u … u + n − 1 of the resamples lo … hi − 1, followed by zeros. */
static inline void transpose(const counting *of, int64_t u, int64_t n, int64_t lo, int64_t hi,
                             float to[LINE][BLOCK])
{
    for (int64_t r = 0; r < BLOCK; r++)
        for (int64_t k = 0; k < n; k++)
            to[k][r] = lo + r < hi ? of->occurrences[(lo + r) * of->units + u + k] : 0;
}

static inline void add(float *restrict sums, const float *restrict values)
{
    for (int r = 0; r < BLOCK; r++)
        sums[r] += values[r];
}

/* Adds the occurrences of image i to the counts of its class and of every prediction for it. */
static inline void count_image(const counting *of, int64_t i, const float *own, float *sums)
{
    const int64_t truth = of->truth[i];
    add(sums + truth * BLOCK, own);
    for (int64_t p = 0; p < of->P; p++) {
        const int64_t called = of->called[i * of->P + p];
        float *calls = sums + of->K * (1 + 2 * p) * BLOCK;
        add(calls + called * BLOCK, own);
        if (called == truth)
            add(calls + (of->K + called) * BLOCK, own);
    }
}

AN_SIMD static void count_block(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const counting *of = context;
    const int64_t W = columns_of(of);
    float *sums = of->sums + chunk * W * BLOCK;
    for (int64_t u = 0; u < of->units; u += LINE) {
        float own[LINE][BLOCK];
        const int64_t n = an_min(LINE, of->units - u);
        if (of->first[u] == of->first[u + n])
            continue;
        transpose(of, u, n, lo, hi, own);
        for (int64_t k = 0; k < n; k++)
            for (int64_t i = of->first[u + k]; i < of->first[u + k + 1]; i++)
                count_image(of, i, own[k], sums);
    }
    for (int64_t r = lo; r < hi; r++)
        for (int64_t w = 0; w < W; w++)
            of->out[r * W + w] = sums[w * BLOCK + r - lo];
}

/* ── arguments ──────────────────────────────────────────────────────────────────── */

static int32_t *buffer(lua_State *L, int64_t n)
{
    return lua_newuserdatauv(L, (size_t)n * sizeof(int32_t), 0);
}

/* Sets first, and place[i], the position of image i in the order by unit; unit[i] counts from 1. */
static void order_images(const counting *of, const int32_t *unit, int32_t *place)
{
    for (int64_t u = 0; u <= of->units; u++)
        of->first[u] = 0;
    for (int64_t i = 0; i < of->N; i++)
        of->first[unit[i]]++;
    for (int64_t u = 1; u <= of->units; u++)
        of->first[u] += of->first[u - 1];
    for (int64_t i = of->N - 1; i >= 0; i--) /* first[u] counts down from the end of unit u */
        place[i] = --of->first[unit[i]];
    for (int64_t u = 1; u <= of->units; u++)
        of->first[u - 1] = of->first[u];
    of->first[of->units] = (int32_t)of->N;
}

static void read_truth(lua_State *L, int arg, const counting *of, const int32_t *place)
{
    const int32_t *truth = an_check_indices(L, arg, of->N, 0, of->K - 1);
    for (int64_t i = 0; i < of->N; i++)
        of->truth[place[i]] = truth[i];
    lua_pop(L, 1);
}

static void read_predictions(lua_State *L, int arg, const counting *of, const int32_t *place)
{
    for (int64_t p = 0; p < of->P; p++) {
        luaL_argcheck(L, lua_rawgeti(L, arg, p + 1) == LUA_TTABLE, arg,
                      "a list of lists of classes expected");
        const int32_t *called = an_check_indices(L, -1, of->N, 0, of->K - 1);
        for (int64_t i = 0; i < of->N; i++)
            of->called[place[i] * of->P + p] = called[i];
        lua_pop(L, 2);
    }
}

int an_lua_bootstrap_counted(lua_State *L)
{
    const an_tensor *x = an_check_tensor(L, 1);
    luaL_argcheck(L, x->dtype == AN_F32 && x->ndim == 2 && an_is_contiguous(x), 1,
                  "a contiguous float32 tensor (R, units) expected");
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checktype(L, 3, LUA_TTABLE);
    const int64_t R = x->shape[0];
    counting of = {.occurrences = an_f32(x),
                   .N = (int64_t)lua_rawlen(L, 2),
                   .P = (int64_t)lua_rawlen(L, 3),
                   .K = an_check_within(L, 4, "K", 1, INT32_MAX),
                   .units = x->shape[1]};
    luaL_argcheck(L, of.N < INT32_MAX, 2, "too many images");
    of.first = buffer(L, of.units + 1);
    of.truth = buffer(L, of.N);
    of.called = buffer(L, of.N * of.P);
    int32_t *place = buffer(L, of.N);
    order_images(&of, an_check_indices(L, 5, of.N, 1, of.units), place);
    read_truth(L, 2, &of, place);
    read_predictions(L, 3, &of, place);
    const int64_t chunks = an_chunks(R, BLOCK), W = columns_of(&of);
    size_t mark = an_scope_begin();
    an_tensor *sums = an_tensor_zeros(AN_F32, 1, (int64_t[]){chunks * W * BLOCK});
    an_tensor *out = sums ? an_tensor_new(AN_F32, 2, (int64_t[]){R, W}) : NULL;
    if (out) {
        of.sums = an_f32(sums);
        of.out = an_f32(out);
        an_par_for(R, BLOCK, count_block, &of);
    }
    return an_push_result(L, mark, out);
}
