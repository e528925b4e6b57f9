/* conv_cut: see conv_cut.h. The tree of the slices is built as they are computed: two sums of equal
 * size are added at once, so that each level needs one array. */
#include "kernel/conv/conv_cut.h"

#include <string.h>

#include "base/assert.h"
#include "base/par.h"
#include "base/ranks/ranks.h"
#include "kernel/common/cache.h"

enum { LEVELS = 4 }; /* 1, 2, 4 and 8 slices */

typedef struct {
    float *to;
    const float *from;
} add_job;

static void add_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const add_job *j = context;
    (void)chunk;
    for (int64_t i = lo; i < hi; i++)
        j->to[i] += j->from[i];
}

static void add(float *to, const float *from, int64_t n)
{
    an_par_for(n, AN_GRAIN, add_part, &(add_job){to, from});
}

/* sum (n) ← the gradient of slice number `slice`. */
static an_code slice_gradient(float *sum, int64_t n, const char *dy, const char *x,
                              const an_conv_shape *s, const an_cut *cut, int64_t slice)
{
    int64_t lo, hi;
    an_conv_shape part = *s;
    an_cut_slice(&lo, &hi, cut, slice);
    part.B = part.batch = hi - lo;
    memset(sum, 0, sizeof *sum * (size_t)n);
    if (lo == hi)
        return AN_OK;
    const int64_t bytes = s->narrow ? (int64_t)sizeof(uint16_t) : (int64_t)sizeof(float);
    return an_k_conv_backward_weight(sum, dy + lo * s->Ho * s->Wo * s->O * bytes,
                                     x + lo * s->H * s->W * s->C * bytes, &part);
}

an_code an_k_conv_cut_start(an_conv_cut *job, const void *dy, const void *x, const an_conv_shape *s,
                            const an_cut *cut)
{
    AN_ASSERT(cut->grain > 0 && cut->own == s->B && cut->slices <= 1 << (LEVELS - 1));
    *job = (an_conv_cut){.n = s->O * s->C * s->kh * s->kw, .shared = cut->shared};
    int64_t n = job->n, depth = 0;
    float *level = an_carve_one(&job->scratch, (LEVELS + 1) * n, sizeof *level);
    an_code code = level ? AN_OK : AN_ENOMEM;
    for (int64_t slice = 0; slice < cut->slices && code == AN_OK; slice++) {
        code = slice_gradient(level + depth++ * n, n, dy, x, s, cut, slice);
        for (int64_t done = slice + 1; done % 2 == 0 && code == AN_OK; done /= 2, depth--)
            add(level + (depth - 2) * n, level + (depth - 1) * n, n);
    }
    if (code) {
        an_carve_release(&job->scratch);
        return code;
    }
    job->sum = level;
    job->other = level + n;
    if (job->shared)
        an_ranks_gather_start(job->sum, job->other, n);
    return AN_OK;
}

void an_k_conv_cut_finish(an_conv_cut *job, float *dw)
{
    if (job->shared)
        an_ranks_gather_finish(job->sum, job->other, job->n);
    if (!job->shared || an_rank() == 0)
        add(dw, job->sum, job->n);
    an_carve_release(&job->scratch);
}
