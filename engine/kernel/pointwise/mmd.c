/* mmd: see mmd.h. Both sets are transposed once, so that the innermost loop runs over the rows of a
 * tile and vectorises: squared distances, exponentials, gradient. */
#include "kernel/pointwise/mmd.h"

#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/par.h"
#include "base/simd.h"
#include "kernel/common/carve.h"
#include "kernel/common/fast_exp.h"
#include "kernel/common/ordered_sum.h"

enum { TILE = 64 }; /* rows that a row is compared with at a time */

/* What all rows share. at and bt are the transposed sets (K, stride); stride is a multiple of
 * TILE. */
typedef struct {
    const float *at, *bt;
    int64_t B, K, stride;
    int n;
    float rate[AN_MMD_KERNELS]; /* 1/(2·h_i) */
    double same, cross;         /* the weight of a pair within a set, and across */
    bool unbiased;
} problem;

/* e[j] = k(x, y_j), g[j] = −∂k/∂d² for the TILE rows y_j at `yt`. An RBF kernel with twice the rate
 * of the next one is its square. The default bandwidths double, so one exponential is enough for
 * all. */
static inline void kernel_tile(float e[restrict TILE], float g[restrict TILE], const problem *p,
                               const float *x, const float *yt)
{
    float distance[TILE] = {0};
    for (int64_t c = 0; c < p->K; c++)
        for (int j = 0; j < TILE; j++) {
            float d = x[c] - yt[c * p->stride + j];
            distance[j] += d * d;
        }
    memset(e, 0, TILE * sizeof *e);
    memset(g, 0, TILE * sizeof *g);
    float share = 1.0f / (float)p->n, k[TILE];
    for (int i = p->n - 1; i >= 0; i--) {
        if (i + 1 < p->n && p->rate[i] == 2 * p->rate[i + 1])
            for (int j = 0; j < TILE; j++)
                k[j] *= k[j];
        else
            for (int j = 0; j < TILE; j++)
                k[j] = an_expf(-p->rate[i] * distance[j]);
        for (int j = 0; j < TILE; j++) {
            e[j] += share * k[j];
            g[j] += share * p->rate[i] * k[j];
        }
    }
}

/* Adds weight·∂/∂x of Σ_j k(x, y_j) = weight·Σ_j −2·g_j·(x − y_j) to `gradient`. */
static inline void gradient_tile(float *gradient, const float g[TILE], float weight,
                                 const problem *p, const float *x, const float *yt)
{
    for (int64_t c = 0; c < p->K; c++) {
        float term[TILE];
        for (int j = 0; j < TILE; j++)
            term[j] = g[j] * (x[c] - yt[c * p->stride + j]);
        gradient[c] -= 2.0f * weight * an_ordered_sum(term, TILE);
    }
}

/* Σ_j k(x, y_j) over the whole set yt without row `skip` (−1: all rows); weight times its gradient
 * with respect to x is added to `gradient`, unless that is NULL. */
AN_SIMD static double kernel_sum(const problem *p, const float *x, const float *yt, int64_t skip,
                                 float *gradient, double weight)
{
    double total = 0;
    for (int64_t lo = 0; lo < p->B; lo += TILE) {
        float e[TILE], g[TILE];
        kernel_tile(e, g, p, x, yt + lo);
        for (int64_t j = p->B - lo; j < TILE; j++)
            e[j] = g[j] = 0; /* columns past the last row */
        if (skip >= lo && skip < lo + TILE)
            e[skip - lo] = g[skip - lo] = 0;
        total += an_ordered_sum(e, TILE);
        if (gradient)
            gradient_tile(gradient, g, (float)weight, p, x, yt + lo);
    }
    return total;
}

/* The terms of row i of one set, x, against the transposed own and other set. Pairs across the sets
 * are counted `sides` times: 1 if the other set's rows count them too, 2 if not, 0 if only they
 * do. */
static double row_share(const problem *p, int64_t i, const float *x, const float *own,
                        const float *other, float *gradient, int sides)
{
    if (gradient)
        memset(gradient, 0, (size_t)p->K * sizeof *gradient);
    double within = kernel_sum(p, x, own, p->unbiased ? i : -1, gradient, 2 * p->same);
    double across = sides ? kernel_sum(p, x, other, -1, gradient, -2 * p->cross) : 0;
    return p->same * within - p->cross * sides * across;
}

static void transpose(float *xt, const float *x, const problem *p)
{
    for (int64_t i = 0; i < p->B; i++)
        for (int64_t c = 0; c < p->K; c++)
            xt[c * p->stride + i] = x[i * p->K + c];
}

static problem make_problem(int64_t B, int64_t K, const an_mmd_args *args)
{
    problem p = {.B = B, .K = K, .n = args->n, .unbiased = args->unbiased};
    double base = args->base > 0 ? args->base : 2.0 * (double)K;
    for (int i = 0; i < args->n; i++) {
        AN_ASSERT(args->multiplier[i] > 0);
        p.rate[i] = (float)(1 / (2 * base * args->multiplier[i]));
    }
    p.stride = an_round_up(B, TILE);
    p.cross = 1.0 / ((double)B * (double)B);
    p.same = args->unbiased ? 1.0 / ((double)B * (double)(B - 1)) : p.cross;
    return p;
}

/* The arrays that rows write: share (B) and the gradients ga, gb, which may be NULL. */
typedef struct {
    const problem *p;
    const float *a, *b;
    double *share;
    float *ga, *gb;
} shares;

static void share_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const shares *s = context;
    const problem *p = s->p;
    int of_a = s->ga ? (s->gb ? 1 : 2) : 0;
    (void)chunk;
    for (int64_t i = lo; i < hi; i++) {
        int64_t row = i * p->K;
        s->share[i] = row_share(p, i, s->a + row, p->at, p->bt, s->ga ? s->ga + row : NULL, of_a);
        s->share[i] +=
            row_share(p, i, s->b + row, p->bt, p->at, s->gb ? s->gb + row : NULL, 2 - of_a);
    }
}

an_code an_k_mmd(double *value, float *ga, float *gb, const float *a, const float *b, int64_t B,
                 int64_t K, const an_mmd_args *args)
{
    AN_ASSERT(K >= 1 && B >= (args->unbiased ? 2 : 1));
    AN_ASSERT(args->n >= 1 && args->n <= AN_MMD_KERNELS);
    problem p = make_problem(B, K, args);
    int64_t plane = K * p.stride;
    an_carve scratch = {0};
    an_carve_part shares_of_rows = an_carve_shared(&scratch, B, sizeof(double));
    an_carve_part planes = an_carve_shared(&scratch, 2 * plane, sizeof(float));
    if (an_carve_take(&scratch))
        return AN_ENOMEM;
    double *share = an_carve_at(&scratch, shares_of_rows);
    float *transposed = an_carve_at(&scratch, planes);
    memset(transposed, 0, sizeof *transposed * (size_t)(2 * plane));
    transpose(transposed, a, &p);
    transpose(transposed + plane, b, &p);
    p.at = transposed;
    p.bt = transposed + plane;
    an_par_for(B, an_grain(B, 1, TILE), share_rows, &(shares){&p, a, b, share, ga, gb});
    *value = 0;
    for (int64_t i = 0; i < B; i++)
        *value += share[i];
    an_carve_release(&scratch);
    return AN_OK;
}
