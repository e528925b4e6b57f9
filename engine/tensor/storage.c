/* storage: see storage.h. */
#include "tensor/storage.h"

#include "base/assert.h"
#include "base/memory/tensor_heap.h"

an_storage *an_storage_new(size_t bytes)
{
    an_storage *s = an_tensor_heap_take(sizeof *s);
    void *data = s ? an_tensor_heap_take(bytes) : NULL;
    if (!data) {
        an_tensor_heap_release(s);
        return NULL;
    }
    *s = (an_storage){.data = data, .bytes = bytes, .refs = 1};
    return s;
}

void an_storage_retain(an_storage *s)
{
    AN_ASSERT(s->refs >= 1);
    s->refs++;
}

void an_storage_release(an_storage *s)
{
    if (!s)
        return;
    AN_ASSERT(s->refs >= 1);
    if (--s->refs > 0)
        return;
    an_tensor_heap_release(s->data);
    an_tensor_heap_release(s);
}
