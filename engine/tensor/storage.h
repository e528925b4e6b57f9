/* storage: counted blocks of memory, reused.
 *
 * A training step asks for the same sizes again and again, and fresh pages from the
 * operating system cost more than the work done on them. So a released block waits in a
 * list of its size class for the next request; an_storage_trim() gives all waiting
 * blocks back, and the scratch memory of the calling thread. Built with AddressSanitizer nothing waits, so that it sees every use of
 * freed memory. One thread only (the one that makes tensors). */
#ifndef AN_TENSOR_STORAGE_H
#define AN_TENSOR_STORAGE_H

#include "tensor/tensor.h"

an_storage *an_storage_new(size_t bytes); /* refs = 1, contents undefined */
void an_storage_retain(an_storage *s);
void an_storage_release(an_storage *s);
void an_storage_trim(void);
int64_t an_storage_waiting(void);         /* bytes in waiting blocks */

#endif
