/* tensor_heap: blocks that come and go in the same order again and again, the memory of tensors.
 *
 * Large blocks are cut from segments of 256 MiB and more: the smallest free block that is
 * large enough is taken, the lowest of equals, and what is given back merges with its free
 * neighbours. A training step asks for the same sizes in the same order each time, so after
 * the first step no more memory is wanted, and what one size leaves another uses: the
 * process holds little more than the most that was ever in use at once. Small blocks wait
 * in lists by size. The fail-the-Nth hook counts every request. Built with AddressSanitizer
 * each request is a block of its own, so that it sees every use of what was given back.
 * One thread only. */
#ifndef AN_BASE_MEMORY_TENSOR_HEAP_H
#define AN_BASE_MEMORY_TENSOR_HEAP_H

#include <stddef.h>
#include <stdint.h>

void *an_tensor_heap_take(size_t bytes); /* 64-byte aligned, undefined; NULL + AN_ENOMEM          */
void an_tensor_heap_give(void *block);   /* NULL is allowed                                       */
void an_tensor_heap_trim(void);          /* what no block uses goes back to base/mem              */
int64_t an_tensor_heap_spare(void);      /* bytes that were had from base/mem and no block uses   */
int64_t an_tensor_heap_most(void);       /* the most bytes that blocks ever used at once          */

#endif
