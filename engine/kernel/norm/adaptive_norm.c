/* adaptive_norm: see adaptive_norm.h. */
#include "kernel/norm/adaptive_norm.h"

#include <stdbool.h>

#include "base/assert.h"
#include "base/par.h"
#include "base/simd.h"
#include "kernel/common/cache.h"
#include "kernel/common/ordered_sum.h"
#include "kernel/common/overlap.h"
#include "kernel/norm/row_backward.h"
#include "kernel/norm/row_moments.h"

static inline void norm_row(float *u, const float *x, const float *restrict scale,
                            const float *restrict shift, float mean, float rstd, int64_t C)
{
#pragma GCC ivdep
    for (int64_t c = 0; c < C; c++)
        u[c] = (x[c] - mean) * rstd * (1.0f + scale[c]) + shift[c];
}

AN_SIMD void an_k_row_rstd(float *rstd, const float *x, double eps, int64_t rows, int64_t C)
{
    AN_ASSERT(rows >= 0 && C >= 1 && eps > 0);
    for (int64_t r = 0; r < rows; r += AN_MOMENT_ROWS) {
        int64_t set = an_row_moments_set(rows - r);
        an_row_moments m = an_row_moments_of(x + r * C, eps, set, C);
        for (int64_t i = 0; i < set; i++)
            rstd[r + i] = m.rstd[i];
    }
}

AN_SIMD void an_k_centre_rows(float *y, const float *x, const float *scale, int64_t rows, int64_t C)
{
    AN_ASSERT(rows >= 0 && C >= 1);
    for (int64_t r = 0; r < rows; r++) {
        float mean = an_ordered_sum(x + r * C, C) / (float)C;
        for (int64_t c = 0; c < C; c++)
            y[r * C + c] = (x[r * C + c] - mean) * (1.0f + scale[c]);
    }
}

AN_SIMD void an_k_gated_residual_norm(float *u, float *x, const float *y, const float *gate,
                                      const float *scale, const float *shift, double eps,
                                      int64_t rows, int64_t C)
{
    AN_ASSERT(rows >= 0 && C >= 1 && eps > 0 && an_disjoint(x, rows * C, y, rows * C));
    for (int64_t r = 0; r < rows; r += AN_MOMENT_ROWS) {
        int64_t set = an_row_moments_set(rows - r);
        for (int64_t i = r; i < r + set; i++) {
            float *restrict to = x + i * C;
            const float *restrict from = y + i * C;
#pragma GCC ivdep
            for (int64_t c = 0; c < C; c++)
                to[c] += (1.0f + gate[c]) * from[c];
        }
        an_row_moments m = an_row_moments_of(x + r * C, eps, set, C);
        for (int64_t i = 0, at = r * C; i < set; i++, at += C)
            norm_row(u + at, x + at, scale, shift, m.mean[i], m.rstd[i], C);
    }
}

/* ── groups of rows ───────────────────────────────────────────────────────────────── */

/* Where the vectors of row r begin. */
static inline int64_t condition_of(const an_conditions *s, int64_t r)
{
    return r / s->rows * s->stride;
}

static bool are_conditions(const an_conditions *s)
{
    return s->groups >= 0 && s->rows >= 0 && s->C >= 1 && s->stride >= s->C;
}

/* The result d overlaps neither of the equally large arrays from which it is computed. */
static bool is_result(const float *d, float beta, const float *a, const float *b,
                      const an_conditions *s)
{
    int64_t n = s->groups * s->rows * s->C;
    return (beta == 0 || beta == 1) && an_disjoint(d, n, a, n) && an_disjoint(d, n, b, n);
}

typedef struct {
    float *u, *mean, *rstd;
    const float *x, *scale, *shift;
    double eps;
    const an_conditions *s;
} norm_job;

AN_SIMD static void norm_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const norm_job *j = context;
    int64_t C = j->s->C;
    (void)chunk;
    for (int64_t first = lo; first < hi; first += AN_MOMENT_ROWS) {
        int64_t set = an_row_moments_set(hi - first);
        an_row_moments m = an_row_moments_of(j->x + first * C, j->eps, set, C);
        for (int64_t i = 0, r = first; i < set; i++, r++) {
            int64_t at = condition_of(j->s, r);
            norm_row(j->u + r * C, j->x + r * C, j->scale + at, j->shift + at, m.mean[i], m.rstd[i],
                     C);
            j->mean[r] = m.mean[i];
            j->rstd[r] = m.rstd[i];
        }
    }
}

void an_k_adaptive_norm_forward(float *u, float *mean, float *rstd, const float *x,
                                const float *scale, const float *shift, double eps,
                                const an_conditions *s)
{
    AN_ASSERT(are_conditions(s) && eps > 0);
    an_par_for(s->groups * s->rows, an_row_grain(s->C), norm_rows,
               &(norm_job){u, mean, rstd, x, scale, shift, eps, s});
}

/* dscale += du·x̂, dshift += du for a row */
static inline void add_condition(float *restrict dscale, float *restrict dshift,
                                 const float *restrict du, const float *restrict x, float mean,
                                 float rstd, int64_t C)
{
    for (int64_t c = 0; c < C; c++) {
        dscale[c] += du[c] * ((x[c] - mean) * rstd);
        dshift[c] += du[c];
    }
}

typedef struct {
    float *dx, beta, *dscale, *dshift;
    const float *du, *x, *mean, *rstd, *scale;
    const an_conditions *s;
} norm_backward_job;

AN_SIMD static void norm_groups_backward(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const norm_backward_job *j = context;
    int64_t C = j->s->C;
    (void)chunk;
    for (int64_t r = lo * j->s->rows; r < hi * j->s->rows; r++) {
        int64_t at = condition_of(j->s, r);
        const float *du = j->du + r * C, *x = j->x + r * C;
        if (j->dscale)
            add_condition(j->dscale + at, j->dshift + at, du, x, j->mean[r], j->rstd[r], C);
        if (j->dx)
            an_row_backward(j->dx + r * C, j->beta, du, x, j->mean[r], j->rstd[r],
                            AN_ROW_WEIGHT_ONE_PLUS_V, j->scale + at, C);
    }
}

void an_k_adaptive_norm_backward(float *dx, float beta, float *dscale, float *dshift,
                                 const float *du, const float *x, const float *mean,
                                 const float *rstd, const float *scale, const an_conditions *s)
{
    AN_ASSERT(are_conditions(s) && !dscale == !dshift && is_result(dx, beta, du, x, s));
    an_par_for(s->groups, an_row_grain(s->rows * s->C), norm_groups_backward,
               &(norm_backward_job){dx, beta, dscale, dshift, du, x, mean, rstd, scale, s});
}

/* ── gated residual ───────────────────────────────────────────────────────────────── */

typedef struct {
    float *z;
    const float *x, *y, *gate;
    const an_conditions *s;
} residual_job;

AN_SIMD static void residual_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const residual_job *j = context;
    int64_t C = j->s->C;
    (void)chunk;
    for (int64_t r = lo; r < hi; r++) {
        const float *restrict x = j->x + r * C, *restrict y = j->y + r * C;
        const float *restrict gate = j->gate + condition_of(j->s, r);
        float *restrict z = j->z + r * C;
        for (int64_t c = 0; c < C; c++)
            z[c] = x[c] + (1.0f + gate[c]) * y[c];
    }
}

void an_k_gated_residual_forward(float *z, const float *x, const float *y, const float *gate,
                                 const an_conditions *s)
{
    AN_ASSERT(are_conditions(s) && is_result(z, 0, x, y, s));
    an_par_for(s->groups * s->rows, an_row_grain(s->C), residual_rows,
               &(residual_job){z, x, y, gate, s});
}

static inline void residual_row_backward(float *restrict dy, float beta, const float *restrict dz,
                                         const float *restrict gate, int64_t C)
{
    if (beta == 0)
        for (int64_t c = 0; c < C; c++)
            dy[c] = (1.0f + gate[c]) * dz[c];
    else
        for (int64_t c = 0; c < C; c++)
            dy[c] += (1.0f + gate[c]) * dz[c];
}

typedef struct {
    float *dy, beta, *dgate;
    const float *dz, *y, *gate;
    const an_conditions *s;
} residual_backward_job;

AN_SIMD static void residual_groups_backward(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const residual_backward_job *j = context;
    int64_t C = j->s->C;
    (void)chunk;
    for (int64_t r = lo * j->s->rows; r < hi * j->s->rows; r++) {
        int64_t at = condition_of(j->s, r);
        const float *restrict dz = j->dz + r * C, *restrict y = j->y + r * C;
        if (j->dgate) {
            float *restrict dgate = j->dgate + at;
            for (int64_t c = 0; c < C; c++)
                dgate[c] += dz[c] * y[c];
        }
        if (j->dy)
            residual_row_backward(j->dy + r * C, j->beta, dz, j->gate + at, C);
    }
}

void an_k_gated_residual_backward(float *dy, float beta, float *dgate, const float *dz,
                                  const float *y, const float *gate, const an_conditions *s)
{
    AN_ASSERT(are_conditions(s) && is_result(dy, beta, dz, y, s));
    an_par_for(s->groups, an_row_grain(s->rows * s->C), residual_groups_backward,
               &(residual_backward_job){dy, beta, dgate, dz, y, gate, s});
}
