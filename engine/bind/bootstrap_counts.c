/* bootstrap_counts: see bootstrap_counts.h. An image adds its occurrences in a block of resamples,
 * a short vector, to the counts of its class: K plays no part in the time, as it would in a product
 * of matrices. */
#include "bind/bootstrap_counts.h"

#include "base/integer.h"
#include "base/par.h"
#include "bind/bind.h"
#include "bind/index_list.h"
#include "bind/tensor_arg.h"
#include "tensor/scope.h"

enum { BLOCK = 64 }; /* resamples; a chunk of the parallel loop */

typedef struct {
    const float *occurrences;             /* (R, units) */
    const int32_t *truth, *unit, *called; /* (N), (N) from 1, (P, N) */
    int64_t N, P, K, units;
    float *transposed; /* (chunks, units, BLOCK) */
    float *sums;       /* (chunks, K (1 + 2 P), BLOCK), zeros */
    float *out;        /* (R, K (1 + 2 P)) */
} counting;

static int64_t columns_of(const counting *of)
{
    return of->K * (1 + 2 * of->P);
}

/* (rows, columns) → (columns, BLOCK), zeros behind the rows; a cache line of each row at a time. */
static void transpose(const float *from, int64_t rows, int64_t columns, float *to)
{
    enum { LINE = 16 };
    for (int64_t first = 0; first < columns; first += LINE) {
        const int64_t end = an_min(first + LINE, columns);
        for (int64_t r = 0; r < BLOCK; r++)
            for (int64_t c = first; c < end; c++)
                to[c * BLOCK + r] = r < rows ? from[r * columns + c] : 0;
    }
}

static void add(float *restrict sums, const float *restrict values)
{
    for (int r = 0; r < BLOCK; r++)
        sums[r] += values[r];
}

static void count_supports(const counting *of, const float *occurrences, float *sums)
{
    for (int64_t i = 0; i < of->N; i++)
        add(sums + of->truth[i] * BLOCK, occurrences + (of->unit[i] - 1) * BLOCK);
}

/* called: N classes; sums: of K calls and K correct ones. */
static void count_calls(const counting *of, const int32_t *called, const float *occurrences,
                        float *sums)
{
    for (int64_t i = 0; i < of->N; i++) {
        const float *own = occurrences + (of->unit[i] - 1) * BLOCK;
        add(sums + called[i] * BLOCK, own);
        if (called[i] == of->truth[i])
            add(sums + (of->K + called[i]) * BLOCK, own);
    }
}

static void count_block(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const counting *of = context;
    const int64_t W = columns_of(of);
    float *occurrences = of->transposed + chunk * of->units * BLOCK;
    float *sums = of->sums + chunk * W * BLOCK;
    transpose(of->occurrences + lo * of->units, hi - lo, of->units, occurrences);
    count_supports(of, occurrences, sums);
    for (int64_t p = 0; p < of->P; p++)
        count_calls(of, of->called + p * of->N, occurrences, sums + of->K * (1 + 2 * p) * BLOCK);
    for (int64_t r = lo; r < hi; r++)
        for (int64_t w = 0; w < W; w++)
            of->out[r * W + w] = sums[w * BLOCK + r - lo];
}

/* Reads the predictions, a list of P lists, into one buffer on Lua's stack. */
static const int32_t *read_predictions(lua_State *L, int arg, const counting *of)
{
    int32_t *called = lua_newuserdatauv(L, (size_t)(of->P * of->N) * sizeof *called, 0);
    for (int64_t p = 0; p < of->P; p++) {
        luaL_argcheck(L, lua_rawgeti(L, arg, p + 1) == LUA_TTABLE, arg,
                      "a list of lists of classes expected");
        const int32_t *own = an_check_indices(L, -1, of->N, 0, of->K - 1);
        for (int64_t i = 0; i < of->N; i++)
            called[p * of->N + i] = own[i];
        lua_pop(L, 2);
    }
    return called;
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
    of.truth = an_check_indices(L, 2, of.N, 0, of.K - 1);
    of.unit = an_check_indices(L, 5, of.N, 1, of.units);
    of.called = read_predictions(L, 3, &of);
    const int64_t chunks = an_chunks(R, BLOCK), W = columns_of(&of);
    size_t mark = an_scope_begin();
    an_tensor *transposed = an_tensor_new(AN_F32, 1, (int64_t[]){chunks * of.units * BLOCK});
    an_tensor *sums =
        transposed ? an_tensor_zeros(AN_F32, 1, (int64_t[]){chunks * W * BLOCK}) : NULL;
    an_tensor *out = sums ? an_tensor_new(AN_F32, 2, (int64_t[]){R, W}) : NULL;
    if (out) {
        of.transposed = an_f32(transposed);
        of.sums = an_f32(sums);
        of.out = an_f32(out);
        an_par_for(R, BLOCK, count_block, &of);
    }
    return an_push_result(L, mark, out);
}
