/* lua_alloc: see lua_alloc.h. */
#include "base/memory/lua_alloc.h"

#include <stdlib.h>
#include <string.h>

#include "base/sanitizer.h"

#define LARGEST_CUT ((size_t)4096)
#define LARGEST ((size_t)65536)
#define CHUNK ((size_t)65536)

/* EVEN·STEP·2^OCTAVES = LARGEST */
enum { STEP = 16, EVEN = 16, OCTAVES = 8, CLASSES = EVEN + 4 * OCTAVES };

typedef struct cell {
    struct cell *next;
} cell;

static cell *waiting[CLASSES];
static char *fresh; /* what is left of the newest chunk */
static size_t left;
static int64_t requests;

static int class_of(size_t bytes, size_t *size)
{
    int c = (int)((bytes + STEP - 1) / STEP) - 1;
    *size = (size_t)(c + 1) * STEP;
    if (c < EVEN)
        return c;
    size_t power = EVEN * STEP;
    for (c = EVEN;; power *= 2)
        for (int quarter = 1; quarter <= 4; quarter++, c++) {
            *size = power + power / 4 * (size_t)quarter;
            if (*size >= bytes)
                return c;
        }
}

static void *cut(size_t size)
{
    if (left < size) {
        char *chunk = malloc(CHUNK);
        requests++;
        if (!chunk)
            return NULL;
        fresh = chunk; /* what was left, less than a cell, is lost */
        left = CHUNK;
    }
    void *block = fresh;
    fresh += size;
    left -= size;
    return block;
}

static void *take(size_t bytes)
{
    if (bytes > LARGEST) {
        requests++;
        return malloc(bytes);
    }
    size_t size;
    int c = class_of(bytes, &size);
    cell *block = waiting[c];
    if (block) {
        waiting[c] = block->next;
        return block;
    }
    if (size <= LARGEST_CUT)
        return cut(size);
    requests++;
    return malloc(size);
}

static void give(void *block, size_t bytes)
{
    if (bytes > LARGEST) {
        free(block);
        return;
    }
    size_t size;
    int c = class_of(bytes, &size);
    cell *freed = block;
    freed->next = waiting[c];
    waiting[c] = freed;
}

static void *by_library(void *block, size_t want)
{
    if (want > 0) {
        requests++;
        return realloc(block, want);
    }
    free(block);
    return NULL;
}

void *an_lua_alloc_resize(void *block, size_t had, size_t want)
{
    if (!AN_REUSES_MEMORY || (had > LARGEST && want > LARGEST))
        return by_library(block, want);
    if (had > 0 && want > 0 && had <= LARGEST && want <= LARGEST) {
        size_t old_size, new_size;
        if (class_of(had, &old_size) == class_of(want, &new_size))
            return block;
    }
    void *moved = want > 0 ? take(want) : NULL;
    if (want > 0 && !moved)
        return NULL;
    if (moved && had > 0)
        memcpy(moved, block, had < want ? had : want);
    if (had > 0)
        give(block, had);
    return moved;
}

int64_t an_lua_alloc_requests(void)
{
    return requests;
}
