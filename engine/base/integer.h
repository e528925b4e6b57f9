/* integer: the arithmetic of sizes, for non-negative numbers of elements, blocks and tiles. */
#ifndef AN_BASE_INTEGER_H
#define AN_BASE_INTEGER_H

#include <stdint.h>

static inline int64_t an_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t an_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* n limited to lo … hi. */
static inline int64_t an_clamp(int64_t n, int64_t lo, int64_t hi)
{
    return n < lo ? lo : n > hi ? hi : n;
}

/* ⌈n / d⌉ for n ≥ 0, d ≥ 1. */
static inline int64_t an_div_up(int64_t n, int64_t d)
{
    return (n + d - 1) / d;
}

/* The smallest multiple of `step` that is at least n. */
static inline int64_t an_round_up(int64_t n, int64_t step)
{
    return an_div_up(n, step) * step;
}

#endif
