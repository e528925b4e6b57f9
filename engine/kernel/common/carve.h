/* carve: several parts of one block of scratch memory (base/memory/scratch.h), some shared by all
 * threads, some for each thread. Kernels take scratch memory only through this file. Call order:
 * declare the parts, take, use, release.
 *
 *     an_carve scratch = {0};
 *     an_carve_part weights = an_carve_shared(&scratch, n, sizeof(float));
 *     an_carve_part patches = an_carve_own(&scratch, m, sizeof(float));
 *     if (an_carve_take(&scratch))
 *         return AN_ENOMEM;
 *     float *w = an_carve_at(&scratch, weights);
 *     #pragma omp parallel for …
 *         float *p = an_carve_at(&scratch, patches);      the calling thread's
 *     an_carve_release(&scratch);
 *
 * A function that needs a single array uses an_carve_one() for the first three steps.
 *
 * Every part starts on its own cache line, so that threads never write to the same line. Contents
 * are undefined. A part may have 0 elements; its pointer must then not be used. */
#ifndef AN_KERNEL_COMMON_CARVE_H
#define AN_KERNEL_COMMON_CARVE_H

#include <omp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/memory/scratch.h"
#include "base/par.h"

typedef struct {
    char *base;         /* NULL before an_carve_take() and after an_carve_release() */
    size_t shared, own; /* bytes of the shared parts; of one thread's own        */
    int threads;        /* with parts of their own                               */
} an_carve;

typedef struct {
    size_t offset;
    bool own;
} an_carve_part;

/* Declares a part of `count` elements of `size` bytes that all threads share. */
static inline an_carve_part an_carve_shared(an_carve *c, int64_t count, size_t size)
{
    AN_ASSERT(!c->base && count >= 0);
    an_carve_part part = {c->shared, false};
    c->shared += an_scratch_line((size_t)count * size);
    return part;
}

/* Declares a part that every thread has for itself. */
static inline an_carve_part an_carve_own(an_carve *c, int64_t count, size_t size)
{
    AN_ASSERT(!c->base && count >= 0);
    an_carve_part part = {c->own, true};
    c->own += an_scratch_line((size_t)count * size);
    return part;
}

/* Allocates the memory. Only outside parallel regions. AN_ENOMEM. */
static inline an_code an_carve_take(an_carve *c)
{
    AN_ASSERT(!c->base);
    c->threads = an_threads();
    c->base = an_scratch_take(c->shared + (size_t)c->threads * c->own);
    return c->base ? AN_OK : AN_ENOMEM;
}

/* The start of a part; of an own part, the calling thread's. */
static inline void *an_carve_at(const an_carve *c, an_carve_part part)
{
    AN_ASSERT(c->base);
    if (!part.own)
        return c->base + part.offset;
    int thread = omp_get_thread_num();
    AN_ASSERT(thread < c->threads);
    return c->base + c->shared + (size_t)thread * c->own + part.offset;
}

/* Declares and takes one array of `count` elements of `size` bytes that all threads share; c must
 * be {0}. NULL after AN_ENOMEM; there is then nothing to release. */
static inline void *an_carve_one(an_carve *c, int64_t count, size_t size)
{
    AN_ASSERT(!c->shared && !c->own);
    an_carve_part part = an_carve_shared(c, count, size);
    return an_carve_take(c) == AN_OK ? an_carve_at(c, part) : NULL;
}

static inline void an_carve_release(an_carve *c)
{
    AN_ASSERT(c->base);
    an_scratch_release(c->base);
    c->base = NULL;
}

#endif
