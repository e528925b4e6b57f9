/* batch_norm_backward: the backward pass of batch_norm.h. It reads dy and x twice, for the sums and
 * for the gradients, and y (in both passes) if the ReLU's mask is read from it.
 *
 * It is limited by memory bandwidth: rows are processed in memory order, and each load prefetches
 * the address one page ahead, because the hardware prefetcher does not cross pages. The sums of a
 * tile of columns stay in registers and on the stack. */
#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/par.h"
#include "base/simd.h"
#include "kernel/common/bf16_round.h"
#include "kernel/common/cache.h"
#include "kernel/common/carve.h"
#include "kernel/common/ordered_sum.h"
#include "kernel/common/overlap.h"
#include "kernel/common/row_sums.h"
#include "kernel/norm/batch_norm.h"
#include "kernel/norm/batch_norm_fold.h"

enum {
    EIGHT = 8,         /* floats of a vector                                                   */
    TILE_VECTORS = 16, /* in a tile: a long row (batch_norm_fold.h), so memory is read in order */
    FLOAT_ROWS = 16,   /* rows summed in float before the sums are added to the doubles        */
    AHEAD = 1024       /* floats between a load and its prefetch: a page of 4 KiB              */
};

#define INLINE static inline __attribute__((always_inline))

/* Not wider: gcc 12 compiles a comparison of 64-byte vectors for AVX2 float by float. */
typedef float lanes __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t signs __attribute__((vector_size(32)));

/* v ← n ≤ EIGHT floats, the rest 0. Passed by pointer: the ABI of a function that returns a
 * 32-byte vector depends on the instruction set. */
INLINE void load(lanes *v, const float *x, int64_t n)
{
    float some[EIGHT] = {0};
    if (n == EIGHT) {
        *v = *(const lanes *)x;
        return;
    }
    memcpy(some, x, sizeof *x * (size_t)n);
    *v = *(const lanes *)some;
}

INLINE void store(float *x, const lanes *v, int64_t n)
{
    if (n == EIGHT)
        *(lanes *)x = *v;
    else
        memcpy(x, v, sizeof *x * (size_t)n);
}

/* How g follows from dy: unmasked, or zeroed where the ReLU's output was 0. That output is read
 * from y or recomputed from x. */
typedef enum { UNMASKED, BY_Y, BY_X } mask;

typedef struct {
    an_folded_norm a;
    mask how;
    const float *dy, *y; /* y is read with BY_Y only                               */
    float *g;            /* (N,C) receives g in the first pass; NULL: not stored   */
    float *dx, *dresidual;
    float beta_x, beta_residual;
    const float *scale, *shift, *slope;
} backward_job;

/* The arrays of a job whose numbers are bf16. The job's own arrays are then unused, and NULL where
 * these are. */
typedef struct {
    backward_job job;
    const uint16_t *x, *dy, *y;
    uint16_t *g, *dx, *dresidual;
} narrow_job;

/* g and x − mean at some columns of a row. */
typedef struct {
    lanes g, centred;
} values;

/* v ← the values at n columns from c on of row r. */
INLINE void values_at(values *v, const backward_job *job, mask how, int64_t r, int64_t c, int64_t n)
{
    const an_folded_norm *a = &job->a;
    const lanes zero = {0};
    int64_t at = r * a->W + c;
    lanes mean, k, by;
    __builtin_prefetch(a->x + at + AHEAD);
    __builtin_prefetch(job->dy + at + AHEAD);
    load(&mean, a->mean + c, n);
    load(&v->centred, a->x + at, n);
    load(&v->g, job->dy + at, n);
    v->centred -= mean;
    if (how == BY_Y) {
        __builtin_prefetch(job->y + at + AHEAD);
        load(&by, job->y + at, n);
    }
    if (how == BY_X) { /* the forward pass's order of operations, for the same signs */
        load(&k, a->rstd + c, n);
        by = v->centred * k;
        load(&k, a->gamma + c, n);
        by *= k;
        load(&k, a->beta + c, n);
        by += k;
    }
    if (how != UNMASKED)
        v->g = (lanes)((signs)v->g & (by > zero));
}

/* sums (2W) += Σg and Σg·x̂ over `rows` ≤ FLOAT_ROWS rows from lo on, and over a tile of
 * `vectors` times n columns from c on. */
INLINE void sum_tile(double *sums, const backward_job *job, mask how, int64_t lo, int64_t rows,
                     int64_t c, const int vectors, int64_t n)
{
    int64_t W = job->a.W;
    lanes sum[TILE_VECTORS] = {{0}}, product[TILE_VECTORS] = {{0}};
    for (int64_t r = lo; r < lo + rows; r++)
#pragma GCC unroll 16
        for (int i = 0; i < vectors; i++) {
            int64_t column = c + i * EIGHT;
            lanes rstd;
            values v;
            values_at(&v, job, how, r, column, n);
            load(&rstd, job->a.rstd + column, n);
            if (job->g)
                store(job->g + r * W + column, &v.g, n);
            sum[i] += v.g;
            product[i] += v.g * (v.centred * rstd);
        }
    for (int i = 0; i < vectors; i++)
        for (int64_t l = 0, column = c + i * EIGHT; l < n; l++) {
            sums[column + l] += (double)sum[i][l];
            sums[W + column + l] += (double)product[i][l];
        }
}

INLINE void sum_rows(double *sums, const backward_job *job, mask how, int64_t lo, int64_t hi)
{
    int64_t W = job->a.W;
    for (; lo < hi; lo += FLOAT_ROWS) {
        int64_t rows = hi - lo < FLOAT_ROWS ? hi - lo : FLOAT_ROWS, c = 0;
        for (; c + TILE_VECTORS * EIGHT <= W; c += TILE_VECTORS * EIGHT)
            sum_tile(sums, job, how, lo, rows, c, TILE_VECTORS, EIGHT);
        for (; c + EIGHT <= W; c += EIGHT)
            sum_tile(sums, job, how, lo, rows, c, 1, EIGHT);
        if (c < W)
            sum_tile(sums, job, how, lo, rows, c, 1, W - c);
    }
}

AN_SIMD static void add_gradients(double *sums, const backward_job *job, int64_t lo, int64_t hi)
{
    if (job->how == BY_X)
        sum_rows(sums, job, BY_X, lo, hi);
    else if (job->how == BY_Y)
        sum_rows(sums, job, BY_Y, lo, hi);
    else
        sum_rows(sums, job, UNMASKED, lo, hi);
}

/* to ← v, or to += v, leaving the sum in v */
INLINE void store_or_add(float *to, lanes *v, bool add, int64_t n)
{
    lanes old;
    if (add) {
        load(&old, to, n);
        *v += old;
    }
    store(to, v, n);
}

/* dresidual = g + …;  dx = scale·g − shift − slope·(x − mean) + …, the formula of batch_norm.h
 * with the factors that are constant per feature collected in scale, shift and slope. */
INLINE void write_at(const backward_job *job, mask how, int64_t r, int64_t c, int64_t n)
{
    int64_t at = r * job->a.W + c;
    lanes dx, k;
    values v;
    values_at(&v, job, how, r, c, n);
    load(&k, job->scale + c, n);
    dx = k * v.g;
    load(&k, job->shift + c, n);
    dx -= k;
    load(&k, job->slope + c, n);
    dx -= k * v.centred;
    if (job->dresidual)
        store_or_add(job->dresidual + at, &v.g, job->beta_residual != 0, n);
    if (job->dx)
        store_or_add(job->dx + at, &dx, job->beta_x != 0, n);
}

INLINE void write_rows(const backward_job *job, mask how, int64_t lo, int64_t hi)
{
    int64_t W = job->a.W;
    for (; lo < hi; lo++) {
        int64_t c = 0;
        for (; c + EIGHT <= W; c += EIGHT)
            write_at(job, how, lo, c, EIGHT);
        if (c < W)
            write_at(job, how, lo, c, W - c);
    }
}

AN_SIMD static void write_gradients(const backward_job *job, int64_t lo, int64_t hi)
{
    if (job->how == BY_X)
        write_rows(job, BY_X, lo, hi);
    else if (job->how == BY_Y)
        write_rows(job, BY_Y, lo, hi);
    else
        write_rows(job, UNMASKED, lo, hi);
}

/* scale, shift, slope (fold·C each); the last two are zero if the moments are constants. */
static void coefficients(float *scale, const double *sums, const an_batch_norm_saved *saved,
                         int64_t N, int64_t C, int64_t fold)
{
    int64_t W = fold * C;
    for (int64_t c = 0; c < W; c++) {
        double rstd = (double)saved->rstd[c % C], a = (double)saved->gamma[c % C] * rstd;
        scale[c] = (float)a;
        scale[W + c] = saved->train ? (float)(a * sums[c % C] / (double)N) : 0;
        scale[2 * W + c] = saved->train ? (float)(a * rstd * sums[W + c % C] / (double)N) : 0;
    }
}

/* ── bf16 ─────────────────────────────────────────────────────────────────────────── */

/* A block of rows, widened. */
typedef struct {
    float x[AN_NORM_BLOCK], dy[AN_NORM_BLOCK], y[AN_NORM_BLOCK];
    float one[AN_NORM_BLOCK], other[AN_NORM_BLOCK]; /* results */
} block;

/* The job of n numbers from `at` on, which are widened to the block. */
static backward_job widened(block *b, const narrow_job *all, int64_t at, int64_t n)
{
    backward_job job = all->job;
    an_bf16_widen(b->x, all->x + at, n);
    an_bf16_widen(b->dy, all->dy + at, n);
    if (job.how == BY_Y)
        an_bf16_widen(b->y, all->y + at, n);
    job.a.x = b->x;
    job.dy = b->dy;
    job.y = b->y;
    return job;
}

static void add_narrow(double *sums, const narrow_job *all, int64_t lo, int64_t hi)
{
    block b;
    int64_t W = all->job.a.W, step = an_norm_block_rows(W);
    for (; lo < hi; lo += step) {
        int64_t rows = an_min(step, hi - lo), at = lo * W;
        backward_job job = widened(&b, all, at, rows * W);
        job.g = all->g ? b.one : NULL;
        add_gradients(sums, &job, 0, rows);
        if (all->g)
            an_bf16_round(all->g + at, b.one, rows * W);
    }
}

/* An array of results in the block, holding what they are added to. */
static float *result(float *to, const uint16_t *from, float beta, int64_t n)
{
    if (from && beta != 0)
        an_bf16_widen(to, from, n);
    return from ? to : NULL;
}

/* dx and dresidual may be one array: the second is written first (write_at()). */
static void write_narrow(const narrow_job *all, int64_t lo, int64_t hi)
{
    block b;
    int64_t W = all->job.a.W, step = an_norm_block_rows(W);
    for (; lo < hi; lo += step) {
        int64_t rows = an_min(step, hi - lo), at = lo * W, n = rows * W;
        uint16_t *dx = all->dx ? all->dx + at : NULL;
        uint16_t *dresidual = all->dresidual ? all->dresidual + at : NULL;
        backward_job job = widened(&b, all, at, n);
        job.dresidual = result(b.other, dresidual, job.beta_residual, n);
        job.dx = dx && dx == dresidual ? b.other : result(b.one, dx, job.beta_x, n);
        write_gradients(&job, 0, rows);
        if (dresidual)
            an_bf16_round(dresidual, b.other, n);
        if (dx && dx != dresidual)
            an_bf16_round(dx, b.one, n);
    }
}

/* ── both passes ──────────────────────────────────────────────────────────────────── */

static void first_rows(double *sums, const void *context, int64_t lo, int64_t hi)
{
    const narrow_job *all = context;
    if (all->x)
        add_narrow(sums, all, lo, hi);
    else
        add_gradients(sums, &all->job, lo, hi);
}

static void second_pass(const narrow_job *all, int64_t rows)
{
    int64_t grain = an_row_grain(all->job.a.W);
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t lo = 0; lo < rows; lo += grain)
        if (all->x)
            write_narrow(all, lo, an_min(lo + grain, rows));
        else
            write_gradients(&all->job, lo, an_min(lo + grain, rows));
}

/* d (n) may be dy if it is overwritten; it does not overlap x. */
static bool is_gradient(const void *d, float beta, const void *dy, const void *x, int64_t n)
{
    return !d || ((beta == 0 || beta == 1) && an_disjoint(d, n, x, n) &&
                  ((d == dy && beta == 0) || an_disjoint(d, n, dy, n)));
}

/* Fills in the arrays of a job, in either format. */
static narrow_job with_arrays(backward_job job, const an_batch_norm_grads *d, const void *dy,
                              const void *x, const an_batch_norm_saved *saved)
{
    const void *y = saved->y ? saved->y : dy;
    void *masked = saved->relu && d->dresidual == dy ? d->dresidual : NULL;
    void *dresidual = d->dresidual == dy ? NULL : d->dresidual;
    job.how = !saved->relu ? UNMASKED : saved->y ? BY_Y : BY_X;
    job.beta_x = d->beta_x;
    job.beta_residual = d->beta_residual;
    if (saved->narrow)
        return (narrow_job){job, x, dy, y, masked, d->dx, dresidual};
    job.a.x = x;
    job.dy = dy;
    job.y = y;
    job.g = masked;
    job.dx = d->dx;
    job.dresidual = dresidual;
    return (narrow_job){.job = job};
}

an_code an_k_batch_norm_backward(an_batch_norm_grads d, const void *dy, const void *x,
                                 const an_batch_norm_saved *saved, int64_t N, int64_t C)
{
    AN_ASSERT(N >= (saved->train ? 1 : 0) && C >= 1);
    int64_t floats = saved->narrow ? (N * C + 1) / 2 : N * C;
    AN_ASSERT(!saved->relu || saved->y || !d.dresidual);
    AN_ASSERT(is_gradient(d.dresidual, d.beta_residual, dy, x, floats));
    if (d.dx && d.dx == d.dresidual)
        AN_ASSERT(d.beta_x == 1);
    else
        AN_ASSERT(is_gradient(d.dx, d.beta_x, dy, x, floats) &&
                  an_disjoint(d.dx, floats, d.dresidual, floats));
    int64_t fold = an_norm_cut_fold(N, C, saved->cut), W = fold * C;
    an_carve scratch = {0};
    an_carve_part both_sums = an_carve_shared(&scratch, 2 * W, sizeof(double));
    an_carve_part affine = an_carve_shared(&scratch, 3 * W, sizeof(float));
    an_carve_part repeated = an_carve_shared(&scratch, 4 * W, sizeof(float));
    if (an_carve_take(&scratch))
        return AN_ENOMEM;
    double *sums = an_carve_at(&scratch, both_sums);
    float *scale = an_carve_at(&scratch, affine);
    narrow_job all = with_arrays(
        (backward_job){.a = an_norm_repeat(an_carve_at(&scratch, repeated), NULL, saved->mean,
                                           saved->rstd, saved->gamma, saved->beta, C, fold),
                       .scale = scale,
                       .shift = scale + W,
                       .slope = scale + 2 * W},
        &d, dy, x, saved);
    an_code code = an_k_cut_row_sums(sums, 2 * W, first_rows, &all, N / fold, W, saved->cut);
    if (code == AN_OK) {
        an_norm_unfold(sums, 2, C, fold);
        for (int64_t c = 0; c < C && d.dbeta; c++)
            d.dbeta[c] += (float)sums[c];
        for (int64_t c = 0; c < C && d.dgamma; c++)
            d.dgamma[c] += (float)sums[W + c];
        coefficients(scale, sums, saved, an_norm_rows(N, saved->cut), C, fold);
        if (all.g || all.job.g)
            all.job.how = UNMASKED; /* the first pass stored the masked g in dy */
        if (d.dx || (d.dresidual && d.dresidual != dy))
            second_pass(&all, N / fold);
    }
    an_carve_release(&scratch);
    return code;
}
