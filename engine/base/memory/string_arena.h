/* string_arena: many short strings that are freed together. */
#ifndef AN_BASE_MEMORY_STRING_ARENA_H
#define AN_BASE_MEMORY_STRING_ARENA_H

#include <stddef.h>

typedef struct an_string_arena_block an_string_arena_block;

typedef struct an_string_arena {
    an_string_arena_block *latest; /* zero-initialise: {0} is an empty arena */
} an_string_arena;

/* A copy of `count` bytes, zero-terminated; NULL and AN_ENOMEM. */
char *an_string_arena_bytes(an_string_arena *arena, const char *text, size_t count);
/* A copy of a zero-terminated text; NULL and AN_ENOMEM. */
char *an_string_arena_text(an_string_arena *arena, const char *text);
/* Frees every string; the arena is empty afterwards. */
void an_string_arena_free(an_string_arena *arena);

#endif
