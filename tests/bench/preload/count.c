/* count: counts the allocations of a process. Loaded by LD_PRELOAD, it counts the calls of malloc
 * and related functions by any part of the process in the file named by COUNT_FILE: eight bytes,
 * which the bench reads while the process waits for its next command. For glibc. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

static _Atomic int64_t early;
static _Atomic int64_t *count = &early;

__attribute__((constructor)) static void open_file(void)
{
    const char *path = getenv("COUNT_FILE");
    int file = path ? open(path, O_RDWR) : -1;
    if (file < 0)
        return;
    void *map = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (map != MAP_FAILED)
        count = map;
    close(file);
}

void *malloc(size_t bytes)
{
    atomic_fetch_add(count, 1);
    return __libc_malloc(bytes);
}

void *calloc(size_t n, size_t size)
{
    atomic_fetch_add(count, 1);
    return __libc_calloc(n, size);
}

void *realloc(void *block, size_t bytes)
{
    atomic_fetch_add(count, 1);
    return __libc_realloc(block, bytes);
}

void *memalign(size_t alignment, size_t bytes)
{
    atomic_fetch_add(count, 1);
    return __libc_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    return memalign(alignment, bytes);
}

int posix_memalign(void **block, size_t alignment, size_t bytes)
{
    *block = memalign(alignment, bytes);
    return *block ? 0 : ENOMEM;
}
