/* layer_norm: see layer_norm.h. The forward pass processes AN_MOMENT_ROWS rows together. */
#include "kernel/norm/layer_norm.h"

#include <stddef.h>

#include "base/assert.h"
#include "base/par.h"
#include "base/simd.h"
#include "kernel/common/cache.h"
#include "kernel/common/carve.h"
#include "kernel/common/overlap.h"
#include "kernel/common/row_sums.h"
#include "kernel/norm/row_backward.h"
#include "kernel/norm/row_moments.h"

typedef struct {
    float *y, *mean, *rstd;
    const float *x, *gamma, *beta;
    double eps;
    int64_t C;
} forward_job;

AN_SIMD static void forward_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const forward_job *j = context;
    const float *gamma = j->gamma, *beta = j->beta;
    int64_t C = j->C;
    (void)chunk;
    for (int64_t first = lo; first < hi; first += AN_MOMENT_ROWS) {
        int64_t set = an_row_moments_set(hi - first);
        an_row_moments m = an_row_moments_of(j->x + first * C, j->eps, set, C);
        for (int64_t i = 0, r = first; i < set; i++, r++) {
            const float *restrict x = j->x + r * C;
            float *restrict y = j->y + r * C;
            for (int64_t c = 0; c < C; c++) {
                float hat = (x[c] - m.mean[i]) * m.rstd[i];
                y[c] = (gamma ? gamma[c] : 1) * hat + (beta ? beta[c] : 0);
            }
            j->mean[r] = m.mean[i];
            j->rstd[r] = m.rstd[i];
        }
    }
}

void an_k_layer_norm_forward(float *y, float *mean, float *rstd, const float *x, const float *gamma,
                             const float *beta, double eps, int64_t N, int64_t C)
{
    AN_ASSERT(N >= 0 && C >= 1 && eps > 0 && an_disjoint(y, N * C, x, N * C));
    an_par_for(N, an_row_grain(C), forward_rows,
               &(forward_job){y, mean, rstd, x, gamma, beta, eps, C});
}

/* ── backward ─────────────────────────────────────────────────────────────────────── */

typedef struct {
    float *dx, beta;
    const float *dy, *x, *mean, *rstd, *gamma;
    int64_t C;
} backward_job;

/* sums (2C): Σdy, Σdy·x̂ */
static inline void add_row(double *restrict sums, const float *restrict dy, const float *restrict x,
                           float mean, float rstd, int64_t C)
{
    double *restrict products = sums + C;
    for (int64_t c = 0; c < C; c++) {
        sums[c] += (double)dy[c];
        products[c] += (double)(dy[c] * ((x[c] - mean) * rstd));
    }
}

/* Inlined, so that each clone of its caller compiles it for its own vector width. */
AN_ROW_INLINE void row_gradient(const backward_job *j, int64_t r)
{
    int64_t at = r * j->C;
    if (j->gamma)
        an_row_backward(j->dx + at, j->beta, j->dy + at, j->x + at, j->mean[r], j->rstd[r],
                        AN_ROW_WEIGHT_V, j->gamma, j->C);
    else
        an_row_backward(j->dx + at, j->beta, j->dy + at, j->x + at, j->mean[r], j->rstd[r],
                        AN_ROW_WEIGHT_ONE, NULL, j->C);
}

/* Adds a row's terms to the sums before writing its gradient: dx may be dy. */
AN_SIMD static void backward_rows(double *sums, const void *context, int64_t lo, int64_t hi)
{
    const backward_job *j = context;
    int64_t C = j->C;
    for (int64_t r = lo; r < hi; r++) {
        if (sums)
            add_row(sums, j->dy + r * C, j->x + r * C, j->mean[r], j->rstd[r], C);
        if (j->dx)
            row_gradient(j, r);
    }
}

static void backward_without_sums(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    (void)chunk;
    backward_rows(NULL, context, lo, hi);
}

an_code an_k_layer_norm_backward(float *dx, float beta, float *dgamma, float *dbeta,
                                 const float *dy, const float *x, const float *mean,
                                 const float *rstd, const float *gamma, int64_t N, int64_t C)
{
    AN_ASSERT(N >= 0 && C >= 1 && (beta == 0 || beta == 1));
    AN_ASSERT(an_disjoint(dx, N * C, x, N * C));
    AN_ASSERT((beta == 0 && dx == dy) || an_disjoint(dx, N * C, dy, N * C));
    backward_job job = {dx, beta, dy, x, mean, rstd, gamma, C};
    if (!dgamma && !dbeta) {
        an_par_for(dx ? N : 0, an_row_grain(C), backward_without_sums, &job);
        return AN_OK;
    }
    an_carve scratch = {0};
    double *sums = an_carve_one(&scratch, 2 * C, sizeof *sums); /* of dbeta, then of dgamma */
    if (!sums)
        return AN_ENOMEM;
    an_code code = an_k_row_sums(sums, 2 * C, backward_rows, &job, N, C);
    for (int64_t c = 0; c < C && code == AN_OK && dbeta; c++)
        dbeta[c] += (float)sums[c];
    for (int64_t c = 0; c < C && code == AN_OK && dgamma; c++)
        dgamma[c] += (float)sums[C + c];
    an_carve_release(&scratch);
    return code;
}
