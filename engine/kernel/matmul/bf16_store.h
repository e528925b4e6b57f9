/* bf16_store: stores a tile of sums in the result. */
#ifndef AN_KERNEL_MATMUL_BF16_STORE_H
#define AN_KERNEL_MATMUL_BF16_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kernel/common/bf16_round.h"

/* y[i] ← tile[i] + (b[i], or y[i] if b is NULL and `accumulate`), i < n. */
static inline __attribute__((always_inline)) void an_bf16_store(float *restrict y,
                                                                const float *restrict tile,
                                                                const float *b, bool accumulate,
                                                                int64_t n)
{
    if (b)
        for (int64_t i = 0; i < n; i++)
            y[i] = tile[i] + b[i];
    else if (accumulate)
        for (int64_t i = 0; i < n; i++)
            y[i] += tile[i];
    else
        memcpy(y, tile, sizeof *y * (size_t)n);
}

/* tile[i] += b[i], or y[i] if b is NULL. n is a multiple of 8. */
static inline __attribute__((always_inline)) void an_bf16_add(float *restrict tile, const float *b,
                                                              const uint16_t *restrict y, int64_t n)
{
    for (int64_t i = 0; i < n; i += AN_BF16_EIGHT) {
        float other[AN_BF16_EIGHT];
        if (b)
            memcpy(other, b + i, sizeof other);
        else
            an_bf16_widen_eight(other, y + i);
        for (int k = 0; k < AN_BF16_EIGHT; k++)
            tile[i + k] += other[k];
    }
}

#endif
