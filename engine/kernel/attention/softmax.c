/* softmax: see softmax.h. The largest element of a row is subtracted before e^x: no overflow. */
#include "kernel/attention/softmax.h"

#include <math.h>

#include "base/assert.h"
#include "base/par.h"
#include "kernel/common/cache.h"
#include "kernel/common/fast_exp.h"
#include "kernel/common/overlap.h"

static float row_max(const float *x, int64_t n)
{
    float top = x[0];
    for (int64_t i = 1; i < n; i++)
        top = x[i] > top ? x[i] : top;
    return top;
}

static void softmax_row(float *p, const float *x, int64_t n)
{
    float top = row_max(x, n);
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        p[i] = an_expf(x[i] - top);
    for (int64_t i = 0; i < n; i++)
        sum += p[i];
    float inverse = (float)(1.0 / sum);
    for (int64_t i = 0; i < n; i++)
        p[i] *= inverse;
}

static void softmax_row_backward(float *restrict dx, const float *dp, const float *p, int64_t n)
{
    double dot = 0;
    for (int64_t i = 0; i < n; i++)
        dot += (double)p[i] * dp[i];
    for (int64_t i = 0; i < n; i++)
        dx[i] += p[i] * (dp[i] - (float)dot);
}

static void log_softmax_row(float *y, const float *x, int64_t n)
{
    float top = row_max(x, n);
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += an_expf(x[i] - top);
    float shift = (float)log(sum);
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] - top - shift;
}

static void log_softmax_row_backward(float *restrict dx, const float *dy, const float *y, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += dy[i];
    for (int64_t i = 0; i < n; i++)
        dx[i] += dy[i] - an_expf(y[i]) * (float)sum;
}

/* ── a function of one row, over all rows ─────────────────────────────────────────── */

typedef struct {
    void (*row)(float *y, const float *x, int64_t n);
    float *y;
    const float *x;
    int64_t n;
} forward_job;

static void forward_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const forward_job *job = context;
    (void)chunk;
    for (int64_t at = lo * job->n; at < hi * job->n; at += job->n)
        job->row(job->y + at, job->x + at, job->n);
}

static void forward(void (*row)(float *, const float *, int64_t), float *y, const float *x,
                    int64_t rows, int64_t n)
{
    AN_ASSERT(rows >= 0 && n >= 1 && an_same_or_disjoint(y, x, rows * n));
    an_par_for(rows, an_grain(rows, n, AN_GRAIN), forward_rows, &(forward_job){row, y, x, n});
}

typedef struct {
    void (*row)(float *dx, const float *dy, const float *y, int64_t n);
    float *dx;
    const float *dy, *y;
    int64_t n;
} backward_job;

static void backward_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const backward_job *job = context;
    (void)chunk;
    for (int64_t at = lo * job->n; at < hi * job->n; at += job->n)
        job->row(job->dx + at, job->dy + at, job->y + at, job->n);
}

static void backward(void (*row)(float *, const float *, const float *, int64_t), float *dx,
                     const float *dy, const float *y, int64_t rows, int64_t n)
{
    AN_ASSERT(rows >= 0 && n >= 1);
    AN_ASSERT(an_disjoint(dx, rows * n, dy, rows * n) && an_disjoint(dx, rows * n, y, rows * n));
    an_par_for(rows, an_grain(rows, n, AN_GRAIN), backward_rows,
               &(backward_job){row, dx, dy, y, n});
}

void an_k_softmax_forward(float *p, const float *x, int64_t rows, int64_t n)
{
    forward(softmax_row, p, x, rows, n);
}

void an_k_softmax_backward(float *dx, const float *dp, const float *p, int64_t rows, int64_t n)
{
    backward(softmax_row_backward, dx, dp, p, rows, n);
}

void an_k_log_softmax_forward(float *y, const float *x, int64_t rows, int64_t n)
{
    forward(log_softmax_row, y, x, rows, n);
}

void an_k_log_softmax_backward(float *dx, const float *dy, const float *y, int64_t rows, int64_t n)
{
    backward(log_softmax_row_backward, dx, dy, y, rows, n);
}
