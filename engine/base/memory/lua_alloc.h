/* lua_alloc: the allocator for Lua's objects: small blocks, whose sizes Lua passes when it frees
 * them.
 *
 * Sizes are rounded up to size classes: 16 bytes apart up to 256 bytes, an eighth to a quarter of
 * the size apart above. A freed cell goes to the free list of its class. Cells up to 4 KiB are cut
 * from chunks of 64 KiB, larger ones come from malloc; blocks above 64 KiB are freed at once. A
 * program that creates and drops the same kinds of objects soon makes no more requests to the C
 * library. In builds with AddressSanitizer every cell comes from malloc. One thread only. */
#ifndef AN_BASE_MEMORY_LUA_ALLOC_H
#define AN_BASE_MEMORY_LUA_ALLOC_H

#include <stddef.h>
#include <stdint.h>

/* As realloc, but with the current size of the block (0 for NULL) and the new one (0 frees
 * the block and returns NULL). Returns NULL when memory runs out, and leaves the block as it was.
 */
void *an_lua_alloc_resize(void *block, size_t old_size, size_t new_size);

int64_t an_lua_alloc_requests(void); /* made to the C library since the start */

#endif
