/* gemm_buffers: one probe and one round of products per number of threads; see gemm_buffers.h. */
#include "kernel/matmul/gemm_buffers.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/par.h"
#include "kernel/matmul/gemm.h"

enum {
    BUFFER = 128 << 20, /* BUFFER_SIZE of OpenBLAS for x86-64; at least that of other machines */
    SIDE = 192,         /* of a product that uses a buffer: small ones are computed in place   */
    ROWS = 64,          /* of the product: its result fits the stack of a thread               */
    TIMES = 16          /* enough that the products of all threads overlap                     */
};

static bool is_limited(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

static bool fits(size_t bytes)
{
    void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return false;
    munmap(map, bytes);
    return true;
}

/* A product on each thread at the same time. The results are not used. */
static void take_buffers(int threads)
{
    static const float zeros[SIDE * SIDE];
#pragma omp parallel num_threads(threads)
    {
        float product[ROWS * SIDE];
#pragma omp barrier
        for (int i = 0; i < TIMES; i++)
            an_k_gemm(false, false, ROWS, SIDE, SIDE, 1, zeros, SIDE, zeros, SIDE, 0, product,
                      SIDE);
    }
}

an_code an_k_gemm_reserve(void)
{
    static int reserved; /* threads that have a buffer */
    int threads = an_threads();
    if (threads <= reserved || !is_limited())
        return AN_OK;
    if (!fits((size_t)(threads - reserved) * BUFFER + BUFFER / 8))
        return an_fail(
            AN_ENOMEM,
            "the limit on the address space (ulimit -v) leaves no room for the buffers of "
            "OpenBLAS, %d MiB for each of %d threads; raise the limit or use fewer threads",
            BUFFER >> 20, threads);
    take_buffers(threads);
    reserved = threads;
    return AN_OK;
}
