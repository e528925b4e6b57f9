/* par: see par.h. A thin layer over OpenMP. */
#include "base/par.h"

#include <omp.h>

#include "base/assert.h"

int an_threads(void)
{
    return omp_get_max_threads();
}

void an_set_threads(int n)
{
    AN_ASSERT(n <= AN_THREADS_MOST);
    omp_set_dynamic(0);
    omp_set_num_threads(n < 1 ? omp_get_num_procs() : n);
}

int64_t an_chunks(int64_t n, int64_t grain)
{
    AN_ASSERT(grain >= 1 || n <= 0);
    return n <= 0 ? 0 : (n + grain - 1) / grain;
}

int64_t an_grain(int64_t n, int64_t each, int64_t from)
{
    int64_t quarter = each > 0 ? from / 4 / each : n;
    return n * each <= from ? n : quarter > 0 ? quarter : 1;
}

void an_par_for(int64_t n, int64_t grain, an_chunk_fn work, void *context)
{
    int64_t chunks = an_chunks(n, grain);
    if (chunks <= 1) {
        if (n > 0)
            work(context, 0, n, 0);
        return;
    }
#pragma omp parallel for schedule(dynamic, 1)
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        int64_t lo = chunk * grain, hi = lo + grain < n ? lo + grain : n;
        work(context, lo, hi, chunk);
    }
}
