/* scratch: see scratch.h. The blocks of a stack are a list, the newest first; only the
 * first can be partly lent. A thread that ends frees its stack. */
#include "base/scratch.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/sanitizer.h"

enum { HEAD = 64 }; /* bytes before the data, which starts on a cache line */

typedef struct block {
    struct block *below;
    size_t size, used; /* of the data */
} block;

typedef struct {
    block *top;
    size_t lent, most; /* bytes now, and the most there ever were */
} stack;

static _Thread_local stack mine;
static pthread_key_t ending;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static char *data_of(block *b)
{
    return (char *)b + HEAD;
}

static void pop(stack *s)
{
    block *b = s->top;
    s->top = b->below;
    s->lent -= b->used;
    an_free(b);
}

static void end_of_thread(void *of)
{
    stack *s = of;
    while (s->top)
        pop(s);
}

static void make_key(void)
{
    if (pthread_key_create(&ending, end_of_thread) != 0)
        abort(); /* no keys left before the first kernel ran: nothing can work */
}

/* A block for `bytes` on top; an empty stack gets all it ever lent. */
static block *push(stack *s, size_t bytes)
{
    size_t size = AN_REUSES_MEMORY && !s->top && s->most > bytes ? s->most : bytes;
    block *b = size <= SIZE_MAX - HEAD ? an_alloc(HEAD + size) : an_alloc(SIZE_MAX);
    if (!b)
        return NULL;
    *b = (block){.below = s->top, .size = size};
    s->top = b;
    pthread_once(&once, make_key);
    pthread_setspecific(ending, s);
    return b;
}

void *an_scratch_take(size_t bytes)
{
    stack *s = &mine;
    size_t room = bytes > SIZE_MAX - HEAD ? bytes : an_scratch_line(bytes ? bytes : 1);
    block *b = s->top;
    if (!AN_REUSES_MEMORY || !b || b->size - b->used < room) {
        b = push(s, AN_REUSES_MEMORY ? room : bytes);
        if (!b)
            return NULL;
    } else if (an_mem_must_fail()) {
        an_fail(AN_ENOMEM, "out of memory: %zu bytes of scratch were refused by the test hook", bytes);
        return NULL;
    }
    char *part = data_of(b) + b->used;
    size_t lend = AN_REUSES_MEMORY ? room : bytes;
    b->used += lend;
    s->lent += lend;
    if (s->lent > s->most)
        s->most = s->lent;
    return part;
}

static int holds(block *b, const void *part)
{
    uintptr_t at = (uintptr_t)part, start = (uintptr_t)data_of(b);
    return at >= start && at <= start + b->size;
}

void an_scratch_give(void *first)
{
    stack *s = &mine;
    if (!first)
        return;
    while (s->top && !holds(s->top, first))
        pop(s);
    if (!s->top)
        abort(); /* another thread's, or given back before */
    size_t kept = (size_t)((char *)first - data_of(s->top));
    s->lent -= s->top->used - kept;
    s->top->used = kept;
    if (kept == 0 && (!AN_REUSES_MEMORY || s->top->below || s->top->size < s->most))
        pop(s);
}

void an_scratch_trim(void)
{
    if (mine.top && mine.lent == 0)
        pop(&mine);
    mine.most = mine.lent;
}
