/* batch_norm: moments and forward pass of batch_norm.h. x is read twice, once for its moments and
 * once for the values. */
#include "kernel/norm/batch_norm.h"

#include "base/assert.h"
#include "base/par.h"
#include "base/simd.h"
#include "base/integer.h"
#include "kernel/common/bf16_round.h"
#include "kernel/common/cache.h"
#include "kernel/common/carve.h"
#include "kernel/common/row_sums.h"
#include "kernel/norm/batch_norm_fold.h"

enum { LONG_ROW = 128 }; /* columns from which the overhead of the inner loop is negligible */

#define INLINE static inline __attribute__((always_inline))

int64_t an_norm_fold(int64_t N, int64_t C)
{
    int64_t fold = 1;
    while (C * fold < LONG_ROW && N % (2 * fold) == 0)
        fold *= 2;
    return fold;
}

static const float *repeat(float *to, const float *from, int64_t C, int64_t fold)
{
    for (int64_t k = 0; k < fold; k++)
        for (int64_t c = 0; c < C; c++)
            to[k * C + c] = from[c];
    return to;
}

an_folded_norm an_norm_repeat(float *storage, const float *x, const float *mean, const float *rstd,
                              const float *gamma, const float *beta, int64_t C, int64_t fold)
{
    int64_t W = fold * C;
    return (an_folded_norm){x,
                            repeat(storage, mean, C, fold),
                            repeat(storage + W, rstd, C, fold),
                            repeat(storage + 2 * W, gamma, C, fold),
                            repeat(storage + 3 * W, beta, C, fold),
                            W};
}

void an_norm_unfold(double *sums, int64_t n, int64_t C, int64_t fold)
{
    for (int64_t i = 0; i < n; i++) {
        double *row = sums + i * C * fold;
        for (int64_t k = 1; k < fold; k++)
            for (int64_t c = 0; c < C; c++)
                row[c] += row[k * C + c];
    }
}

/* ── moments ──────────────────────────────────────────────────────────────────────── */

typedef struct {
    const float *x;         /* or: */
    const uint16_t *narrow; /* [opt] */
    int64_t W;
} moments_job;

/* sums (2W): Σx, Σx². A double holds the square of a float exactly, so the cancellation in
 * E[x²] − E[x]² costs no digits of a float. Rows in order: memory is read in one stream. */
AN_SIMD static void add_rows(double *restrict sums, const float *restrict x, int64_t W,
                             int64_t rows)
{
    double *restrict squares = sums + W;
    for (int64_t r = 0; r < rows; r++, x += W) {
        for (int64_t c = 0; c < W; c++) {
            double v = (double)x[c];
            sums[c] += v;
            squares[c] += v * v;
        }
    }
}

static void add_moments(double *sums, const void *context, int64_t lo, int64_t hi)
{
    const moments_job *job = context;
    float block[AN_NORM_BLOCK];
    int64_t W = job->W, step = job->narrow ? an_norm_block_rows(W) : hi - lo;
    for (; lo < hi; lo += step) {
        int64_t rows = an_min(step, hi - lo);
        if (job->narrow)
            an_bf16_widen(block, job->narrow + lo * W, rows * W);
        add_rows(sums, job->narrow ? block : job->x + lo * W, W, rows);
    }
}

int64_t an_norm_cut_fold(int64_t N, int64_t C, const an_cut *cut)
{
    return an_norm_fold(cut && cut->grain ? N / cut->own : N, C);
}

int64_t an_norm_rows(int64_t N, const an_cut *cut)
{
    return cut && cut->grain ? N / cut->own * cut->batch : N;
}

an_code an_k_batch_moments(double *mean, double *var, const void *x, bool narrow, int64_t N,
                           int64_t C, const an_cut *cut)
{
    AN_ASSERT(N >= 1 && C >= 1);
    int64_t fold = an_norm_cut_fold(N, C, cut), W = fold * C;
    double all = (double)an_norm_rows(N, cut);
    const moments_job job = {narrow ? NULL : x, narrow ? x : NULL, W};
    an_carve scratch = {0};
    double *sums = an_carve_one(&scratch, 2 * W, sizeof *sums);
    if (!sums)
        return AN_ENOMEM;
    an_code code = an_k_cut_row_sums(sums, 2 * W, add_moments, &job, N / fold, W, cut);
    an_norm_unfold(sums, 2, C, fold);
    for (int64_t c = 0; c < C && code == AN_OK; c++) {
        mean[c] = sums[c] / all;
        double v = sums[W + c] / all - mean[c] * mean[c];
        var[c] = v > 0 ? v : 0;
    }
    an_carve_release(&scratch);
    return code;
}

/* ── forward ──────────────────────────────────────────────────────────────────────── */

/* gamma·x̂ + beta. batch_norm_backward.c repeats these operations in this order: the sign of the
 * result is the mask of the ReLU. */
INLINE float value(const an_folded_norm *a, const float *x, int64_t c)
{
    return a->gamma[c] * ((x[c] - a->mean[c]) * a->rstd[c]) + a->beta[c];
}

INLINE void rows_forward(float *restrict y, const an_folded_norm *given,
                         const float *restrict residual, int64_t rows, bool relu)
{
    const an_folded_norm a = *given;
    const float *restrict x = a.x;
    for (int64_t r = 0; r < rows; r++, y += a.W, x += a.W) {
        for (int64_t c = 0; c < a.W; c++) {
            float v = value(&a, x, c) + (residual ? residual[r * a.W + c] : 0);
            y[c] = relu && v < 0 ? 0 : v; /* NaN stays */
        }
    }
}

AN_SIMD static void normalise(float *y, const an_folded_norm *a, const float *residual,
                              int64_t rows, bool relu)
{
    if (residual && relu)
        rows_forward(y, a, residual, rows, true);
    else if (residual)
        rows_forward(y, a, residual, rows, false);
    else if (relu)
        rows_forward(y, a, NULL, rows, true);
    else
        rows_forward(y, a, NULL, rows, false);
}

/* The same for bf16: y, x and residual [opt] of some rows. */
static void normalise_narrow(uint16_t *y, const an_folded_norm *given, const uint16_t *x,
                             const uint16_t *residual, int64_t rows, bool relu)
{
    float from[AN_NORM_BLOCK], added[AN_NORM_BLOCK], to[AN_NORM_BLOCK];
    an_folded_norm a = *given;
    a.x = from;
    int64_t step = an_norm_block_rows(a.W);
    for (int64_t r = 0; r < rows; r += step) {
        int64_t some = an_min(step, rows - r), at = r * a.W, n = some * a.W;
        an_bf16_widen(from, x + at, n);
        if (residual)
            an_bf16_widen(added, residual + at, n);
        normalise(to, &a, residual ? added : NULL, some, relu);
        an_bf16_round(y + at, to, n);
    }
}

static const float *wide(const void *numbers, int64_t at)
{
    return numbers ? (const float *)numbers + at : NULL;
}

static const uint16_t *narrowed(const void *numbers, int64_t at)
{
    return numbers ? (const uint16_t *)numbers + at : NULL;
}

an_code an_k_batch_norm_forward(void *y, const void *x, const void *residual, bool narrow,
                                const float *mean, const float *rstd, const float *gamma,
                                const float *beta, bool relu, int64_t N, int64_t C)
{
    AN_ASSERT(N >= 0 && C >= 1);
    int64_t fold = an_norm_fold(N, C), W = fold * C, rows = N / fold, grain = an_row_grain(W);
    an_carve scratch = {0};
    float *repeated = an_carve_one(&scratch, 4 * W, sizeof *repeated);
    if (!repeated)
        return AN_ENOMEM;
    const an_folded_norm all = an_norm_repeat(repeated, NULL, mean, rstd, gamma, beta, C, fold);
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t lo = 0; lo < rows; lo += grain) {
        int64_t at = lo * W, some = an_min(grain, rows - lo);
        an_folded_norm a = all;
        if (narrow) {
            normalise_narrow((uint16_t *)y + at, &a, narrowed(x, at), narrowed(residual, at), some,
                             relu);
            continue;
        }
        a.x = wide(x, at);
        normalise((float *)y + at, &a, wide(residual, at), some, relu);
    }
    an_carve_release(&scratch);
    return AN_OK;
}
