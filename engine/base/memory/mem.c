/* mem: see mem.h. A 64-byte header before each block holds its size, so that live bytes can be
 * counted. Counters are atomic: chunks of a parallel loop may allocate. */
#include "base/memory/mem.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"

enum { ALIGN = 64 };

#define HUGE_PAGE ((size_t)2 << 20)

static _Atomic int64_t live, peak, allocs, fail_in;

static void count_in(int64_t bytes)
{
    int64_t now = atomic_fetch_add(&live, bytes) + bytes;
    int64_t top = atomic_load(&peak);
    while (now > top && !atomic_compare_exchange_weak(&peak, &top, now))
        ;
}

int an_mem_must_fail(void)
{
    if (atomic_load(&fail_in) <= 0)
        return 0;
    return atomic_fetch_sub(&fail_in, 1) == 1;
}

size_t an_mem_limit(void)
{
    static _Atomic size_t limit; /* 0: not read yet */
    size_t bytes = atomic_load(&limit);
    if (bytes == 0) {
        const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
        bytes = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : PTRDIFF_MAX;
        atomic_store(&limit, bytes);
    }
    return bytes;
}

/* Memory for `bytes` and the header. Large blocks use huge pages where the system has them: 512
 * times fewer page faults on first use, and fewer TLB misses afterwards. */
static char *from_system(size_t bytes)
{
    size_t size = (bytes + 2 * ALIGN - 1) / ALIGN * ALIGN;
    if (size < 2 * HUGE_PAGE)
        return aligned_alloc(ALIGN, size);
    size = (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE; /* aligned_alloc requires whole pages */
    char *block = aligned_alloc(HUGE_PAGE, size);
#ifdef MADV_HUGEPAGE
    if (block)
        madvise(block, size, MADV_HUGEPAGE); /* optional: a failure is harmless */
#endif
    return block;
}

void *an_alloc(size_t bytes)
{
    char *block = NULL;
    atomic_fetch_add(&allocs, 1);
    const bool fails = an_mem_must_fail();
    if (bytes > an_mem_limit()) {
        an_fail(AN_ENOMEM,
                "out of memory: %zu bytes at once are more than the machine's memory, %zu bytes; a "
                "smaller train.batch or image size needs less",
                bytes, an_mem_limit());
        return NULL;
    }
    if (!fails)
        block = from_system(bytes);
    if (!block) {
        an_fail(AN_ENOMEM,
                "out of memory: %zu bytes could not be allocated; a smaller train.batch or "
                "image size needs less",
                bytes);
        return NULL;
    }
    *(size_t *)block = bytes;
    count_in((int64_t)bytes);
    return block + ALIGN;
}

void *an_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        bytes = SIZE_MAX;
    void *block = an_alloc(bytes);
    return block ? memset(block, 0, bytes) : NULL;
}

size_t an_mem_size(const void *block)
{
    return *(const size_t *)((const char *)block - ALIGN);
}

void *an_realloc(void *block, size_t bytes)
{
    void *moved = an_alloc(bytes);
    if (!moved || !block)
        return moved;
    size_t before = an_mem_size(block);
    memcpy(moved, block, before < bytes ? before : bytes);
    an_free(block);
    return moved;
}

char *an_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = an_alloc(bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

void an_free(void *block)
{
    if (!block)
        return;
    atomic_fetch_sub(&live, (int64_t)an_mem_size(block));
    free((char *)block - ALIGN);
}

int64_t an_mem_live(void)
{
    return atomic_load(&live);
}

int64_t an_mem_peak(void)
{
    return atomic_load(&peak);
}

int64_t an_mem_allocs(void)
{
    return atomic_load(&allocs);
}

void an_mem_fail_at(int64_t nth)
{
    atomic_store(&fail_in, nth);
}
