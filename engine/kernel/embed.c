/* embed: see embed.h. Backward cuts the columns, not the rows, among the threads: two
 * equal indices then never meet in different threads and no atomics are needed. */
#include "kernel/embed.h"

#include <math.h>
#include <string.h>

enum { PARALLEL_FROM = 16384, COLUMNS = 32 };

void an_k_embed_forward(float *y, const float *w, const int64_t *index, int64_t n, int64_t D)
{
#pragma omp parallel for schedule(static) if (n * D > PARALLEL_FROM)
    for (int64_t i = 0; i < n; i++)
        memcpy(y + i * D, w + index[i] * D, (size_t)D * sizeof *y);
}

static void add_columns(float *dw, const float *dy, const int64_t *index, int64_t n, int64_t D,
                        int64_t lo, int64_t hi)
{
    for (int64_t i = 0; i < n; i++) {
        float *restrict to = dw + index[i] * D;
        const float *from = dy + i * D;
        for (int64_t c = lo; c < hi; c++)
            to[c] += from[c];
    }
}

void an_k_embed_backward(float *dw, const float *dy, const int64_t *index, int64_t n, int64_t D)
{
#pragma omp parallel for schedule(static) if (n * D > PARALLEL_FROM)
    for (int64_t lo = 0; lo < D; lo += COLUMNS)
        add_columns(dw, dy, index, n, D, lo, lo + COLUMNS < D ? lo + COLUMNS : D);
}

void an_k_timestep_embed(float *y, const int64_t *t, int64_t B, int64_t D, double max_period)
{
    int64_t half = D / 2;
#pragma omp parallel for schedule(static) if (B * D > PARALLEL_FROM)
    for (int64_t i = 0; i < half; i++) {
        double frequency = exp(-log(max_period) * (double)i / (double)half);
        for (int64_t b = 0; b < B; b++) {
            y[b * D + i] = (float)cos((double)t[b] * frequency);
            y[b * D + half + i] = (float)sin((double)t[b] * frequency);
        }
    }
}
