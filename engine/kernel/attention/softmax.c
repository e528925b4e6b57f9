/* softmax: see softmax.h. Every row is shifted by its largest entry before e^x. */
#include "kernel/attention/softmax.h"

#include <math.h>

#include "base/par.h"
#include "kernel/common/fast_exp.h"

enum { PARALLEL_FROM = 16384 }; /* numbers; below, threads cost more than they give */

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

/* What the rows of a call share. Forward from is x; backward it is the output. */
typedef struct {
    float *to;
    const float *from, *dy;
    int64_t n;
} rows_of;

static void for_rows(an_chunk_fn work, float *to, const float *from, const float *dy, int64_t rows,
                     int64_t n)
{
    an_par_for(rows, an_grain(rows, n, PARALLEL_FROM), work, &(rows_of){to, from, dy, n});
}

static void softmax_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const rows_of *r = context;
    (void)chunk;
    for (int64_t at = lo * r->n; at < hi * r->n; at += r->n)
        softmax_row(r->to + at, r->from + at, r->n);
}

void an_k_softmax_forward(float *p, const float *x, int64_t rows, int64_t n)
{
    for_rows(softmax_rows, p, x, NULL, rows, n);
}

static void softmax_rows_backward(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const rows_of *r = context;
    (void)chunk;
    for (int64_t at = lo * r->n; at < hi * r->n; at += r->n)
        softmax_row_backward(r->to + at, r->dy + at, r->from + at, r->n);
}

void an_k_softmax_backward(float *dx, const float *dp, const float *p, int64_t rows, int64_t n)
{
    for_rows(softmax_rows_backward, dx, p, dp, rows, n);
}

static void log_softmax_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const rows_of *r = context;
    (void)chunk;
    for (int64_t at = lo * r->n; at < hi * r->n; at += r->n)
        log_softmax_row(r->to + at, r->from + at, r->n);
}

void an_k_log_softmax_forward(float *y, const float *x, int64_t rows, int64_t n)
{
    for_rows(log_softmax_rows, y, x, NULL, rows, n);
}

static void log_softmax_rows_backward(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const rows_of *r = context;
    (void)chunk;
    for (int64_t at = lo * r->n; at < hi * r->n; at += r->n)
        log_softmax_row_backward(r->to + at, r->dy + at, r->from + at, r->n);
}

void an_k_log_softmax_backward(float *dx, const float *dy, const float *y, int64_t rows, int64_t n)
{
    for_rows(log_softmax_rows_backward, dx, y, dy, rows, n);
}
