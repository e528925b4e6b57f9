/* lua_alloc: see lua_alloc.h. */
#include "base/memory/lua_alloc.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/sanitizer.h"

/* A chunk holds hundreds of Lua's typical objects (16 to 256 bytes), so that malloc is rarely
 * called, and costs a small program no more than 64 KiB. */
#define CHUNK ((size_t)65536)

/* A larger cell would leave more than a sixteenth of a chunk unused at its end. */
#define LARGEST_CUT (CHUNK / 16)

/* Larger blocks are few (text buffers, arrays of thousands of entries) and rarely requested again
 * in the same size: in a free list, their memory would seldom be reused. */
#define LARGEST ((size_t)65536)

/* Classes: EVEN of them STEP bytes apart, then four per doubling of the size, which wastes a fifth
 * at most. STEP is the alignment of malloc; up to EVEN·STEP = 256 bytes are nearly all of Lua's
 * objects, and there equal steps waste least. EVEN·STEP·2^OCTAVES = LARGEST. */
enum { STEP = 16, EVEN = 16, OCTAVES = 8, CLASSES = EVEN + 4 * OCTAVES };
_Static_assert(((size_t)EVEN * STEP << OCTAVES) == LARGEST, "the last class is the largest");

typedef struct cell {
    struct cell *next;
} cell;

static cell *free_cells[CLASSES];
static char *fresh; /* the unused end of the newest chunk */
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
        fresh = chunk; /* the unused end, smaller than a cell, is lost */
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
    cell *block = free_cells[c];
    if (block) {
        free_cells[c] = block->next;
        return block;
    }
    if (size <= LARGEST_CUT)
        return cut(size);
    requests++;
    return malloc(size);
}

static void put_back(void *block, size_t bytes)
{
    if (bytes > LARGEST) {
        free(block);
        return;
    }
    size_t size;
    int c = class_of(bytes, &size);
    cell *freed = block;
    freed->next = free_cells[c];
    free_cells[c] = freed;
}

static void *resize_by_library(void *block, size_t new_size)
{
    if (new_size > 0) {
        requests++;
        return realloc(block, new_size);
    }
    free(block);
    return NULL;
}

void *an_lua_alloc_resize(void *block, size_t old_size, size_t new_size)
{
    AN_ASSERT(!block == (old_size == 0));
    AN_ASSERT_SLOW(!omp_in_parallel());
    if (!AN_REUSES_MEMORY || (old_size > LARGEST && new_size > LARGEST))
        return resize_by_library(block, new_size);
    if (old_size > 0 && new_size > 0 && old_size <= LARGEST && new_size <= LARGEST) {
        size_t old_class_size, new_class_size;
        if (class_of(old_size, &old_class_size) == class_of(new_size, &new_class_size))
            return block;
    }
    void *moved = new_size > 0 ? take(new_size) : NULL;
    if (new_size > 0 && !moved)
        return NULL;
    if (moved && old_size > 0)
        memcpy(moved, block, old_size < new_size ? old_size : new_size);
    if (old_size > 0)
        put_back(block, old_size);
    return moved;
}

int64_t an_lua_alloc_requests(void)
{
    return requests;
}
