/* scratch: memory a kernel needs during one call, from the heap of the tensors (tensor_heap.h): a
 * training step needs most of it in the backward pass, where activations leave room, and a
 * warm call asks base/mem for nothing.
 *
 *     float *tiles = an_scratch_take((size_t)an_threads() * an_scratch_line(tile_bytes));
 *     if (!tiles)
 *         return AN_ENOMEM;
 *     … a parallel region, where each thread (or chunk) works on its own part …
 *     an_scratch_give(tiles);
 *
 * As that heap, for one thread only: take before the parallel region and cut by thread or
 * chunk. Inside it a request ends the program. */
#ifndef AN_BASE_MEMORY_SCRATCH_H
#define AN_BASE_MEMORY_SCRATCH_H

#include <stddef.h>

void *an_scratch_take(size_t bytes); /* 64-byte aligned, undefined; NULL + AN_ENOMEM */
void an_scratch_give(void *first);   /* it and all that was taken after it; NULL allowed */

/* Rounded up to whole cache lines: the distance between parts that threads write. */
static inline size_t an_scratch_line(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

#endif
