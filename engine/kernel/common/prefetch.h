/* prefetch: a list of the memory that a later product reads, prefetched in shares while the current
 * product runs. A core can have a dozen or two cache misses in flight: all requests at once would
 * stall it, so the inner loops (matmul/microkernel.h) prefetch one share per row of tiles. */
#ifndef AN_KERNEL_COMMON_PREFETCH_H
#define AN_KERNEL_COMMON_PREFETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/integer.h"
#include "kernel/common/cache.h"

enum { AN_PREFETCH_PARTS = 7 }; /* the arrays of attention's backward pass */

typedef struct {
    const float *at;
    int64_t lines; /* cache lines */
} an_cache_lines;

typedef struct {
    an_cache_lines part[AN_PREFETCH_PARTS]; /* prefetched one after the other */
    int parts, next;
    int64_t share; /* cache lines at a time              */
    bool cut;      /* by an_prefetch_cut(): it is complete */
} an_prefetch;

/* Appends n floats from x on; n ≤ 0 appends nothing. */
static inline void an_prefetch_add(an_prefetch *list, const float *x, int64_t n)
{
    if (n <= 0)
        return;
    AN_ASSERT(!list->cut && list->parts < AN_PREFETCH_PARTS);
    list->part[list->parts++] = (an_cache_lines){x, an_div_up(n, AN_LANES)};
}

/* Cuts the list into `shares` ≥ 1 equal shares: once, after the last an_prefetch_add() and before
 * the first product. */
static inline void an_prefetch_cut(an_prefetch *list, int64_t shares)
{
    int64_t lines = 0;
    for (int i = 0; i < list->parts; i++)
        lines += list->part[i].lines;
    AN_ASSERT(!list->cut && shares >= 1);
    list->share = an_div_up(lines, shares);
    list->cut = true;
}

#endif
