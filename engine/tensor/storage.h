/* storage: reference-counted blocks of memory from base/memory/tensor_heap, which reuses released
 * blocks: every training step requests the same sizes. Main thread only. */
#ifndef AN_TENSOR_STORAGE_H
#define AN_TENSOR_STORAGE_H

#include <stddef.h>

typedef struct an_storage {
    void *data;
    size_t bytes;
    int refs; /* ≥ 1 */
} an_storage;

an_storage *an_storage_new(size_t bytes); /* refs = 1, undefined contents; NULL + AN_ENOMEM */
void an_storage_retain(an_storage *s);
void an_storage_release(an_storage *s); /* frees it with the last reference; s may be NULL */

#endif
