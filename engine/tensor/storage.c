/* storage: see storage.h. Size classes are the powers of two and three steps between
 * them, so a block is at most a quarter larger than what was asked for. */
#include "tensor/storage.h"

#include "base/mem.h"
#include "base/scratch.h"

#if defined(__SANITIZE_ADDRESS__)
#define POOLED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOLED 0
#endif
#endif
#ifndef POOLED
#define POOLED 1
#endif

enum { CLASSES = 256, SMALLEST = 64 };

typedef struct block {
    an_storage storage; /* first, so that a storage is its block */
    int size_class;
    struct block *next;
} block;

static block *waiting[CLASSES];
static int64_t waiting_bytes;

/* The number of the smallest class that holds `bytes`, and its size in *size. */
static int class_of(size_t bytes, size_t *size)
{
    size_t power = SMALLEST;
    for (int c = 0; c < CLASSES; power *= 2)
        for (int step = 0; step < 4; step++, c++) {
            *size = power + power / 4 * (size_t)step;
            if (*size >= bytes)
                return c;
        }
    *size = bytes;
    return CLASSES - 1;
}

an_storage *an_storage_new(size_t bytes)
{
    size_t size;
    int c = class_of(bytes, &size);
    block *b = waiting[c];
    if (b) {
        waiting[c] = b->next;
        waiting_bytes -= (int64_t)size;
    } else {
        b = an_alloc(sizeof *b);
        void *data = b ? an_alloc(POOLED ? size : bytes) : NULL;
        if (!data) {
            an_free(b);
            return NULL;
        }
        b->storage.data = data;
        b->size_class = c;
    }
    b->storage.bytes = bytes;
    b->storage.refs = 1;
    return &b->storage;
}

void an_storage_retain(an_storage *s)
{
    s->refs++;
}

static void destroy(block *b)
{
    an_free(b->storage.data);
    an_free(b);
}

void an_storage_release(an_storage *s)
{
    if (!s || --s->refs > 0)
        return;
    block *b = (block *)s;
    if (!POOLED) {
        destroy(b);
        return;
    }
    size_t size;
    class_of(s->bytes, &size);
    b->next = waiting[b->size_class];
    waiting[b->size_class] = b;
    waiting_bytes += (int64_t)size;
}

void an_storage_trim(void)
{
    for (int c = 0; c < CLASSES; c++)
        while (waiting[c]) {
            block *b = waiting[c];
            waiting[c] = b->next;
            destroy(b);
        }
    waiting_bytes = 0;
    an_scratch_trim();
}

int64_t an_storage_waiting(void)
{
    return waiting_bytes;
}
