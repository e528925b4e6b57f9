/* row_backward: the gradient of one normalised row with respect to its input, for layer_norm and
 * adaptive_norm. For loops that AN_SIMD compiles. Internal to norm/.
 *
 * With x̂ = (x − mean)·rstd, and g = dy·w the gradient of x̂ (Ba et al., 1607.06450; the moments
 * depend on x):
 *     dx = rstd·(g − mean(g) − x̂·mean(g·x̂)) */
#ifndef AN_KERNEL_NORM_ROW_BACKWARD_H
#define AN_KERNEL_NORM_ROW_BACKWARD_H

#include <stdint.h>

#include "base/assert.h"
#include "kernel/common/ordered_sum.h"

/* How w follows from an array v (C): w = 1 (v is not read), v, or 1 + v. A constant at each call,
 * so that every form compiles to its own loop. */
typedef enum { AN_ROW_WEIGHT_ONE, AN_ROW_WEIGHT_V, AN_ROW_WEIGHT_ONE_PLUS_V } an_row_weight;

#define AN_ROW_INLINE static inline __attribute__((always_inline))

AN_ROW_INLINE float an_row_weighted(an_row_weight form, float dy, const float *v, int64_t c)
{
    return form == AN_ROW_WEIGHT_ONE ? dy : dy * (form == AN_ROW_WEIGHT_V ? v[c] : 1.0f + v[c]);
}

/* dx (C) = the gradient above + beta·dx, beta 0 (dx is not read and may be dy) or 1. */
AN_ROW_INLINE void an_row_backward(float *dx, float beta, const float *dy, const float *x,
                                   float mean, float rstd, an_row_weight form, const float *v,
                                   int64_t C)
{
    AN_ASSERT_SLOW(beta == 0 || beta == 1);
    float sum[AN_LANES] = {0}, product[AN_LANES] = {0};
    int64_t whole = C - C % AN_LANES;
    for (int64_t c = 0; c < whole; c += AN_LANES)
#pragma GCC unroll 1 /* unrolled before it is vectorised, the loop stays scalar */
        for (int l = 0; l < AN_LANES; l++) {
            float g = an_row_weighted(form, dy[c + l], v, c + l);
            sum[l] += g;
            product[l] += g * ((x[c + l] - mean) * rstd);
        }
    for (int64_t c = whole; c < C; c++) {
        float g = an_row_weighted(form, dy[c], v, c);
        sum[c - whole] += g;
        product[c - whole] += g * ((x[c] - mean) * rstd);
    }
    float shift = an_ordered_fold(sum) / (float)C, slope = an_ordered_fold(product) / (float)C;
    if (beta == 0) {
#pragma GCC ivdep
        for (int64_t c = 0; c < C; c++)
            dx[c] =
                rstd * (an_row_weighted(form, dy[c], v, c) - shift - (x[c] - mean) * rstd * slope);
    } else {
#pragma GCC ivdep
        for (int64_t c = 0; c < C; c++)
            dx[c] +=
                rstd * (an_row_weighted(form, dy[c], v, c) - shift - (x[c] - mean) * rstd * slope);
    }
}

#endif
