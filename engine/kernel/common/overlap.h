/* overlap: whether arrays share memory, for assertions in kernels. NULL shares none. Sizes are in
 * floats, whatever the arrays hold. */
#ifndef AN_KERNEL_COMMON_OVERLAP_H
#define AN_KERNEL_COMMON_OVERLAP_H

#include <stdbool.h>
#include <stdint.h>

/* a (na) and b (nb) have no element in common. */
static inline bool an_disjoint(const void *a, int64_t na, const void *b, int64_t nb)
{
    uintptr_t from_a = (uintptr_t)a, from_b = (uintptr_t)b;
    return !a || !b || na <= 0 || nb <= 0 || from_a + (uintptr_t)na * sizeof(float) <= from_b ||
           from_b + (uintptr_t)nb * sizeof(float) <= from_a;
}

/* a (n) and b (n) are the same array or have no element in common. */
static inline bool an_same_or_disjoint(const void *a, const void *b, int64_t n)
{
    return a == b || an_disjoint(a, n, b, n);
}

#endif
