/* mem: the allocator for all memory that the engine owns; tensor_heap, scratch and string_arena
 * take theirs from it. lua_alloc, which serves Lua's own objects, does not.
 *
 * Blocks are aligned to 64 bytes (a cache line, an AVX-512 register) and counted: tests assert that
 * live bytes return to zero, and Lua's collector is informed how much memory its small userdata
 * hold. An allocation can be made to fail on purpose, which makes out-of-memory paths testable.
 * Thread-safe. */
#ifndef AN_BASE_MEMORY_MEM_H
#define AN_BASE_MEMORY_MEM_H

#include <stddef.h>
#include <stdint.h>

void *an_alloc(size_t bytes);                /* contents undefined; NULL + AN_ENOMEM     */
void *an_calloc(size_t count, size_t size);  /* zeroed; checks count*size for overflow   */
void *an_realloc(void *block, size_t bytes); /* keeps contents; after NULL, block is unchanged */
char *an_strdup(const char *text);
void an_free(void *block); /* NULL is allowed                          */

/* The machine's memory in bytes, the limit of a single block. A larger one could be reserved, but
 * the system would kill the process when the block is first used. */
size_t an_mem_limit(void);

size_t an_mem_size(const void *block); /* as requested; not NULL                    */
int64_t an_mem_live(void);        /* bytes allocated and not freed                            */
int64_t an_mem_peak(void);        /* the most an_mem_live() has been                          */
int64_t an_mem_allocs(void);      /* allocations since the start                              */
void an_mem_fail_at(int64_t nth); /* the nth allocation from now fails once; 0 = never   */
int an_mem_must_fail(void);       /* counts one request; 1 if it is the one that must fail */

#endif
