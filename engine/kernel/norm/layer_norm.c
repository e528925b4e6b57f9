/* layer_norm: the layer half of norm.h. Rows are independent in everything but dgamma
 * and dbeta, which are sums over rows. */
#include <math.h>
#include <stddef.h>

#include "base/par.h"
#include "base/memory/scratch.h"
#include "base/simd.h"
#include "kernel/norm/row_moments.h"
#include "kernel/norm/norm.h"
#include "kernel/common/row_sums.h"

enum { GRAIN = 1 << 14 }; /* numbers of a chunk: for fewer, starting threads costs more */

static int64_t grain(int64_t C)
{
    return C > 0 && C < GRAIN ? GRAIN / C : 1;
}

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
    an_par_for(N, grain(C), forward_rows, &(forward_job){y, mean, rstd, x, gamma, beta, eps, C});
}

/* ── backward ─────────────────────────────────────────────────────────────────────── */

typedef struct {
    float *dx, beta;
    const float *dy, *x, *mean, *rstd, *gamma;
    int64_t C;
} layer_job;

/* With g = gamma·dy: dx = rstd·(g − mean(g) − x̂·mean(g·x̂)) + beta·dx, one row of C features. */
static inline void row_dx(float *dx, float beta, const float *dy, const float *x, float mean,
                          float rstd, const float *gamma, int64_t C)
{
    float plain[AN_LANES] = {0}, product[AN_LANES] = {0};
    int64_t whole = C - C % AN_LANES;
    for (int64_t c = 0; c < whole; c += AN_LANES) {
        for (int i = 0; i < AN_LANES; i++) {
            float g = gamma ? gamma[c + i] * dy[c + i] : dy[c + i];
            plain[i] += g;
            product[i] += g * ((x[c + i] - mean) * rstd);
        }
    }
    for (int64_t c = whole; c < C; c++) {
        float g = gamma ? gamma[c] * dy[c] : dy[c];
        plain[c - whole] += g;
        product[c - whole] += g * ((x[c] - mean) * rstd);
    }
    float shift = an_ordered_fold(plain) / (float)C, slope = an_ordered_fold(product) / (float)C;
#pragma GCC ivdep
    for (int64_t c = 0; c < C; c++) {
        float g = gamma ? gamma[c] * dy[c] : dy[c];
        float d = rstd * (g - shift - (x[c] - mean) * rstd * slope);
        dx[c] = beta == 0 ? d : dx[c] + d;
    }
}

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

/* A row's part of the sums first: dx may take the place of dy. */
AN_SIMD static void back_rows(double *sums, const void *context, int64_t lo, int64_t hi)
{
    const layer_job *j = context;
    int64_t C = j->C;
    for (int64_t r = lo; r < hi; r++) {
        const float *dy = j->dy + r * C, *x = j->x + r * C;
        if (sums)
            add_row(sums, dy, x, j->mean[r], j->rstd[r], C);
        if (j->dx)
            row_dx(j->dx + r * C, j->beta, dy, x, j->mean[r], j->rstd[r], j->gamma, C);
    }
}

static void back_alone(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    (void)chunk;
    back_rows(NULL, context, lo, hi);
}

an_code an_k_layer_norm_backward(float *dx, float beta, float *dgamma, float *dbeta,
                                 const float *dy, const float *x, const float *mean,
                                 const float *rstd, const float *gamma, int64_t N, int64_t C)
{
    layer_job job = {dx, beta, dy, x, mean, rstd, gamma, C};
    if (!dgamma && !dbeta) {
        an_par_for(dx ? N : 0, grain(C), back_alone, &job);
        return AN_OK;
    }
    double *sums = an_scratch_take(sizeof(double) * (size_t)(2 * C));
    if (!sums)
        return AN_ENOMEM;
    an_code code = an_k_row_sums(sums, 2 * C, back_rows, &job, N, C);
    for (int64_t c = 0; c < C && code == AN_OK && dbeta; c++)
        dbeta[c] += (float)sums[c];
    for (int64_t c = 0; c < C && code == AN_OK && dgamma; c++)
        dgamma[c] += (float)sums[C + c];
    an_scratch_give(sums);
    return code;
}
