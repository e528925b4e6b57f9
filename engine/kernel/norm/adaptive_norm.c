/* adaptive_norm: see adaptive_norm.h. */
#include "kernel/norm/adaptive_norm.h"

#include "base/par.h"
#include "base/simd.h"
#include "kernel/common/ordered_sum.h"
#include "kernel/norm/row_moments.h"

static inline void modulate_row(float *u, const float *x, const float *restrict scale,
                                const float *restrict shift, float mean, float rstd, int64_t C)
{
#pragma GCC ivdep
    for (int64_t c = 0; c < C; c++)
        u[c] = (x[c] - mean) * rstd * (1.0f + scale[c]) + shift[c];
}

AN_SIMD void an_k_row_rstd(float *rstd, const float *x, double eps, int64_t rows, int64_t C)
{
    for (int64_t r = 0; r < rows; r += AN_MOMENT_ROWS) {
        int64_t set = an_row_moments_set(rows - r);
        an_row_moments m = an_row_moments_of(x + r * C, eps, set, C);
        for (int64_t i = 0; i < set; i++)
            rstd[r + i] = m.rstd[i];
    }
}

AN_SIMD void an_k_centre_rows(float *y, const float *x, const float *scale, int64_t rows, int64_t C)
{
    for (int64_t r = 0; r < rows; r++) {
        float mean = an_ordered_sum(x + r * C, C) / (float)C;
        for (int64_t c = 0; c < C; c++)
            y[r * C + c] = (x[r * C + c] - mean) * (1.0f + scale[c]);
    }
}

AN_SIMD void an_k_adaptive_norm_rows(float *u, const float *x, const float *scale,
                                     const float *shift, double eps, int64_t rows, int64_t C)
{
    for (int64_t r = 0; r < rows; r += AN_MOMENT_ROWS) {
        int64_t set = an_row_moments_set(rows - r);
        an_row_moments m = an_row_moments_of(x + r * C, eps, set, C);
        for (int64_t i = 0, at = r * C; i < set; i++, at += C)
            modulate_row(u + at, x + at, scale, shift, m.mean[i], m.rstd[i], C);
    }
}

AN_SIMD void an_k_join_rows(float *u, float *x, const float *y, const float *gate,
                            const float *scale, const float *shift, double eps, int64_t rows,
                            int64_t C)
{
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
            modulate_row(u + at, x + at, scale, shift, m.mean[i], m.rstd[i], C);
    }
}

/* ── groups of rows ───────────────────────────────────────────────────────────────── */

enum { GRAIN = 1 << 14 }; /* numbers of a chunk: for fewer, starting threads costs more */

typedef struct {
    float *y, *mean, *rstd; /* y: what is made, of x's size       */
    const float *x, *other; /* other: the second of x's size      */
    const float *scale, *shift;
    float *dscale, *dshift;
    double eps;
    float beta;
    const an_conditions *s;
} group_job;

static int64_t grain(int64_t each)
{
    return each > 0 && each < GRAIN ? GRAIN / each : 1;
}

AN_SIMD static void modulate_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const group_job *j = context;
    int64_t C = j->s->C;
    (void)chunk;
    for (int64_t first = lo; first < hi; first += AN_MOMENT_ROWS) {
        int64_t set = an_row_moments_set(hi - first);
        an_row_moments m = an_row_moments_of(j->x + first * C, j->eps, set, C);
        for (int64_t i = 0, r = first; i < set; i++, r++) {
            int64_t at = r / j->s->rows * j->s->step;
            modulate_row(j->y + r * C, j->x + r * C, j->scale + at, j->shift + at, m.mean[i],
                         m.rstd[i], C);
            j->mean[r] = m.mean[i];
            j->rstd[r] = m.rstd[i];
        }
    }
}

void an_k_adaptive_norm_forward(float *u, float *mean, float *rstd, const float *x,
                                const float *scale, const float *shift, double eps,
                                const an_conditions *s)
{
    group_job j = {.y = u,
                   .mean = mean,
                   .rstd = rstd,
                   .x = x,
                   .scale = scale,
                   .shift = shift,
                   .eps = eps,
                   .s = s};
    an_par_for(s->groups * s->rows, grain(s->C), modulate_part, &j);
}

typedef struct {
    float mean, rstd;
} row_moments;

/* dscale += du·x̂, dshift += du for a row */
static inline void add_condition(float *restrict dscale, float *restrict dshift,
                                 const float *restrict du, const float *restrict x, row_moments m,
                                 int64_t C)
{
    for (int64_t c = 0; c < C; c++) {
        dscale[c] += du[c] * ((x[c] - m.mean) * m.rstd);
        dshift[c] += du[c];
    }
}

/* With g = du·(1 + scale): dx = rstd·(g − mean(g) − x̂·mean(g·x̂)) + beta·dx for a row. */
static inline void row_backward(float *restrict dx, float beta, const float *restrict du,
                                const float *restrict x, const float *restrict scale, row_moments m,
                                int64_t C)
{
    float plain[AN_LANES] = {0}, product[AN_LANES] = {0};
    int64_t whole = C - C % AN_LANES;
    for (int64_t c = 0; c < whole; c += AN_LANES)
        for (int l = 0; l < AN_LANES; l++) {
            float g = du[c + l] * (1.0f + scale[c + l]);
            plain[l] += g;
            product[l] += g * ((x[c + l] - m.mean) * m.rstd);
        }
    for (int64_t c = whole; c < C; c++) {
        float g = du[c] * (1.0f + scale[c]);
        plain[c - whole] += g;
        product[c - whole] += g * ((x[c] - m.mean) * m.rstd);
    }
    float level = an_ordered_fold(plain) / (float)C, slope = an_ordered_fold(product) / (float)C;
    if (beta == 0)
        for (int64_t c = 0; c < C; c++)
            dx[c] = m.rstd * (du[c] * (1.0f + scale[c]) - level - (x[c] - m.mean) * m.rstd * slope);
    else
        for (int64_t c = 0; c < C; c++)
            dx[c] +=
                m.rstd * (du[c] * (1.0f + scale[c]) - level - (x[c] - m.mean) * m.rstd * slope);
}

AN_SIMD static void modulate_back(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const group_job *j = context;
    int64_t C = j->s->C;
    (void)chunk;
    for (int64_t r = lo * j->s->rows; r < hi * j->s->rows; r++) {
        int64_t at = r / j->s->rows * j->s->step;
        row_moments m = {j->mean[r], j->rstd[r]};
        if (j->dscale)
            add_condition(j->dscale + at, j->dshift + at, j->other + r * C, j->x + r * C, m, C);
        if (j->y)
            row_backward(j->y + r * C, j->beta, j->other + r * C, j->x + r * C, j->scale + at, m,
                         C);
    }
}

void an_k_adaptive_norm_backward(float *dx, float beta, float *dscale, float *dshift,
                                 const float *du, const float *x, const float *mean,
                                 const float *rstd, const float *scale, const an_conditions *s)
{
    group_job j = {.y = dx,
                   .beta = beta,
                   .dscale = dscale,
                   .dshift = dshift,
                   .other = du,
                   .x = x,
                   .mean = (float *)mean,
                   .rstd = (float *)rstd,
                   .scale = scale,
                   .s = s};
    an_par_for(s->groups, grain(s->rows * s->C), modulate_back, &j);
}

AN_SIMD static void join_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const group_job *j = context;
    int64_t C = j->s->C;
    (void)chunk;
    for (int64_t r = lo; r < hi; r++) {
        const float *restrict x = j->x + r * C, *restrict y = j->other + r * C;
        const float *restrict gate = j->scale + r / j->s->rows * j->s->step;
        float *restrict z = j->y + r * C;
        for (int64_t c = 0; c < C; c++)
            z[c] = x[c] + (1.0f + gate[c]) * y[c];
    }
}

void an_k_join_forward(float *z, const float *x, const float *y, const float *gate,
                       const an_conditions *s)
{
    group_job j = {.y = z, .x = x, .other = y, .scale = gate, .s = s};
    an_par_for(s->groups * s->rows, grain(s->C), join_part, &j);
}

static inline void join_row_back(float *restrict dy, float beta, const float *restrict dz,
                                 const float *restrict gate, int64_t C)
{
    if (beta == 0)
        for (int64_t c = 0; c < C; c++)
            dy[c] = (1.0f + gate[c]) * dz[c];
    else
        for (int64_t c = 0; c < C; c++)
            dy[c] += (1.0f + gate[c]) * dz[c];
}

AN_SIMD static void join_back(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const group_job *j = context;
    int64_t C = j->s->C;
    (void)chunk;
    for (int64_t r = lo * j->s->rows; r < hi * j->s->rows; r++) {
        int64_t at = r / j->s->rows * j->s->step;
        const float *restrict dz = j->x + r * C, *restrict y = j->other + r * C;
        if (j->dscale) {
            float *restrict dgate = j->dscale + at;
            for (int64_t c = 0; c < C; c++)
                dgate[c] += dz[c] * y[c];
        }
        if (j->y)
            join_row_back(j->y + r * C, j->beta, dz, j->scale + at, C);
    }
}

void an_k_join_backward(float *dy, float beta, float *dgate, const float *dz, const float *y,
                        const float *gate, const an_conditions *s)
{
    group_job j = {
        .y = dy, .beta = beta, .dscale = dgate, .x = dz, .other = y, .scale = gate, .s = s};
    an_par_for(s->groups, grain(s->rows * s->C), join_back, &j);
}
