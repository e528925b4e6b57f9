/* scope: see scope.h. A growing stack of tensors, one reference to each. */
#include "tensor/scope.h"

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/memory/tensor_heap.h"

static _Thread_local struct {
    an_tensor **items;
    size_t count, room;
} stack;

size_t an_scope_begin(void)
{
    return stack.count;
}

an_tensor *an_scope_own(an_tensor *x)
{
    if (x && stack.count == stack.room) {
        size_t room = stack.room ? stack.room * 2 : 256;
        an_tensor **items = an_realloc(stack.items, room * sizeof *items);
        if (!items) {
            an_release(x);
            return NULL;
        }
        stack.items = items;
        stack.room = room;
    }
    if (x)
        stack.items[stack.count++] = x;
    return x;
}

an_tensor *an_scope_end(size_t mark, an_tensor *keep)
{
    AN_ASSERT(mark <= stack.count); /* nesting: the scope around this one has not ended */
    if (keep)
        an_retain(keep);
    while (stack.count > mark)
        an_release(stack.items[--stack.count]);
    return an_scope_own(keep);
}

void an_tensor_trim(void)
{
    if (stack.count == 0) {
        an_free(stack.items);
        stack.items = NULL;
        stack.room = 0;
    }
    an_tensor_heap_trim();
}
