/* tensor_heap: see tensor_heap.h. Every block follows a header of one cache line. Large blocks are
 * contiguous in a segment; a header holds the sizes of its block and of the block below. A segment
 * ends with a header of size 0 that is marked used permanently. Free large blocks form one list,
 * which is searched completely: it has a few dozen entries. Small blocks have the sizes of their
 * classes: 64 bytes times a power of two, and three steps between two powers. */
#include "base/memory/tensor_heap.h"

#include <omp.h>
#include <stdbool.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/memory/mem.h"
#include "base/sanitizer.h"

#define LINE ((size_t)64)
#define SEGMENT                                                                                    \
    ((size_t)256 << 20)       /* large: the system provides pages when they are first used         \
                               */
#define REST ((size_t)4096)   /* a smaller remainder stays with its block                   */
#define SMALL ((size_t)32768) /* the largest small block                                    */

enum { CLASSES = 37 }; /* from 64 to SMALL */

typedef struct block {
    size_t size, below; /* of this block and of the one before it, headers included; 0: none */
    bool used, small;
    int size_class;
    struct block *next, *previous; /* of the free ones */
} block;

typedef struct segment {
    struct segment *next;
    size_t size;
} segment;

_Static_assert(sizeof(block) <= 64, "a header is one cache line");

static segment *segments;
static block *free_blocks, *small_blocks[CLASSES];
static int64_t held, in_use, most; /* held: in segments and small blocks */
static size_t segmented;

/* ── lists ────────────────────────────────────────────────────────────────────────── */

static block *above(block *b)
{
    return (block *)((char *)b + b->size);
}

static block *below(block *b)
{
    return (block *)((char *)b - b->below);
}

static block *first_of(segment *s)
{
    return (block *)((char *)s + LINE);
}

static void link_free(block *b)
{
    b->used = false;
    b->previous = NULL;
    b->next = free_blocks;
    if (free_blocks)
        free_blocks->previous = b;
    free_blocks = b;
}

static void unlink_free(block *b)
{
    if (b->previous)
        b->previous->next = b->next;
    else
        free_blocks = b->next;
    if (b->next)
        b->next->previous = b->previous;
}

/* ── segments ─────────────────────────────────────────────────────────────────────── */

/* At least doubles the heap, so that segment borders, which split free memory, are few. */
static block *add_segment(size_t need)
{
    size_t size = need + 3 * LINE, least = segmented > SEGMENT ? segmented : SEGMENT;
    if (size < least)
        size = least;
    segment *s = an_alloc(size);
    if (!s)
        return NULL;
    *s = (segment){.next = segments, .size = size / LINE * LINE};
    segments = s;
    segmented += s->size;
    held += (int64_t)s->size;
    block *b = first_of(s);
    *b = (block){.size = s->size - 2 * LINE};
    *above(b) = (block){.below = b->size, .used = true};
    link_free(b);
    return b;
}

static void trim_segments(void)
{
    for (segment **at = &segments; *at;) {
        segment *s = *at;
        block *b = first_of(s);
        if (b->used || b->size != s->size - 2 * LINE) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        unlink_free(b);
        segmented -= s->size;
        held -= (int64_t)s->size;
        an_free(s);
    }
}

/* ── small blocks ─────────────────────────────────────────────────────────────────── */

static int class_of(size_t bytes, size_t *size)
{
    size_t power = LINE;
    for (int c = 0;; power *= 2)
        for (int step = 0; step < 4; step++, c++) {
            *size = power + power / 4 * (size_t)step;
            if (*size >= bytes)
                return c;
        }
}

static block *take_small(size_t bytes)
{
    size_t size;
    int c = class_of(bytes, &size);
    block *b = small_blocks[c];
    if (b) {
        small_blocks[c] = b->next;
        return b;
    }
    b = an_alloc(size + LINE);
    if (b) {
        *b = (block){.size = size + LINE, .small = true, .size_class = c};
        held += (int64_t)b->size;
    }
    return b;
}

static void trim_small(void)
{
    for (int c = 0; c < CLASSES; c++)
        for (block *b; (b = small_blocks[c]);) {
            small_blocks[c] = b->next;
            held -= (int64_t)b->size;
            an_free(b);
        }
}

void an_tensor_heap_trim(void)
{
    AN_ASSERT(!omp_in_parallel());
    trim_segments();
    trim_small();
}

/* ── large blocks ─────────────────────────────────────────────────────────────────── */

static block *best_fit(size_t size)
{
    block *best = NULL;
    for (block *b = free_blocks; b; b = b->next)
        if (b->size >= size &&
            (!best || b->size < best->size || (b->size == best->size && b < best)))
            best = b;
    return best;
}

static void split(block *b, size_t size)
{
    if (b->size - size < REST)
        return;
    block *rest = (block *)((char *)b + size);
    *rest = (block){.size = b->size - size, .below = size};
    above(b)->below = rest->size;
    b->size = size;
    link_free(rest);
}

static block *take_large(size_t bytes)
{
    size_t size = (bytes + 2 * LINE - 1) / LINE * LINE;
    block *b = best_fit(size);
    if (!b && !(b = add_segment(size)))
        return NULL;
    unlink_free(b);
    split(b, size);
    return b;
}

static void give_large(block *b)
{
    if (!above(b)->used) {
        unlink_free(above(b));
        b->size += above(b)->size;
    }
    if (b->below && !below(b)->used) {
        below(b)->size += b->size;
        b = below(b);
        unlink_free(b);
    }
    above(b)->below = b->size;
    link_free(b);
}

/* ── all sizes ─────────────────────────────────────────────────────────────────────────── */

static void count_in(size_t bytes)
{
    in_use += (int64_t)bytes;
    if (in_use > most)
        most = in_use;
}

/* Where memory is not reused: a separate allocation. */
static void *take_alone(size_t bytes)
{
    void *block = an_alloc(bytes);
    if (block)
        count_in(bytes);
    return block;
}

static void release_alone(void *block)
{
    in_use -= (int64_t)an_mem_size(block);
    an_free(block);
}

void *an_tensor_heap_take(size_t bytes)
{
    AN_ASSERT(!omp_in_parallel());
    if (!AN_REUSES_MEMORY)
        return take_alone(bytes);
    if (bytes > SIZE_MAX / 2 || an_mem_must_fail())
        return an_alloc(SIZE_MAX); /* fails with its message */
    block *b = bytes <= SMALL ? take_small(bytes) : take_large(bytes);
    if (!b)
        return NULL;
    b->used = true;
    count_in(b->size);
    return (char *)b + LINE;
}

void an_tensor_heap_release(void *given)
{
    if (!given)
        return;
    if (!AN_REUSES_MEMORY) {
        release_alone(given);
        return;
    }
    block *b = (block *)((char *)given - LINE);
    AN_ASSERT(!omp_in_parallel());
    AN_ASSERT(b->used); /* not released before */
    b->used = false;
    in_use -= (int64_t)b->size;
    if (!b->small) {
        give_large(b);
        return;
    }
    b->next = small_blocks[b->size_class];
    small_blocks[b->size_class] = b;
}

int64_t an_tensor_heap_spare(void)
{
    return AN_REUSES_MEMORY ? held - in_use : 0;
}

int64_t an_tensor_heap_in_use(void)
{
    return in_use;
}

int64_t an_tensor_heap_restart(void)
{
    int64_t former = most;
    most = in_use;
    return former;
}

void an_tensor_heap_recall(int64_t former)
{
    if (former > most)
        most = former;
}

int64_t an_tensor_heap_most(void)
{
    return most;
}
