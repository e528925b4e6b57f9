/* lua_alloc: small blocks whose sizes their owner remembers, which is how Lua asks for memory.
 *
 * Sizes are rounded up to classes, 16 bytes apart at first and an eighth to a quarter of
 * themselves later; a freed cell waits in its class's list. Cells up to 4 KiB are cut from
 * chunks of 64 KiB, larger ones are malloc's, and above 64 KiB nothing waits. A program
 * that makes and drops the same objects again and again soon asks the C library for
 * nothing. Built with AddressSanitizer every cell is malloc's. One thread only. */
#ifndef AN_BASE_MEMORY_LUA_ALLOC_H
#define AN_BASE_MEMORY_LUA_ALLOC_H

#include <stddef.h>
#include <stdint.h>

/* As realloc, with the size the block has (0 and NULL: none) and the one it is to have (0:
 * it is freed, NULL is returned). NULL without memory: the block is as it was. */
void *an_lua_alloc_resize(void *block, size_t had, size_t want);

int64_t an_lua_alloc_requests(void); /* of the C library, since the start */

#endif
