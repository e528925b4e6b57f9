/* scratch: see scratch.h. A list of blocks, newest first, each after a header of one cache line. */
#include "base/memory/scratch.h"

#include <omp.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory/tensor_heap.h"

enum { HEAD = 64 };

typedef struct block {
    struct block *below;
} block;

static block *newest;

void *an_scratch_take(size_t bytes)
{
    AN_ASSERT(!omp_in_parallel());
    block *b = an_tensor_heap_take(bytes <= SIZE_MAX - HEAD ? HEAD + bytes : SIZE_MAX);
    if (!b)
        return NULL;
    b->below = newest;
    newest = b;
#ifdef AN_CHECKED
    memset((char *)b + HEAD, 0xff, bytes);
#endif
    return (char *)b + HEAD;
}

void an_scratch_release(void *first)
{
    for (void *given = NULL; given != first;) {
        block *b = newest;
        AN_ASSERT(b); /* taken, and not released before */
        given = (char *)b + HEAD;
        newest = b->below;
        an_tensor_heap_release(b);
    }
}
