/* integer: arithmetic on sizes, for non-negative counts of elements, blocks and tiles. */
#ifndef AN_BASE_INTEGER_H
#define AN_BASE_INTEGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"

/* The most elements of a tensor, and the largest size, count or position that Lua can pass. BLAS
 * and Lua's table API take an int, so every number up to this one fits; the product of two fits an
 * int64_t. */
#define AN_COUNT_MAX ((int64_t)INT32_MAX)

static inline int64_t an_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t an_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* n clamped to lo … hi. */
static inline int64_t an_clamp(int64_t n, int64_t lo, int64_t hi)
{
    return n < lo ? lo : n > hi ? hi : n;
}

/* ⌈n / d⌉ for n ≥ 0, d ≥ 1. */
static inline int64_t an_div_up(int64_t n, int64_t d)
{
    AN_ASSERT_SLOW(n >= 0 && d >= 1);
    return (n + d - 1) / d;
}

/* True if `value`, truncated to an integer, fits an int64_t; false for NaN. Converting any other
 * value is undefined in C. */
static inline bool an_fits_int64(double value)
{
    return value >= -9223372036854775808.0 && value < 9223372036854775808.0; /* ±2^63 */
}

/* *product ← a · b; false if an int64_t cannot hold it. */
static inline bool an_multiply(int64_t a, int64_t b, int64_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

/* The smallest multiple of `step` that is at least n. */
static inline int64_t an_round_up(int64_t n, int64_t step)
{
    return an_div_up(n, step) * step;
}

#endif
