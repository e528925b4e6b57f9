/* conv_few: see conv_few.h. Each function makes or uses the whole column matrix. */
#include "kernel/conv_few.h"

#include "base/mem.h"
#include "base/par.h"
#include "kernel/columns.h"
#include "kernel/gemm.h"
#include "kernel/rowsum.h"

enum {
    FEW_ROWS = 1024,           /* output positions, at most       */
    MANY_WEIGHTS = 64 * 1024,  /* numbers, at least               */
    CUT = 64,                  /* channels, or columns, per chunk */
    GATHER_ROWS = 8
};

static int64_t rows_of(const an_conv_shape *s)
{
    return s->B * s->Ho * s->Wo;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

bool an_k_conv_few_fits(const an_conv_shape *s)
{
    return rows_of(s) <= FEW_ROWS && s->O * an_k_patch(s) >= MANY_WEIGHTS
        && !an_k_is_pointwise(s);
}

static float *all_columns(const an_conv_shape *s)
{
    return an_alloc(sizeof(float) * (size_t)(rows_of(s) * an_k_patch(s)));
}

static float *gathered(const float *x, const an_conv_shape *s)
{
    int64_t rows = rows_of(s), patch = an_k_patch(s);
    float *cols = all_columns(s);
    if (!cols)
        return NULL;
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t lo = 0; lo < rows; lo += GATHER_ROWS)
        an_k_gather(cols + lo * patch, x, lo, smaller(lo + GATHER_ROWS, rows), s);
    return cols;
}

an_code an_k_conv_few_correlate(float *y, const float *x, const float *P, const float *b,
                                bool accumulate, const an_conv_shape *s)
{
    int64_t rows = rows_of(s), patch = an_k_patch(s), O = s->O;
    float *cols = gathered(x, s);
    if (!cols)
        return AN_ENOMEM;
    if (b)
        an_k_bias_forward(y, b, rows, O);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t o = 0; o < O; o += CUT)
        an_k_gemm(false, false, rows, smaller(CUT, O - o), patch, 1, cols, patch, P + o, O,
                  b || accumulate ? 1 : 0, y + o, O);
    an_free(cols);
    return AN_OK;
}

an_code an_k_conv_few_scatter(float *dx, const float *dy, const float *P, const an_conv_shape *s)
{
    int64_t rows = rows_of(s), patch = an_k_patch(s), area = s->Ho * s->Wo, O = s->O;
    float *dcols = all_columns(s);
    if (!dcols)
        return AN_ENOMEM;
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t p = 0; p < patch; p += CUT)
        an_k_gemm(false, true, rows, smaller(CUT, patch - p), O, 1, dy, O, P + p * O, O, 0,
                  dcols + p, patch);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t b = 0; b < s->B; b++)
        an_k_scatter(dx, dcols + b * area * patch, b * area, (b + 1) * area, s);
    an_free(dcols);
    return AN_OK;
}

an_code an_k_conv_few_weight(float *dP, const float *dy, const float *x, const an_conv_shape *s)
{
    int64_t rows = rows_of(s), patch = an_k_patch(s), O = s->O;
    float *cols = gathered(x, s);
    if (!cols)
        return AN_ENOMEM;
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t o = 0; o < O; o += CUT)
        an_k_gemm(true, false, smaller(CUT, O - o), patch, rows, 1, dy + o, O, cols, patch, 0,
                  dP + o * patch, patch);
    an_free(cols);
    return AN_OK;
}
