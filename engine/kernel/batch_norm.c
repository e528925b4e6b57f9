/* batch_norm: the batch half of norm.h. Forward reads x twice (moments, then values);
 * backward reads dy and x twice (sums, then gradients), and y once if it must.
 *
 * Few features make short rows, and short loops cost more than their work. So rows are seen
 * `fold` at a time, as one row of fold·C columns whose coefficients repeat; the columns'
 * sums are added up at the end. */
#include "base/par.h"
#include "base/scratch.h"
#include "base/simd.h"
#include "kernel/norm.h"
#include "kernel/rowsum.h"

enum {
    WIDE = 128,            /* columns from which rows are long enough  */
    CHUNK_FLOATS = 16384,
    TILE = 256,            /* columns whose sums stay close            */
    AT_ONCE = 8            /* rows that are summed in float            */
};

#define INLINE static inline __attribute__((always_inline))

static int64_t fold_of(int64_t N, int64_t C)
{
    int64_t fold = 1;
    while (C * fold < WIDE && N % (2 * fold) == 0)
        fold *= 2;
    return fold;
}

static const float *repeat(float *to, const float *from, int64_t C, int64_t fold)
{
    for (int64_t k = 0; k < fold; k++)
        for (int64_t c = 0; c < C; c++)
            to[k * C + c] = from[c];
    return to;
}

/* sums (n, fold·C) → its first C of each row of n, where the folds are added. */
static void unfold(double *sums, int64_t n, int64_t C, int64_t fold)
{
    for (int64_t i = 0; i < n; i++) {
        double *row = sums + i * C * fold;
        for (int64_t k = 1; k < fold; k++)
            for (int64_t c = 0; c < C; c++)
                row[c] += row[k * C + c];
    }
}

static int64_t chunk_rows(int64_t W)
{
    return W < CHUNK_FLOATS ? CHUNK_FLOATS / W : 1;
}

/* ── moments ──────────────────────────────────────────────────────────────────────── */

typedef struct {
    const float *x;
    int64_t W;
} moments_job;

/* sums (2W): Σx, Σx². Doubles hold the squares of floats exactly, so that the difference
 * below loses nothing that matters. Rows one after the other: memory is read in one stream. */
AN_SIMD static void add_moments(double *restrict sums, const void *context, int64_t lo, int64_t hi)
{
    const moments_job *job = context;
    int64_t W = job->W;
    double *restrict squares = sums + W;
    for (int64_t r = lo; r < hi; r++) {
        const float *restrict x = job->x + r * W;
        for (int64_t c = 0; c < W; c++) {
            double v = (double)x[c];
            sums[c] += v;
            squares[c] += v * v;
        }
    }
}

an_code an_k_batch_moments(double *mean, double *var, const float *x, int64_t N, int64_t C)
{
    int64_t fold = fold_of(N, C), W = fold * C;
    double *sums = an_scratch_take(sizeof(double) * (size_t)(2 * W));
    if (!sums)
        return AN_ENOMEM;
    an_code code = an_k_row_sums(sums, 2 * W, add_moments, &(moments_job){x, W}, N / fold, W);
    unfold(sums, 2, C, fold);
    for (int64_t c = 0; c < C && code == AN_OK; c++) {
        mean[c] = sums[c] / (double)N;
        double v = sums[W + c] / (double)N - mean[c] * mean[c];
        var[c] = v > 0 ? v : 0;
    }
    an_scratch_give(sums);
    return code;
}

/* ── forward ──────────────────────────────────────────────────────────────────────── */

typedef struct {
    const float *x, *mean, *rstd, *gamma, *beta;
    int64_t W;
} affine;

/* γ·x̂ + β, in this order of operations wherever the mask of a ReLU depends on it. */
INLINE float value(const affine *a, const float *x, int64_t c)
{
    return a->gamma[c] * ((x[c] - a->mean[c]) * a->rstd[c]) + a->beta[c];
}

INLINE void rows_forward(float *restrict y, const affine *given, const float *restrict residual,
                         int64_t rows, bool relu)
{
    const affine a = *given;
    const float *restrict x = a.x;
    for (int64_t r = 0; r < rows; r++, y += a.W, x += a.W) {
        for (int64_t c = 0; c < a.W; c++) {
            float v = value(&a, x, c) + (residual ? residual[r * a.W + c] : 0);
            y[c] = relu && v < 0 ? 0 : v; /* NaN stays */
        }
    }
}

AN_SIMD static void normalise(float *y, const affine *a, const float *residual, int64_t rows,
                              bool relu)
{
    if (residual && relu)
        rows_forward(y, a, residual, rows, true);
    else if (residual)
        rows_forward(y, a, residual, rows, false);
    else if (relu)
        rows_forward(y, a, NULL, rows, true);
    else
        rows_forward(y, a, NULL, rows, false);
}

/* The coefficients, each repeated to W = fold·C columns of `room` (4, W). */
static affine widened(float *room, const float *x, const float *mean, const float *rstd,
                      const float *gamma, const float *beta, int64_t C, int64_t fold)
{
    int64_t W = fold * C;
    return (affine){x, repeat(room, mean, C, fold), repeat(room + W, rstd, C, fold),
                    repeat(room + 2 * W, gamma, C, fold), repeat(room + 3 * W, beta, C, fold), W};
}

an_code an_k_batch_norm_forward(float *y, const float *x, const float *residual,
                                const float *mean, const float *rstd, const float *gamma,
                                const float *beta, bool relu, int64_t N, int64_t C)
{
    int64_t fold = fold_of(N, C), W = fold * C, rows = N / fold, grain = chunk_rows(W);
    float *room = an_scratch_take(sizeof(float) * (size_t)(4 * W));
    if (!room)
        return AN_ENOMEM;
    const affine all = widened(room, x, mean, rstd, gamma, beta, C, fold);
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t lo = 0; lo < rows; lo += grain) {
        affine a = all;
        a.x += lo * W;
        normalise(y + lo * W, &a, residual ? residual + lo * W : NULL,
                  lo + grain < rows ? grain : rows - lo, relu);
    }
    an_scratch_give(room);
    return AN_OK;
}

/* The coefficients from a column on. */
INLINE affine columns(const affine *a, int64_t c)
{
    return (affine){a->x, a->mean + c, a->rstd + c, a->gamma + c, a->beta + c, a->W};
}

/* ── backward ─────────────────────────────────────────────────────────────────────── */

/* How g follows from dy: as it is, masked where y is not positive, or where what the forward
 * pass made of x is not. */
typedef enum { ALL, BY_Y, BY_X } mask;

typedef struct {
    affine a;
    mask how;
    const float *dy, *y;       /* y stands for dy where it is not looked at      */
    float *g;                  /* (N,C) receives g in the first pass; NULL: none */
    float *dx, *dresidual;
    float beta_x, beta_residual;
    const float *scale, *shift, *slope;
} backward_job;

INLINE float masked(mask how, const affine *a, const float *dy, const float *y, const float *x,
                    int64_t c)
{
    bool active = how == ALL || (how == BY_Y ? y[c] : value(a, x, c)) > 0;
    return active ? dy[c] : 0;
}

/* Adds `rows` rows of at most TILE columns from `c` on, few enough to be summed in float, to
 * sums (2W): Σg, Σg·x̂. */
INLINE void add_tile(double *restrict sums, const backward_job *job, mask how, int64_t lo,
                     int64_t rows, int64_t from, int64_t width)
{
    const affine a = columns(&job->a, from);
    double *restrict plain = sums + from, *restrict hat = sums + a.W + from;
    float sum[TILE] = {0}, product[TILE] = {0};
    for (int64_t r = lo; r < lo + rows; r++) {
        int64_t at = r * a.W + from;
        const float *dy = job->dy + at, *y = job->y + at, *x = job->a.x + at;
        float *g = job->g ? job->g + at : NULL;
#pragma GCC ivdep
        for (int64_t c = 0; c < width; c++) {
            float v = masked(how, &a, dy, y, x, c);
            if (g)
                g[c] = v;
            sum[c] += v;
            product[c] += v * ((x[c] - a.mean[c]) * a.rstd[c]);
        }
    }
    for (int64_t c = 0; c < width; c++) {
        plain[c] += (double)sum[c];
        hat[c] += (double)product[c];
    }
}

INLINE void add_rows(double *sums, const backward_job *job, mask how, int64_t lo, int64_t rows)
{
    int64_t W = job->a.W;
    for (int64_t c = 0; c < W; c += TILE)
        add_tile(sums, job, how, lo, rows, c, W - c < TILE ? W - c : TILE);
}

INLINE void add_all(double *sums, const backward_job *job, mask how, int64_t lo, int64_t hi)
{
    for (; lo < hi; lo += AT_ONCE)
        add_rows(sums, job, how, lo, lo + AT_ONCE < hi ? AT_ONCE : hi - lo);
}

AN_SIMD static void add_gradients(double *sums, const void *context, int64_t lo, int64_t hi)
{
    const backward_job *job = context;
    if (job->how == BY_X)
        add_all(sums, job, BY_X, lo, hi);
    else if (job->how == BY_Y)
        add_all(sums, job, BY_Y, lo, hi);
    else
        add_all(sums, job, ALL, lo, hi);
}

/* dresidual = g + …;  dx = scale·g − shift − slope·(x − mean) + …, the formula of the header
 * with what is constant in a feature gathered into scale, shift and slope. */
INLINE void write_rows(const backward_job *job, mask how, int64_t lo, int64_t hi)
{
    const affine a = job->a;
    for (int64_t r = lo; r < hi; r++) {
        const float *dy = job->dy + r * a.W, *y = job->y + r * a.W, *x = a.x + r * a.W;
        bool add_x = job->beta_x != 0, add_residual = job->beta_residual != 0;
        if (job->dresidual) {
            float *dresidual = job->dresidual + r * a.W;
#pragma GCC ivdep
            for (int64_t c = 0; c < a.W; c++)
                dresidual[c] = masked(how, &a, dy, y, x, c) + (add_residual ? dresidual[c] : 0);
        }
        if (job->dx) {
            float *dx = job->dx + r * a.W;
#pragma GCC ivdep
            for (int64_t c = 0; c < a.W; c++)
                dx[c] = job->scale[c] * masked(how, &a, dy, y, x, c) - job->shift[c]
                      - job->slope[c] * (x[c] - a.mean[c]) + (add_x ? dx[c] : 0);
        }
    }
}

AN_SIMD static void write_gradients(const backward_job *job, int64_t lo, int64_t hi)
{
    if (job->how == BY_X)
        write_rows(job, BY_X, lo, hi);
    else if (job->how == BY_Y)
        write_rows(job, BY_Y, lo, hi);
    else
        write_rows(job, ALL, lo, hi);
}

/* scale, shift, slope (fold·C each); the last two are zero where the moments are constants. */
static void coefficients(float *scale, const double *sums, const an_batch_norm_past *was,
                         int64_t N, int64_t C, int64_t fold)
{
    int64_t W = fold * C;
    for (int64_t c = 0; c < W; c++) {
        double rstd = (double)was->rstd[c % C], a = (double)was->gamma[c % C] * rstd;
        scale[c] = (float)a;
        scale[W + c] = was->train ? (float)(a * sums[c % C] / (double)N) : 0;
        scale[2 * W + c] = was->train ? (float)(a * rstd * sums[W + c % C] / (double)N) : 0;
    }
}

static void second_pass(const backward_job *job, int64_t rows)
{
    int64_t grain = chunk_rows(job->a.W);
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t lo = 0; lo < rows; lo += grain)
        write_gradients(job, lo, lo + grain < rows ? lo + grain : rows);
}

an_code an_k_batch_norm_backward(an_batch_norm_grads d, const float *dy, const float *x,
                                 const an_batch_norm_past *was, int64_t N, int64_t C)
{
    int64_t fold = fold_of(N, C), W = fold * C;
    double *sums = an_scratch_take((2 * sizeof(double) + 7 * sizeof(float)) * (size_t)W);
    if (!sums)
        return AN_ENOMEM;
    float *scale = (float *)(sums + 2 * W);
    backward_job job = {
        .a = widened(scale + 3 * W, x, was->mean, was->rstd, was->gamma, was->beta, C, fold),
        .how = !was->relu ? ALL : was->y ? BY_Y : BY_X, .dy = dy, .y = was->y ? was->y : dy,
        .g = was->relu && d.dresidual == dy ? d.dresidual : NULL, .dx = d.dx,
        .dresidual = d.dresidual == dy ? NULL : d.dresidual, .beta_x = d.beta_x,
        .beta_residual = d.beta_residual, .scale = scale, .shift = scale + W, .slope = scale + 2 * W};
    an_code code = an_k_row_sums(sums, 2 * W, add_gradients, &job, N / fold, W);
    if (code == AN_OK) {
        unfold(sums, 2, C, fold);
        for (int64_t c = 0; c < C && d.dbeta; c++)
            d.dbeta[c] += (float)sums[c];
        for (int64_t c = 0; c < C && d.dgamma; c++)
            d.dgamma[c] += (float)sums[W + c];
        coefficients(scale, sums, was, N, C, fold);
        if (job.g)
            job.how = ALL; /* the mask is in g, which is in the place of dy */
        if (job.dx || job.dresidual)
            second_pass(&job, N / fold);
    }
    an_scratch_give(sums);
    return code;
}
