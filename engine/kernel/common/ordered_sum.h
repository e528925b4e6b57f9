/* ordered_sum: sums in a fixed order that still vectorises: 16 running sums (lanes), then a tree.
 * Every vector width gives the same bits, unlike a reduction vectorised by the compiler. */
#ifndef AN_KERNEL_COMMON_ORDERED_SUM_H
#define AN_KERNEL_COMMON_ORDERED_SUM_H

#include <stdint.h>

#include "base/assert.h"
#include "kernel/common/cache.h"

/* Σ lane. Written with vectors, because the compiler would add one lane at a time through memory.
 */
static inline float an_ordered_fold(const float lane[AN_LANES])
{
    typedef float eight __attribute__((vector_size(32), aligned(4), may_alias));
    typedef float four __attribute__((vector_size(16), aligned(4), may_alias));
    eight halves = *(const eight *)lane + *(const eight *)(lane + 8);
    four low = {halves[0], halves[1], halves[2], halves[3]};
    four high = {halves[4], halves[5], halves[6], halves[7]};
    low += high;
    return (low[0] + low[2]) + (low[1] + low[3]);
}

/* Σ_i x[i]; n ≥ 0. */
static inline float an_ordered_sum(const float *x, int64_t n)
{
    AN_ASSERT_SLOW(n >= 0);
    float lane[AN_LANES] = {0};
    int64_t whole = n - n % AN_LANES;
    for (int64_t i = 0; i < whole; i += AN_LANES)
        for (int l = 0; l < AN_LANES; l++)
            lane[l] += x[i + l];
    for (int64_t i = whole; i < n; i++)
        lane[i - whole] += x[i];
    return an_ordered_fold(lane);
}

#endif
