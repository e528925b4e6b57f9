/* row_sums: see row_sums.h. One pass over the data; scratch memory is one row of n doubles per
 * chunk. */
#include "kernel/common/row_sums.h"

#include <string.h>

#include "base/assert.h"
#include "base/par.h"
#include "base/ranks/ranks.h"
#include "base/simd.h"
#include "kernel/common/cache.h"
#include "kernel/common/carve.h"

/* A chunk is 128 KiB. Another size would change the order of the sums, and so the bits. */
enum { CHUNK_FLOATS = 2 * AN_GRAIN };

typedef struct {
    an_k_row_fn add;
    const void *context;
    double *partial;  /* (chunks, n) */
    int64_t n, first; /* the first row */
} sum_job;

static void sum_chunk(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const sum_job *job = context;
    job->add(job->partial + chunk * job->n, job->context, job->first + lo, job->first + hi);
}

/* sums (n) ← Σ over `rows` rows from `first` on. */
static an_code sum_rows(double *sums, int64_t n, an_k_row_fn add, const void *context,
                        int64_t first, int64_t rows, int64_t width)
{
    AN_ASSERT(n >= 1 && rows >= 0 && width >= 0);
    int64_t grain = width < CHUNK_FLOATS ? CHUNK_FLOATS / (width > 0 ? width : 1) : 1;
    int64_t chunks = an_chunks(rows, grain);
    an_carve scratch = {0};
    double *partial = an_carve_one(&scratch, chunks * n, sizeof *partial);
    if (!partial)
        return AN_ENOMEM;
    memset(partial, 0, sizeof *partial * (size_t)(chunks * n));
    an_par_for(rows, grain, sum_chunk, &(sum_job){add, context, partial, n, first});
    memset(sums, 0, sizeof(double) * (size_t)n);
    for (int64_t chunk = 0; chunk < chunks; chunk++)
        for (int64_t i = 0; i < n; i++)
            sums[i] += partial[chunk * n + i];
    an_carve_release(&scratch);
    return AN_OK;
}

an_code an_k_row_sums(double *sums, int64_t n, an_k_row_fn add, const void *context, int64_t rows,
                      int64_t width)
{
    return sum_rows(sums, n, add, context, 0, rows, width);
}

an_code an_k_cut_row_sums(double *sums, int64_t n, an_k_row_fn add, const void *context,
                          int64_t rows, int64_t width, const an_cut *cut)
{
    if (!cut || cut->grain == 0)
        return an_k_row_sums(sums, n, add, context, rows, width);
    AN_ASSERT(rows % cut->own == 0);
    int64_t of_image = rows / cut->own, lo, hi;
    an_carve scratch = {0};
    double *part = an_carve_one(&scratch, cut->slices * n, sizeof *part);
    an_code code = part ? AN_OK : AN_ENOMEM;
    for (int64_t s = 0; s < cut->slices && code == AN_OK; s++) {
        an_cut_slice(&lo, &hi, cut, s);
        code = sum_rows(part + s * n, n, add, context, lo * of_image, (hi - lo) * of_image, width);
    }
    for (int64_t step = 1; step < cut->slices && code == AN_OK; step *= 2)
        for (int64_t s = 0; s < cut->slices; s += 2 * step)
            for (int64_t i = 0; i < n; i++)
                part[s * n + i] += part[(s + step) * n + i];
    if (code == AN_OK)
        memcpy(sums, part, sizeof *sums * (size_t)n);
    if (cut->shared && part) /* even after a failure: the other ranks wait for it */
        an_ranks_add(sums, part, n);
    an_carve_release(&scratch);
    return code;
}

typedef struct {
    const float *x;
    int64_t width;
} plain_rows;

AN_SIMD static void add_plain(double *restrict sums, const void *context, int64_t lo, int64_t hi)
{
    const plain_rows *job = context;
    int64_t width = job->width;
    for (int64_t r = lo; r < hi; r++) {
        const float *restrict x = job->x + r * width;
        for (int64_t c = 0; c < width; c++)
            sums[c] += (double)x[c];
    }
}

an_code an_k_bias_backward(float *db, const float *dy, int64_t rows, int64_t width)
{
    an_carve scratch = {0};
    double *sums = an_carve_one(&scratch, width, sizeof *sums);
    if (!sums)
        return AN_ENOMEM;
    an_code code = an_k_row_sums(sums, width, add_plain, &(plain_rows){dy, width}, rows, width);
    for (int64_t c = 0; c < width && code == AN_OK; c++)
        db[c] += (float)sums[c];
    an_carve_release(&scratch);
    return code;
}
