/* arena: many short strings that live and die together. */
#ifndef AN_DATA_ARENA_H
#define AN_DATA_ARENA_H

#include <stddef.h>

typedef struct an_arena_block an_arena_block;

typedef struct an_arena {
    an_arena_block *latest; /* zero-initialise: {0} is an empty arena */
} an_arena;

/* A copy of `count` bytes with a zero behind them; NULL after AN_ENOMEM. */
char *an_arena_bytes(an_arena *arena, const char *text, size_t count);
char *an_arena_text(an_arena *arena, const char *text);
void an_arena_free(an_arena *arena); /* all of it; the arena is empty again */

#endif
