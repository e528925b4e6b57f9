/* reduce: see reduce.h. A sum over all elements is cut into fixed chunks, whose partial sums are
 * added in order. */
#include "kernel/pointwise/reduce.h"

#include "base/assert.h"
#include "base/par.h"
#include "base/simd.h"
#include "kernel/common/cache.h"

enum {
    TILE = 64,           /* columns that are summed at a time, in doubles on the stack     */
    CHUNKS_AT_ONCE = 256 /* partial sums on the stack                                      */
};

static double sum_run(const float *x, int64_t n)
{
    double lane[8] = {0}; /* eight independent sums, so that the loop vectorises */
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++)
            lane[k] += x[i + k];
    double sum = 0;
    for (; i < n; i++)
        sum += x[i];
    for (int k = 0; k < 8; k++)
        sum += lane[k];
    return sum;
}

typedef struct {
    const float *x;
    double *partial;
} long_job;

static void sum_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const long_job *job = context;
    job->partial[chunk] = sum_run(job->x + lo, hi - lo);
}

static double sum_long(const float *x, int64_t n)
{
    const int64_t at_once = (int64_t)AN_GRAIN * CHUNKS_AT_ONCE;
    double partial[CHUNKS_AT_ONCE] = {0}, sum = 0;
    for (int64_t base = 0; base < n; base += at_once) {
        int64_t length = n - base < at_once ? n - base : at_once;
        an_par_for(length, AN_GRAIN, sum_part, &(long_job){x + base, partial});
        for (int64_t c = 0; c < an_chunks(length, AN_GRAIN); c++)
            sum += partial[c];
    }
    return sum;
}

/* y (outer, inner) from x (outer, n, inner). */
typedef struct {
    float *y;
    const float *x;
    int64_t n, inner;
    double scale;
} sum_job;

static void sum_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const sum_job *job = context;
    int64_t n = job->n, inner = job->inner;
    (void)chunk;
    for (int64_t o = lo; o < hi; o++) {
        if (inner == 1) {
            job->y[o] = (float)(job->scale * sum_run(job->x + o * n, n));
            continue;
        }
        for (int64_t from = 0; from < inner; from += TILE) {
            int64_t width = inner - from < TILE ? inner - from : TILE;
            double sum[TILE] = {0};
            for (int64_t i = 0; i < n; i++) {
                const float *row = job->x + (o * n + i) * inner + from;
                for (int64_t k = 0; k < width; k++)
                    sum[k] += row[k];
            }
            for (int64_t k = 0; k < width; k++)
                job->y[o * inner + from + k] = (float)(job->scale * sum[k]);
        }
    }
}

void an_k_sum_forward(float *y, const float *x, int64_t outer, int64_t n, int64_t inner,
                      double scale)
{
    AN_ASSERT(outer >= 0 && n >= 0 && inner >= 0);
    if (inner == 1 && outer == 1)
        *y = (float)(scale * sum_long(x, n));
    else
        an_par_for(outer, an_row_grain(n * inner), sum_rows, &(sum_job){y, x, n, inner, scale});
}

AN_SIMD static void add_scaled(float *dx, const float *dy, int64_t n, float s, float beta)
{
    if (beta == 0) {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; i++)
            dx[i] = s * dy[i];
        return;
    }
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++)
        dx[i] += s * dy[i];
}

/* dx (outer, n, inner) from dy (outer, inner). */
typedef struct {
    float *dx;
    const float *dy;
    int64_t n, inner;
    double scale;
    float beta;
} spread_job;

static void spread_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const spread_job *job = context;
    int64_t n = job->n, inner = job->inner;
    float s = (float)job->scale;
    (void)chunk;
    for (int64_t o = lo; o < hi; o++)
        for (int64_t i = 0; i < n; i++) {
            float *to = job->dx + (o * n + i) * inner;
            if (inner == 1)
                *to = s * job->dy[o] + (job->beta == 0 ? 0 : *to);
            else
                add_scaled(to, job->dy + o * inner, inner, s, job->beta);
        }
}

void an_k_sum_backward(float *dx, const float *dy, int64_t outer, int64_t n, int64_t inner,
                       double scale, float beta)
{
    AN_ASSERT(outer >= 0 && n >= 0 && inner >= 0 && (beta == 0 || beta == 1));
    an_par_for(outer, an_row_grain(n * inner), spread_rows,
               &(spread_job){dx, dy, n, inner, scale, beta});
}

/* ── elementwise ──────────────────────────────────────────────────────────────────── */

typedef struct {
    float *dx;
    const float *dy;
    float scale, beta;
} accumulate_job;

static void add_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const accumulate_job *job = context;
    (void)chunk;
    add_scaled(job->dx + lo, job->dy + lo, hi - lo, job->scale, job->beta);
}

void an_k_accumulate(float *dx, const float *dy, int64_t n, double scale, float beta)
{
    AN_ASSERT(n >= 0 && (beta == 0 || beta == 1));
    if (dx != dy || beta != 0 || scale != 1)
        an_par_for(n, AN_GRAIN, add_part, &(accumulate_job){dx, dy, (float)scale, beta});
}

AN_SIMD static void affine(float *y, const float *x, int64_t n, float a, float b)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = a * x[i] + b;
}

typedef struct {
    float *y;
    const float *x;
    float scale, shift;
} affine_job;

static void affine_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const affine_job *job = context;
    (void)chunk;
    affine(job->y + lo, job->x + lo, hi - lo, job->scale, job->shift);
}

void an_k_affine(float *y, const float *x, int64_t n, double scale, double shift)
{
    AN_ASSERT(n >= 0);
    an_par_for(n, AN_GRAIN, affine_part, &(affine_job){y, x, (float)scale, (float)shift});
}
