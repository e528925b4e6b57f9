/* reduce: see reduce.h. A sum over everything is cut into fixed chunks, whose partial
 * sums are added in order. */
#include "kernel/reduce.h"

#include "base/simd.h"

enum { TILE = 64, CHUNK = 1 << 14, CHUNKS_AT_ONCE = 256 };

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

static double sum_long(const float *x, int64_t n)
{
    double partial[CHUNKS_AT_ONCE], sum = 0;
    for (int64_t base = 0; base < n; base += (int64_t)CHUNK * CHUNKS_AT_ONCE) {
        int64_t left = n - base, chunks = (left + CHUNK - 1) / CHUNK;
        if (chunks > CHUNKS_AT_ONCE)
            chunks = CHUNKS_AT_ONCE;
#pragma omp parallel for schedule(static) if (chunks > 2)
        for (int64_t c = 0; c < chunks; c++) {
            int64_t from = c * CHUNK, length = left - from < CHUNK ? left - from : CHUNK;
            partial[c] = sum_run(x + base + from, length);
        }
        for (int64_t c = 0; c < chunks; c++)
            sum += partial[c];
    }
    return sum;
}

void an_k_sum_forward(float *y, const float *x, int64_t outer, int64_t n, int64_t inner,
                      double scale)
{
    if (inner == 1 && outer == 1) {
        *y = (float)(scale * sum_long(x, n));
        return;
    }
#pragma omp parallel for schedule(static) if (outer * n * inner > CHUNK)
    for (int64_t o = 0; o < outer; o++) {
        if (inner == 1) {
            y[o] = (float)(scale * sum_run(x + o * n, n));
            continue;
        }
        for (int64_t from = 0; from < inner; from += TILE) {
            int64_t width = inner - from < TILE ? inner - from : TILE;
            double sum[TILE] = {0};
            for (int64_t i = 0; i < n; i++) {
                const float *row = x + (o * n + i) * inner + from;
                for (int64_t k = 0; k < width; k++)
                    sum[k] += row[k];
            }
            for (int64_t k = 0; k < width; k++)
                y[o * inner + from + k] = (float)(scale * sum[k]);
        }
    }
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

void an_k_sum_backward(float *dx, const float *dy, int64_t outer, int64_t n, int64_t inner,
                       double scale, float beta)
{
    float s = (float)scale;
#pragma omp parallel for schedule(static) if (outer * n * inner > CHUNK)
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < n; i++)
            if (inner == 1)
                dx[o * n + i] = s * dy[o] + (beta == 0 ? 0 : dx[o * n + i]);
            else
                add_scaled(dx + (o * n + i) * inner, dy + o * inner, inner, s, beta);
}

void an_k_accumulate(float *dx, const float *dy, int64_t n, double scale, float beta)
{
    if (dx == dy && beta == 0 && scale == 1)
        return;
#pragma omp parallel for schedule(static) if (n > CHUNK)
    for (int64_t from = 0; from < n; from += CHUNK)
        add_scaled(dx + from, dy + from, n - from < CHUNK ? n - from : CHUNK, (float)scale, beta);
}

void an_k_affine(float *y, const float *x, int64_t n, double scale, double shift)
{
    float a = (float)scale, b = (float)shift;
#pragma omp parallel for simd schedule(static) if (n > CHUNK)
    for (int64_t i = 0; i < n; i++)
        y[i] = a * x[i] + b;
}
