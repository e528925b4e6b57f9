/* memory: replaces the C library's allocator: with a plan for the name `malloc` (plan.h), the
 * N-th request fails. With FAULT_LIST it writes "malloc N -" for the first request of every call
 * stack, of which the innermost FAULT_DEPTH callers count (all by default): equal stacks fail in
 * equal ways. Together with faults/plain_lua_alloc.c, the requests are
 * those of the engine, of Lua and of every library. For glibc on 64 bits. */
#include <errno.h>
#include <execinfo.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

enum { DEPTH = 64, OWN = 3, STACKS = 1 << 18 }; /* OWN: the frames of this file */

static _Atomic int64_t requests;
static _Atomic uint64_t known[STACKS];
static _Thread_local bool inside __attribute__((tls_model("initial-exec")));

static uint64_t stack_hash(void **frames, int n)
{
    uint64_t hash = 14695981039346656037u;
    for (int i = 0; i < n; i++)
        hash = (hash ^ (uint64_t)(uintptr_t)frames[i]) * 1099511628211u;
    return hash | 1;
}

static bool is_new(uint64_t hash)
{
    for (uint64_t i = hash % STACKS;; i = (i + 1) % STACKS) {
        uint64_t there = atomic_load(&known[i]);
        if (there == hash)
            return false;
        if (there == 0) {
            atomic_store(&known[i], hash);
            return true;
        }
    }
}

static int depth(void)
{
    const char *callers = getenv("FAULT_DEPTH");
    const int n = callers ? atoi(callers) + OWN : DEPTH;
    return n < DEPTH ? n : DEPTH;
}

static __attribute__((noinline)) void list(int64_t number)
{
    void *frames[DEPTH];
    char line[64];
    int n = backtrace(frames, depth());
    if (is_new(stack_hash(frames, n)))
        plan_append("FAULT_LIST", line,
                    (size_t)snprintf(line, sizeof line, "malloc %ld -\n", (long)number));
}

/* The stack of the request that fails, for the reader of FAULT_MET. */
static void show_stack(void)
{
    void *frames[DEPTH];
    int n = backtrace(frames, DEPTH);
    for (int i = 2; i < n; i++) {
        char line[32];
        plan_append("FAULT_MET", line, (size_t)snprintf(line, sizeof line, "%p\n", frames[i]));
    }
}

static bool meets_plan(int64_t number)
{
    static _Atomic bool on;
    if (number != plan_number_of_malloc())
        return on;
    show_stack();
    on = plan_kind_now() == PLAN_ON;
    return true;
}

static __attribute__((noinline)) bool fails(void)
{
    if (inside || !plan_counts())
        return false;
    const int64_t number = atomic_fetch_add(&requests, 1) + 1;
    bool hit = false;
    inside = true; /* what is below makes requests too */
    if (plan_number_of_malloc() > 0)
        hit = meets_plan(number);
    else
        list(number);
    inside = false;
    if (hit)
        errno = ENOMEM;
    return hit;
}

void *malloc(size_t bytes)
{
    return fails() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *block, size_t bytes)
{
    return bytes > 0 && fails() ? NULL : __libc_realloc(block, bytes);
}

void *memalign(size_t alignment, size_t bytes)
{
    return fails() ? NULL : __libc_memalign(alignment, bytes);
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
