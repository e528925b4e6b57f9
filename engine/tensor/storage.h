/* storage: counted blocks of memory from base/heap.
 *
 * A released block is used again: a training step asks for the same sizes again and again,
 * and fresh pages from the operating system cost more than the work done on them.
 * One thread only (the one that makes tensors). */
#ifndef AN_TENSOR_STORAGE_H
#define AN_TENSOR_STORAGE_H

#include "tensor/tensor.h"

an_storage *an_storage_new(size_t bytes); /* refs = 1, contents undefined */
void an_storage_retain(an_storage *s);
void an_storage_release(an_storage *s);
/* Gives back what waits to be used again, here and in the scopes' stack. */
void an_storage_trim(void);
int64_t an_storage_waiting(void); /* bytes that wait in base/heap */

#endif
