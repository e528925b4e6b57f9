/* scratch: memory that a kernel needs during one call.
 *
 *     double *sums = an_scratch_take(sizeof *sums * (size_t)n);
 *     if (!sums)
 *         return AN_ENOMEM;
 *     …
 *     an_scratch_release(sums);
 *
 * It comes from the heap of the tensors (tensor_heap.h): a training step needs most scratch in the
 * backward pass, when activations have been freed, and after the first step no call allocates.
 * Blocks form a stack: the last one taken is released first. One thread only: take before a
 * parallel region, not inside it. Kernels take it through kernel/common/carve.h, which cuts a
 * block into parts. */
#ifndef AN_BASE_MEMORY_SCRATCH_H
#define AN_BASE_MEMORY_SCRATCH_H

#include <stddef.h>

/* 64-byte aligned, contents undefined: NaN where checks are compiled in, so that a kernel that
 * reads what it has not written returns NaN. NULL + AN_ENOMEM. */
void *an_scratch_take(size_t bytes);
void an_scratch_release(void *first); /* and all blocks taken after it; NULL is allowed */

/* Rounded up to whole cache lines, which keeps parts written by different threads on separate
 * lines. */
static inline size_t an_scratch_line(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

#endif
