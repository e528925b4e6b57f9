/* overlap: whether arrays of floats share memory, for assertions of kernels. NULL shares none. */
#ifndef AN_KERNEL_COMMON_OVERLAP_H
#define AN_KERNEL_COMMON_OVERLAP_H

#include <stdbool.h>
#include <stdint.h>

/* a (na) and b (nb) have no element in common. */
static inline bool an_disjoint(const float *a, int64_t na, const float *b, int64_t nb)
{
    uintptr_t from_a = (uintptr_t)a, from_b = (uintptr_t)b;
    return !a || !b || na <= 0 || nb <= 0 || from_a + (uintptr_t)na * sizeof *a <= from_b ||
           from_b + (uintptr_t)nb * sizeof *b <= from_a;
}

/* a (n) and b (n) are one array, or have no element in common. */
static inline bool an_same_or_disjoint(const float *a, const float *b, int64_t n)
{
    return a == b || an_disjoint(a, n, b, n);
}

#endif
