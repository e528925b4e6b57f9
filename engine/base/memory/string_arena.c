/* string_arena: see string_arena.h. Blocks of 64 KiB; a longer string gets its own block. */
#include "base/memory/string_arena.h"

#include <string.h>

#include "base/memory/mem.h"

#define BLOCK ((size_t)64 << 10)

struct an_string_arena_block {
    an_string_arena_block *before;
    size_t used, size;
    char text[];
};

char *an_string_arena_bytes(an_string_arena *arena, const char *text, size_t count)
{
    an_string_arena_block *block = arena->latest;
    if (!block || block->size - block->used < count + 1) {
        size_t size = count + 1 > BLOCK ? count + 1 : BLOCK;
        block = an_alloc(sizeof *block + size);
        if (!block)
            return NULL;
        *block = (an_string_arena_block){.before = arena->latest, .size = size};
        arena->latest = block;
    }
    char *copy = block->text + block->used;
    memcpy(copy, text, count);
    copy[count] = 0;
    block->used += count + 1;
    return copy;
}

char *an_string_arena_text(an_string_arena *arena, const char *text)
{
    return an_string_arena_bytes(arena, text, strlen(text));
}

void an_string_arena_free(an_string_arena *arena)
{
    for (an_string_arena_block *block = arena->latest, *before; block; block = before) {
        before = block->before;
        an_free(block);
    }
    arena->latest = NULL;
}
