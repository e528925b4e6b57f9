/* linear_bf16: see linear_bf16.h. */
#include "kernel/matmul/linear_bf16.h"

#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/par.h"
#include "base/simd.h"
#include "kernel/common/bf16_round.h"
#include "kernel/common/carve.h"
#include "kernel/matmul/bf16_store.h"
#include "kernel/matmul/bf16_tile.h"
#include "kernel/matmul/bf16_turn.h"

enum {
    SIDE = AN_BF16_SIDE,
    BLOCK = 2 * SIDE,
    DEPTH = AN_BF16_DEPTH,
    ROWS = 128,  /* of a forward task: 128 rows of 256 numbers are 64 KiB                        */
    GROUP = 4096 /* rows of a weight gradient at a time: 1 MiB of 128 numbers                    */
};

bool an_k_linear_bf16_fits(const an_linear_shape *s)
{
    return s->out % SIDE == 0 && s->in % SIDE == 0;
}

/* ── y = x·W + b, W (in, out) ───────────────────────────────────────────────────────────────── */

typedef struct {
    float *y;
    const float *x, *b;
    bool accumulate;
    int64_t in, out, steps;
    uint16_t *packed;
    an_carve scratch;
    an_carve_part rows, tile; /* own */
} rows_job;

AN_SIMD static void store_rows(const rows_job *j, int64_t first, int64_t rows, int64_t o,
                               const float *tile)
{
    int64_t n = an_min(j->out - o, BLOCK);
    for (int64_t r = 0; r < rows; r++)
        an_bf16_store(j->y + (first + r) * j->out + o, tile + r * BLOCK, j->b ? j->b + o : NULL,
                      j->accumulate, n);
}

static void some_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const rows_job *j = context;
    uint16_t *x = an_carve_at(&j->scratch, j->rows);
    float *tile = an_carve_at(&j->scratch, j->tile);
    int64_t numbers = (hi - lo) * j->in, block = j->steps * AN_BF16_PACKED;
    (void)chunk;
    an_bf16_round(x, j->x + lo * j->in, numbers);
    memset(x + numbers, 0, sizeof *x * DEPTH); /* the last step reads beyond the last row */
    an_k_bf16_begin();
    for (int64_t o = 0; o < j->out; o += BLOCK)
        for (int64_t r = lo; r < hi; r += BLOCK) {
            int64_t rows = an_min(hi - r, BLOCK);
            an_k_bf16_tile(&(an_bf16_tile){.a = x + (r - lo) * j->in,
                                           .a_step = j->in,
                                           .b = j->packed + o / SIDE * block,
                                           .b_step = block,
                                           .steps = j->steps,
                                           .c = tile,
                                           .c_step = BLOCK,
                                           .rows = rows,
                                           .columns = an_min(j->out - o, BLOCK)});
            store_rows(j, r, rows, o, tile);
        }
    an_k_bf16_end();
}

/* Element (k, n) of W is w[n·column + k·term]. */
static an_code multiply_rows(rows_job *j, const float *w, int64_t rows, int64_t column,
                             int64_t term)
{
    int64_t blocks = j->out / SIDE;
    j->steps = an_div_up(j->in, DEPTH);
    int64_t block = j->steps * AN_BF16_PACKED;
    an_carve_part narrow = an_carve_shared(&j->scratch, j->in * j->out, sizeof(uint16_t));
    an_carve_part packed = an_carve_shared(&j->scratch, blocks * block, sizeof(uint16_t));
    j->rows = an_carve_own(&j->scratch, (ROWS + BLOCK) * j->in + DEPTH, sizeof(uint16_t));
    j->tile = an_carve_own(&j->scratch, BLOCK * BLOCK, sizeof(float));
    if (an_carve_take(&j->scratch))
        return AN_ENOMEM;
    uint16_t *from = an_carve_at(&j->scratch, narrow);
    j->packed = an_carve_at(&j->scratch, packed);
    an_bf16_round(from, w, j->in * j->out);
    if (j->in % DEPTH != 0)
        memset(j->packed, 0, sizeof *j->packed * (size_t)(blocks * block));
    for (int64_t h = 0; h < blocks; h++)
        an_bf16_pack(j->packed + h * block, 0, from + h * SIDE * column, column, j->in, term);
    an_par_for(rows, ROWS, some_rows, j);
    an_carve_release(&j->scratch);
    return AN_OK;
}

an_code an_k_linear_bf16_forward(float *y, const float *x, const float *w, const float *b,
                                 const an_linear_shape *s)
{
    AN_ASSERT(an_k_linear_bf16_fits(s));
    rows_job j = {.y = y, .x = x, .b = b, .in = s->in, .out = s->out};
    return multiply_rows(&j, w, s->rows, s->in, 1);
}

/* ── dw = dyᵀ·x ─────────────────────────────────────────────────────────────────────────────── */

typedef struct {
    const an_linear_shape *s;
    const float *dy, *x;
    float *dw;
    int64_t row, block;  /* numbers of an output's row; of 16 inputs                  */
    uint16_t *by_output; /* (out, row)                                                */
    uint16_t *by_pair;   /* (in / 16, block)                                          */
    an_carve scratch;
    an_carve_part work; /* own */
} weight_job;

/* Transposes rows lo … hi−1 of the group that begins at `first`. lo is even. */
static void turn(const weight_job *j, int64_t first, int64_t lo, int64_t hi)
{
    const an_linear_shape *s = j->s;
    float *work = an_carve_at(&j->scratch, j->work);
    for (int64_t o = 0; o < s->out; o += SIDE)
        an_bf16_turn(j->by_output + o * j->row + lo - first, j->row, j->dy + lo * s->out + o, false,
                     s->out, hi - lo, SIDE, work);
    an_bf16_pairs(j->by_pair + (lo - first) * SIDE, j->block, j->x + lo * s->in, false, hi - lo,
                  s->in);
}

/* Writes zeros from term `terms` to the end of the last step. */
static void end_terms(const weight_job *j, int64_t terms)
{
    const an_linear_shape *s = j->s;
    int64_t odd = terms % 2, padded = an_round_up(terms, DEPTH);
    for (int64_t o = 0; o < s->out; o++)
        memset(j->by_output + o * j->row + terms, 0,
               sizeof *j->by_output * (size_t)(padded - terms));
    for (int64_t h = 0; h < s->in / SIDE; h++)
        memset(j->by_pair + h * j->block + (terms + odd) * SIDE, 0,
               sizeof *j->by_pair * (size_t)((padded - terms - odd) * SIDE));
}

static void add_block(const weight_job *j, int64_t task, int64_t terms, bool accumulate)
{
    const an_linear_shape *s = j->s;
    int64_t wide = an_div_up(s->in, BLOCK), o = task / wide * BLOCK, i = task % wide * BLOCK;
    an_k_bf16_tile(&(an_bf16_tile){.a = j->by_output + o * j->row,
                                   .a_step = j->row,
                                   .b = j->by_pair + i / SIDE * j->block,
                                   .b_step = j->block,
                                   .steps = an_div_up(terms, DEPTH),
                                   .c = j->dw + o * s->in + i,
                                   .c_step = s->in,
                                   .accumulate = accumulate,
                                   .rows = an_min(s->out - o, BLOCK),
                                   .columns = an_min(s->in - i, BLOCK)});
}

static void run_groups(const weight_job *j, bool accumulate)
{
    const an_linear_shape *s = j->s;
    int64_t tasks = an_div_up(s->out, BLOCK) * an_div_up(s->in, BLOCK);
#pragma omp parallel num_threads(an_threads())
    {
        an_k_bf16_begin();
        for (int64_t first = 0; first < s->rows; first += GROUP) {
            int64_t end = an_min(first + GROUP, s->rows);
#pragma omp for schedule(static)
            for (int64_t lo = first; lo < end; lo += ROWS)
                turn(j, first, lo, an_min(lo + ROWS, end));
#pragma omp single
            end_terms(j, end - first);
#pragma omp for schedule(static)
            for (int64_t task = 0; task < tasks; task++)
                add_block(j, task, end - first, accumulate || first > 0);
        }
        an_k_bf16_end();
    }
}

static an_code weight(float *dw, const float *dy, const float *x, bool accumulate,
                      const an_linear_shape *s)
{
    weight_job j = {.s = s, .dy = dy, .x = x, .dw = dw};
    if (s->rows == 0 && !accumulate)
        memset(dw, 0, sizeof *dw * (size_t)(s->out * s->in));
    int64_t terms = an_round_up(an_min(s->rows, GROUP), DEPTH);
    j.row = terms + DEPTH; /* rows whole pages apart would share cache lines */
    j.block = terms * SIDE;
    an_carve_part turned = an_carve_shared(&j.scratch, s->out * j.row, sizeof(uint16_t));
    an_carve_part pairs = an_carve_shared(&j.scratch, s->in / SIDE * j.block, sizeof(uint16_t));
    j.work = an_carve_own(&j.scratch, SIDE * ROWS, sizeof(float));
    if (an_carve_take(&j.scratch))
        return AN_ENOMEM;
    j.by_output = an_carve_at(&j.scratch, turned);
    j.by_pair = an_carve_at(&j.scratch, pairs);
    run_groups(&j, accumulate);
    an_carve_release(&j.scratch);
    return AN_OK;
}

an_code an_k_linear_bf16_backward(const an_linear_grads *d, const float *dy, const float *x,
                                  const float *w, const an_linear_shape *s)
{
    AN_ASSERT(an_k_linear_bf16_fits(s));
    if (d->dx) {
        rows_job j = {
            .y = d->dx, .x = dy, .accumulate = d->beta_x == 1, .in = s->out, .out = s->in};
        if (multiply_rows(&j, w, s->rows, 1, s->in))
            return AN_ENOMEM;
    }
    return d->dw ? weight(d->dw, dy, x, d->beta_w == 1, s) : AN_OK;
}
