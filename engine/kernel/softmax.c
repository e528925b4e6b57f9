/* softmax: see softmax.h. Every row is shifted by its largest entry before e^x. */
#include "kernel/softmax.h"

#include <math.h>

#include "kernel/exp.h"

enum { PARALLEL_FROM = 16384 };   /* numbers; below, threads cost more than they give */

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

static void log_softmax_row_backward(float *restrict dx, const float *dy, const float *y,
                                     int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += dy[i];
    for (int64_t i = 0; i < n; i++)
        dx[i] += dy[i] - an_expf(y[i]) * (float)sum;
}

void an_k_softmax_forward(float *p, const float *x, int64_t rows, int64_t n)
{
#pragma omp parallel for schedule(static) if (rows * n > PARALLEL_FROM)
    for (int64_t r = 0; r < rows; r++)
        softmax_row(p + r * n, x + r * n, n);
}

void an_k_softmax_backward(float *dx, const float *dp, const float *p, int64_t rows, int64_t n)
{
#pragma omp parallel for schedule(static) if (rows * n > PARALLEL_FROM)
    for (int64_t r = 0; r < rows; r++)
        softmax_row_backward(dx + r * n, dp + r * n, p + r * n, n);
}

void an_k_log_softmax_forward(float *y, const float *x, int64_t rows, int64_t n)
{
#pragma omp parallel for schedule(static) if (rows * n > PARALLEL_FROM)
    for (int64_t r = 0; r < rows; r++)
        log_softmax_row(y + r * n, x + r * n, n);
}

void an_k_log_softmax_backward(float *dx, const float *dy, const float *y, int64_t rows,
                               int64_t n)
{
#pragma omp parallel for schedule(static) if (rows * n > PARALLEL_FROM)
    for (int64_t r = 0; r < rows; r++)
        log_softmax_row_backward(dx + r * n, dy + r * n, y + r * n, n);
}
