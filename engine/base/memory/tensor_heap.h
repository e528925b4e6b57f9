/* tensor_heap: the memory of tensors: blocks taken and released in the same order in every step.
 *
 * Large blocks are cut from segments of 256 MiB and more, by best fit (among equals, the lowest
 * address); a released block merges with its free neighbours. A training step requests the same
 * sizes in the same order each time, so after the first step the heap does not grow, and it holds
 * little more than the most bytes that were ever in use at once. Small blocks have free lists by
 * size. Every request counts for an_mem_fail_at(). In builds with AddressSanitizer each block is
 * allocated on its own, so that every use after a release is found. One thread only. */
#ifndef AN_BASE_MEMORY_TENSOR_HEAP_H
#define AN_BASE_MEMORY_TENSOR_HEAP_H

#include <stddef.h>
#include <stdint.h>

void *an_tensor_heap_take(size_t bytes); /* 64-byte aligned, undefined; NULL + AN_ENOMEM          */
void an_tensor_heap_release(void *block); /* NULL is allowed */
void an_tensor_heap_trim(void);       /* returns segments without a used block to base/mem     */
int64_t an_tensor_heap_spare(void);   /* bytes held that no block uses                         */
int64_t an_tensor_heap_in_use(void);  /* bytes of used blocks                                  */
int64_t an_tensor_heap_most(void);    /* the most bytes that blocks used at once               */
int64_t an_tensor_heap_restart(void); /* → the most, which restarts at what is in use */
void an_tensor_heap_recall(int64_t former); /* raises the most to at least `former` */

#endif
