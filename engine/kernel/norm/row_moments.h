/* row_moments: mean and 1/√(variance + eps) of the rows of x (rows, C), for layer_norm and
 * adaptive_norm. A few rows are processed together, each with the same bits as alone. For loops
 * that AN_SIMD compiles. Internal to norm/. */
#ifndef AN_KERNEL_NORM_ROW_MOMENTS_H
#define AN_KERNEL_NORM_ROW_MOMENTS_H

#include <math.h>
#include <stdint.h>

#include "base/assert.h"
#include "kernel/common/ordered_sum.h"

enum { AN_MOMENT_ROWS = 8 }; /* rows processed together */

typedef struct {
    float mean[AN_MOMENT_ROWS], rstd[AN_MOMENT_ROWS];
} an_row_moments;

/* The moments of `rows` ≤ AN_MOMENT_ROWS rows. Two passes: the second sums centred values, for
 * which float is accurate enough. The division and the square root at the end of a row have a long
 * latency; with several rows together they overlap. */
static inline an_row_moments an_row_moments_of(const float *x, double eps, int64_t rows, int64_t C)
{
    AN_ASSERT_SLOW(rows >= 0 && rows <= AN_MOMENT_ROWS);
    an_row_moments m = {{0}, {0}};
    int64_t whole = C - C % AN_LANES;
    for (int64_t r = 0; r < rows; r++)
        m.mean[r] = an_ordered_sum(x + r * C, C);
    for (int r = 0; r < AN_MOMENT_ROWS; r++)
        m.mean[r] /= (float)C;
    for (int64_t r = 0; r < rows; r++, x += C) {
        float lane[AN_LANES] = {0}, mean = m.mean[r];
        for (int64_t c = 0; c < whole; c += AN_LANES)
            for (int l = 0; l < AN_LANES; l++)
                lane[l] += (x[c + l] - mean) * (x[c + l] - mean);
        for (int64_t c = whole; c < C; c++)
            lane[c - whole] += (x[c] - mean) * (x[c] - mean);
        m.rstd[r] = an_ordered_fold(lane);
    }
    for (int r = 0; r < AN_MOMENT_ROWS; r++)
        m.rstd[r] = 1.0f / sqrtf(m.rstd[r] / (float)C + (float)eps);
    return m;
}

/* How many of the `rows` remaining rows are processed together. */
static inline int64_t an_row_moments_set(int64_t rows)
{
    return rows < AN_MOMENT_ROWS ? rows : AN_MOMENT_ROWS;
}

#endif
