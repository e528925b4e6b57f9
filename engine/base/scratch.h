/* scratch: memory a kernel needs during one call, without the heap.
 *
 * Every thread has a stack. The first calls size it: what does not fit gets a block of its
 * own, and once the stack is empty again the next request makes one block that holds all
 * that was ever lent at once. From then on taking and giving back touch no heap. Blocks
 * come from base/mem, so they are counted there; the fail-the-Nth hook counts requests
 * that need no new block too. Built with AddressSanitizer every request is a block of its
 * own size, so that it sees every byte read past the end or after giving back.
 *
 *     float *tiles = an_scratch_take((size_t)an_threads() * an_scratch_line(tile_bytes));
 *     if (!tiles)
 *         return AN_ENOMEM;
 *     … a parallel region, where each thread (or chunk) works on its own part …
 *     an_scratch_give(tiles);
 *
 * Take before the parallel region and cut by thread or chunk, or take inside it: a thread
 * that takes must give back itself, before the region ends. */
#ifndef AN_BASE_SCRATCH_H
#define AN_BASE_SCRATCH_H

#include <stddef.h>

void *an_scratch_take(size_t bytes); /* 64-byte aligned, undefined; NULL + AN_ENOMEM       */
void an_scratch_give(void *first);   /* it and all this thread took after it; NULL allowed */
void an_scratch_trim(void);          /* returns the calling thread's block to the heap if
                                        nothing is lent                                    */

/* Rounded up to whole cache lines: the distance between parts that threads write. */
static inline size_t an_scratch_line(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

#endif
