/* layer_norm: the layer half of norm.h. Rows are independent in everything but dgamma
 * and dbeta, which are sums over rows. */
#include <math.h>
#include <stddef.h>

#include "base/par.h"
#include "base/scratch.h"
#include "base/simd.h"
#include "kernel/norm.h"
#include "kernel/rowsum.h"

enum { LANES = 16 }; /* independent partial sums, so that a sum along a row vectorises */

static double fold(const double *lane)
{
    double sum = 0;
    for (int i = 0; i < LANES; i++)
        sum += lane[i];
    return sum;
}

/* The mean and the biased variance of x (C), in two passes. */
AN_SIMD static void row_moments(double *mean, double *var, const float *restrict x, int64_t C)
{
    double sum[LANES] = {0}, square[LANES] = {0};
    int64_t whole = C - C % LANES;
    for (int64_t c = 0; c < whole; c += LANES)
        for (int i = 0; i < LANES; i++)
            sum[i] += (double)x[c + i];
    for (int64_t c = whole; c < C; c++)
        sum[c - whole] += (double)x[c];
    double centre = fold(sum) / (double)C;
    for (int64_t c = 0; c < whole; c += LANES)
        for (int i = 0; i < LANES; i++)
            square[i] += ((double)x[c + i] - centre) * ((double)x[c + i] - centre);
    for (int64_t c = whole; c < C; c++)
        square[c - whole] += ((double)x[c] - centre) * ((double)x[c] - centre);
    *mean = centre;
    *var = fold(square) / (double)C;
}

void an_k_layer_norm_forward(float *y, float *mean, float *rstd, const float *x,
                             const float *gamma, const float *beta, double eps,
                             int64_t N, int64_t C)
{
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t r = 0; r < N; r++) {
        double m, v;
        row_moments(&m, &v, x + r * C, C);
        mean[r] = (float)m;
        rstd[r] = (float)(1 / sqrt(v + eps));
        for (int64_t c = 0; c < C; c++) {
            float hat = (x[r * C + c] - mean[r]) * rstd[r];
            y[r * C + c] = (gamma ? gamma[c] : 1) * hat + (beta ? beta[c] : 0);
        }
    }
}

/* ── backward ─────────────────────────────────────────────────────────────────────── */

/* With g = gamma·dy: dx += rstd·(g − mean(g) − x̂·mean(g·x̂)), one row of C features. */
AN_SIMD static void row_dx(float *restrict dx, const float *restrict dy, const float *restrict x,
                           float mean, float rstd, const float *restrict gamma, int64_t C)
{
    double plain[LANES] = {0}, product[LANES] = {0};
    int64_t whole = C - C % LANES;
    for (int64_t c = 0; c < whole; c += LANES) {
        for (int i = 0; i < LANES; i++) {
            float g = gamma ? gamma[c + i] * dy[c + i] : dy[c + i];
            plain[i] += (double)g;
            product[i] += (double)(g * ((x[c + i] - mean) * rstd));
        }
    }
    for (int64_t c = whole; c < C; c++) {
        float g = gamma ? gamma[c] * dy[c] : dy[c];
        plain[c - whole] += (double)g;
        product[c - whole] += (double)(g * ((x[c] - mean) * rstd));
    }
    float shift = (float)(fold(plain) / (double)C), slope = (float)(fold(product) / (double)C);
    for (int64_t c = 0; c < C; c++) {
        float g = gamma ? gamma[c] * dy[c] : dy[c];
        dx[c] += rstd * (g - shift - (x[c] - mean) * rstd * slope);
    }
}

typedef struct {
    const float *dy, *x, *mean, *rstd;
    int64_t C;
} layer_job;

/* sums (2C): Σdy, Σdy·x̂ */
AN_SIMD static void add_rows(double *restrict sums, const void *context, int64_t lo, int64_t hi)
{
    const layer_job *job = context;
    int64_t C = job->C;
    double *restrict products = sums + C;
    for (int64_t r = lo; r < hi; r++) {
        const float *restrict dy = job->dy + r * C, *restrict x = job->x + r * C;
        float mean = job->mean[r], rstd = job->rstd[r];
        for (int64_t c = 0; c < C; c++) {
            sums[c] += (double)dy[c];
            products[c] += (double)(dy[c] * ((x[c] - mean) * rstd));
        }
    }
}

static an_code add_parameters(float *dgamma, float *dbeta, const layer_job *job, int64_t N)
{
    int64_t C = job->C;
    double *sums = an_scratch_take(sizeof(double) * (size_t)(2 * C));
    if (!sums)
        return AN_ENOMEM;
    an_code code = an_k_row_sums(sums, 2 * C, add_rows, job, N, C);
    for (int64_t c = 0; c < C && code == AN_OK && dbeta; c++)
        dbeta[c] += (float)sums[c];
    for (int64_t c = 0; c < C && code == AN_OK && dgamma; c++)
        dgamma[c] += (float)sums[C + c];
    an_scratch_give(sums);
    return code;
}

an_code an_k_layer_norm_backward(float *dx, float *dgamma, float *dbeta, const float *dy,
                                 const float *x, const float *mean, const float *rstd,
                                 const float *gamma, int64_t N, int64_t C)
{
    if (dx) {
#pragma omp parallel for schedule(static) num_threads(an_threads())
        for (int64_t r = 0; r < N; r++)
            row_dx(dx + r * C, dy + r * C, x + r * C, mean[r], rstd[r], gamma, C);
    }
    if (!dgamma && !dbeta)
        return AN_OK;
    return add_parameters(dgamma, dbeta, &(layer_job){dy, x, mean, rstd, C}, N);
}
