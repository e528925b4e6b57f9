/* batch_norm: the batch half of norm.h. Forward reads x twice (moments, then values);
 * backward reads dy, y and x twice (sums, then gradients). All loops run along the
 * contiguous features. */
#include "base/par.h"
#include "base/scratch.h"
#include "base/simd.h"
#include "kernel/norm.h"
#include "kernel/rowsum.h"

enum { ROWS = 256 }; /* per chunk of the elementwise passes */

/* ── moments ──────────────────────────────────────────────────────────────────────── */

typedef struct {
    const float *x;
    int64_t C;
} moments_job;

/* sums (2C): Σx, Σx². Doubles hold the squares of floats exactly, so that the difference
 * below loses nothing that matters. */
AN_SIMD static void add_moments(double *restrict sums, const void *context, int64_t lo,
                                int64_t hi)
{
    const moments_job *job = context;
    int64_t C = job->C;
    double *restrict squares = sums + C;
    for (int64_t r = lo; r < hi; r++) {
        const float *restrict x = job->x + r * C;
        for (int64_t c = 0; c < C; c++) {
            double v = (double)x[c];
            sums[c] += v;
            squares[c] += v * v;
        }
    }
}

an_code an_k_batch_moments(double *mean, double *var, const float *x, int64_t N, int64_t C)
{
    double *sums = an_scratch_take(sizeof(double) * (size_t)(2 * C));
    if (!sums)
        return AN_ENOMEM;
    an_code code = an_k_row_sums(sums, 2 * C, add_moments, &(moments_job){x, C}, N, C);
    for (int64_t c = 0; c < C && code == AN_OK; c++) {
        mean[c] = sums[c] / (double)N;
        double v = sums[C + c] / (double)N - mean[c] * mean[c];
        var[c] = v > 0 ? v : 0;
    }
    an_scratch_give(sums);
    return code;
}

/* ── forward ──────────────────────────────────────────────────────────────────────── */

AN_SIMD static void normalise(float *restrict y, const float *restrict x,
                              const float *restrict mean, const float *restrict rstd,
                              const float *restrict gamma, const float *restrict beta,
                              int64_t rows, int64_t C)
{
    for (int64_t r = 0; r < rows; r++, y += C, x += C)
        for (int64_t c = 0; c < C; c++)
            y[c] = gamma[c] * ((x[c] - mean[c]) * rstd[c]) + beta[c];
}

AN_SIMD static void add(float *restrict to, const float *restrict from, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] += from[i];
}

AN_SIMD static void rectify(float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = y[i] < 0 ? 0 : y[i]; /* NaN stays */
}

void an_k_batch_norm_forward(float *y, const float *x, const float *residual, const float *mean,
                             const float *rstd, const float *gamma, const float *beta,
                             bool relu, int64_t N, int64_t C)
{
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t lo = 0; lo < N; lo += ROWS) {
        int64_t rows = lo + ROWS < N ? ROWS : N - lo, n = rows * C;
        normalise(y + lo * C, x + lo * C, mean, rstd, gamma, beta, rows, C);
        if (residual)
            add(y + lo * C, residual + lo * C, n);
        if (relu)
            rectify(y + lo * C, n);
    }
}

/* ── backward ─────────────────────────────────────────────────────────────────────── */

typedef struct {
    const float *dy, *x;
    const float *y;            /* NULL without ReLU: then every unit was active */
    const float *mean, *rstd;
    int64_t C;
} backward_job;

/* sums (2C): Σg, Σg·x̂ */
AN_SIMD static void add_gradients(double *restrict sums, const void *context, int64_t lo,
                                  int64_t hi)
{
    const backward_job *job = context;
    int64_t C = job->C;
    const float *restrict mean = job->mean, *restrict rstd = job->rstd;
    double *restrict products = sums + C;
    for (int64_t r = lo; r < hi; r++) {
        const float *restrict dy = job->dy + r * C, *restrict x = job->x + r * C;
        const float *restrict y = job->y ? job->y + r * C : dy;
        bool all = !job->y;
        for (int64_t c = 0; c < C; c++) {
            float g = all || y[c] > 0 ? dy[c] : 0;
            sums[c] += (double)g;
            products[c] += (double)(g * ((x[c] - mean[c]) * rstd[c]));
        }
    }
}

/* dx (rows,C) += scale·g − shift − slope·(x − mean), the formula of the header with what is
 * constant in a feature gathered into scale, shift and slope (C each). */
AN_SIMD static void add_dx(float *restrict dx, const backward_job *job, int64_t lo, int64_t hi,
                           const float *restrict scale)
{
    int64_t C = job->C;
    const float *restrict mean = job->mean, *restrict shift = scale + C,
                *restrict slope = scale + 2 * C;
    bool all = !job->y;
    for (int64_t r = lo; r < hi; r++) {
        const float *restrict dy = job->dy + r * C, *restrict x = job->x + r * C;
        const float *restrict y = all ? dy : job->y + r * C;
        float *restrict to = dx + r * C;
        for (int64_t c = 0; c < C; c++) {
            float g = all || y[c] > 0 ? dy[c] : 0;
            to[c] += scale[c] * g - shift[c] - slope[c] * (x[c] - mean[c]);
        }
    }
}

AN_SIMD static void add_dresidual(float *restrict dresidual, const backward_job *job, int64_t lo,
                                  int64_t hi)
{
    const float *restrict dy = job->dy, *restrict y = job->y ? job->y : job->dy;
    bool all = !job->y;
    for (int64_t i = lo * job->C; i < hi * job->C; i++)
        dresidual[i] += all || y[i] > 0 ? dy[i] : 0;
}

/* scale, shift, slope (C each); the last two are zero where the moments are constants. */
static void coefficients(float *scale, const double *sums, const float *rstd, const float *gamma,
                         bool train, int64_t N, int64_t C)
{
    for (int64_t c = 0; c < C; c++) {
        double a = (double)gamma[c] * (double)rstd[c];
        scale[c] = (float)a;
        scale[C + c] = train ? (float)(a * sums[c] / (double)N) : 0;
        scale[2 * C + c] = train ? (float)(a * (double)rstd[c] * sums[C + c] / (double)N) : 0;
    }
}

an_code an_k_batch_norm_backward(an_batch_norm_grads d, const float *dy, const float *y,
                                 const float *x, const float *mean, const float *rstd,
                                 const float *gamma, bool relu, bool train,
                                 int64_t N, int64_t C)
{
    backward_job job = {dy, x, relu ? y : NULL, mean, rstd, C};
    double *sums = an_scratch_take((2 * sizeof(double) + 3 * sizeof(float)) * (size_t)C);
    if (!sums)
        return AN_ENOMEM;
    float *scale = (float *)(sums + 2 * C);
    an_code code = an_k_row_sums(sums, 2 * C, add_gradients, &job, N, C);
    if (code == AN_OK) {
        for (int64_t c = 0; c < C && d.dbeta; c++)
            d.dbeta[c] += (float)sums[c];
        for (int64_t c = 0; c < C && d.dgamma; c++)
            d.dgamma[c] += (float)sums[C + c];
        coefficients(scale, sums, rstd, gamma, train, N, C);
#pragma omp parallel for schedule(static) num_threads(an_threads())
        for (int64_t lo = 0; lo < N; lo += ROWS) {
            int64_t hi = lo + ROWS < N ? lo + ROWS : N;
            if (d.dx)
                add_dx(d.dx, &job, lo, hi, scale);
            if (d.dresidual)
                add_dresidual(d.dresidual, &job, lo, hi);
        }
    }
    an_scratch_give(sums);
    return code;
}
