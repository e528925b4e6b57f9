/* plain_lua_alloc: takes the place of engine/base/memory/lua_alloc.c in the program whose
 * allocations fail: every object of Lua is a request to the C library, so that preload/memory.c
 * sees it. */
#include <stdlib.h>

#include "base/memory/lua_alloc.h"

static int64_t requests;

void *an_lua_alloc_resize(void *block, size_t old_size, size_t new_size)
{
    (void)old_size;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    requests++;
    return realloc(block, new_size);
}

int64_t an_lua_alloc_requests(void)
{
    return requests;
}
