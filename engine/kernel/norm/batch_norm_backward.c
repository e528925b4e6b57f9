/* batch_norm_backward: the backward pass of the batch half of norm.h. It reads dy and x twice, for
 * sums and for gradients, and y once if it must.
 *
 * It is bound by memory: rows are walked in the order they lie in, and each load asks for its
 * place a page ahead, where the hardware does not look by itself. The sums of a tile of
 * columns stay in registers. */
#include <stdbool.h>
#include <string.h>

#include "base/par.h"
#include "base/memory/scratch.h"
#include "base/simd.h"
#include "kernel/norm/batch_norm.h"
#include "kernel/common/ordered_sum.h"
#include "kernel/norm/norm.h"
#include "kernel/common/row_sums.h"

enum {
    GROUPS = 8,   /* of sixteen columns in a tile: its sums fill half of the registers */
    AT_ONCE = 16, /* rows that are summed in float                                     */
    AHEAD = 1024  /* floats                                                            */
};

#define INLINE static inline __attribute__((always_inline))

typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t signs __attribute__((vector_size(64)));

/* v ← n ≤ 16 floats, the rest 0; and back. A function that returns lanes would have an ABI. */
INLINE void get(lanes *v, const float *x, int64_t n)
{
    float some[AN_LANES] = {0};
    if (n == AN_LANES) {
        *v = *(const lanes *)x;
        return;
    }
    memcpy(some, x, sizeof *x * (size_t)n);
    *v = *(const lanes *)some;
}

INLINE void put(float *x, const lanes *v, int64_t n)
{
    if (n == AN_LANES)
        *(lanes *)x = *v;
    else
        memcpy(x, v, sizeof *x * (size_t)n);
}

/* How g follows from dy: as it is, masked where y is not positive, or where what the forward
 * pass made of x is not. */
typedef enum { ALL, BY_Y, BY_X } mask;

typedef struct {
    an_bn a;
    mask how;
    const float *dy, *y; /* y stands for dy where it is not looked at      */
    float *g;            /* (N,C) receives g in the first pass; NULL: none */
    float *dx, *dresidual;
    float beta_x, beta_residual;
    const float *scale, *shift, *slope;
} backward_job;

/* What n columns from c on of row r hold: g and x, and how far x is from the mean. */
typedef struct {
    lanes g, from_mean;
} values;

INLINE void values_at(values *v, const backward_job *job, mask how, int64_t r, int64_t c, int64_t n)
{
    const an_bn *a = &job->a;
    const lanes zero = {0};
    int64_t at = r * a->W + c;
    lanes mean, k, by;
    __builtin_prefetch(a->x + at + AHEAD);
    __builtin_prefetch(job->dy + at + AHEAD);
    get(&mean, a->mean + c, n);
    get(&v->from_mean, a->x + at, n);
    get(&v->g, job->dy + at, n);
    v->from_mean -= mean;
    if (how == BY_Y) {
        __builtin_prefetch(job->y + at + AHEAD);
        get(&by, job->y + at, n);
    }
    if (how == BY_X) { /* in the forward pass's order of operations, to get its signs */
        get(&k, a->rstd + c, n);
        by = v->from_mean * k;
        get(&k, a->gamma + c, n);
        by *= k;
        get(&k, a->beta + c, n);
        by += k;
    }
    if (how != ALL)
        v->g = (lanes)((signs)v->g & (by > zero));
}

/* Adds `rows` rows, few enough to be summed in float, to sums (2W): Σg, Σg·x̂. The tile is of
 * `groups` times n columns from c on. */
INLINE void sum_tile(double *sums, const backward_job *job, mask how, int64_t lo, int64_t rows,
                     int64_t c, const int groups, int64_t n)
{
    int64_t W = job->a.W;
    lanes sum[GROUPS] = {{0}}, product[GROUPS] = {{0}};
    for (int64_t r = lo; r < lo + rows; r++)
#pragma GCC unroll 8
        for (int i = 0; i < groups; i++) {
            int64_t column = c + i * AN_LANES;
            lanes rstd;
            values v;
            values_at(&v, job, how, r, column, n);
            get(&rstd, job->a.rstd + column, n);
            if (job->g)
                put(job->g + r * W + column, &v.g, n);
            sum[i] += v.g;
            product[i] += v.g * (v.from_mean * rstd);
        }
    for (int i = 0; i < groups; i++)
        for (int64_t l = 0, column = c + i * AN_LANES; l < n; l++) {
            sums[column + l] += (double)sum[i][l];
            sums[W + column + l] += (double)product[i][l];
        }
}

INLINE void sum_rows(double *sums, const backward_job *job, mask how, int64_t lo, int64_t hi)
{
    int64_t W = job->a.W;
    for (; lo < hi; lo += AT_ONCE) {
        int64_t rows = hi - lo < AT_ONCE ? hi - lo : AT_ONCE, c = 0;
        for (; c + GROUPS * AN_LANES <= W; c += GROUPS * AN_LANES)
            sum_tile(sums, job, how, lo, rows, c, GROUPS, AN_LANES);
        for (; c + AN_LANES <= W; c += AN_LANES)
            sum_tile(sums, job, how, lo, rows, c, 1, AN_LANES);
        if (c < W)
            sum_tile(sums, job, how, lo, rows, c, 1, W - c);
    }
}

AN_SIMD static void add_gradients(double *sums, const void *context, int64_t lo, int64_t hi)
{
    const backward_job *job = context;
    if (job->how == BY_X)
        sum_rows(sums, job, BY_X, lo, hi);
    else if (job->how == BY_Y)
        sum_rows(sums, job, BY_Y, lo, hi);
    else
        sum_rows(sums, job, ALL, lo, hi);
}

/* to ← v, or += */
INLINE void give(float *to, lanes *v, bool add, int64_t n)
{
    lanes was;
    if (add) {
        get(&was, to, n);
        *v += was;
    }
    put(to, v, n);
}

/* dresidual = g + …;  dx = scale·g − shift − slope·(x − mean) + …, the formula of the header
 * with what is constant in a feature gathered into scale, shift and slope. */
INLINE void write_at(const backward_job *job, mask how, int64_t r, int64_t c, int64_t n)
{
    int64_t at = r * job->a.W + c;
    lanes dx, k;
    values v;
    values_at(&v, job, how, r, c, n);
    get(&k, job->scale + c, n);
    dx = k * v.g;
    get(&k, job->shift + c, n);
    dx -= k;
    get(&k, job->slope + c, n);
    dx -= k * v.from_mean;
    if (job->dresidual)
        give(job->dresidual + at, &v.g, job->beta_residual != 0, n);
    if (job->dx)
        give(job->dx + at, &dx, job->beta_x != 0, n);
}

INLINE void write_rows(const backward_job *job, mask how, int64_t lo, int64_t hi)
{
    int64_t W = job->a.W;
    for (; lo < hi; lo++) {
        int64_t c = 0;
        for (; c + AN_LANES <= W; c += AN_LANES)
            write_at(job, how, lo, c, AN_LANES);
        if (c < W)
            write_at(job, how, lo, c, W - c);
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
static void coefficients(float *scale, const double *sums, const an_batch_norm_past *was, int64_t N,
                         int64_t C, int64_t fold)
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
    int64_t grain = an_bn_grain(job->a.W);
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t lo = 0; lo < rows; lo += grain)
        write_gradients(job, lo, lo + grain < rows ? lo + grain : rows);
}

an_code an_k_batch_norm_backward(an_batch_norm_grads d, const float *dy, const float *x,
                                 const an_batch_norm_past *was, int64_t N, int64_t C)
{
    int64_t fold = an_bn_fold(N, C), W = fold * C;
    double *sums = an_scratch_take((2 * sizeof(double) + 7 * sizeof(float)) * (size_t)W);
    if (!sums)
        return AN_ENOMEM;
    float *scale = (float *)(sums + 2 * W);
    backward_job job = {
        .a = an_bn_widened(scale + 3 * W, x, was->mean, was->rstd, was->gamma, was->beta, C, fold),
        .how = !was->relu ? ALL
               : was->y   ? BY_Y
                          : BY_X,
        .dy = dy,
        .y = was->y ? was->y : dy,
        .g = was->relu && d.dresidual == dy ? d.dresidual : NULL,
        .dx = d.dx,
        .dresidual = d.dresidual == dy ? NULL : d.dresidual,
        .beta_x = d.beta_x,
        .beta_residual = d.beta_residual,
        .scale = scale,
        .shift = scale + W,
        .slope = scale + 2 * W};
    an_code code = an_k_row_sums(sums, 2 * W, add_gradients, &job, N / fold, W);
    if (code == AN_OK) {
        an_bn_unfold(sums, 2, C, fold);
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
