/* process: one check of the rows, then a plain loop over rows and coordinates. Between u < t
 * everything follows from c = a_t/a_u and τ² = s_t² − c² s_u², the variance that the chain
 * adds between u and t. */
#include "diffusion/process.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"
#include "base/par.h"

/* ── the rows ───────────────────────────────────────────────────────────────────── */

static int64_t classes(const an_rows *rows)
{
    return an_schedule_about(rows->schedule)->K;
}

static int64_t levels_per_row(const an_schedule *s)
{
    return an_schedule_about(s)->coupling == AN_COUPLE_IMAGE ? an_schedule_about(s)->K : 1;
}

static an_code check_level(const an_rows *rows)
{
    const an_coupling coupling = an_schedule_about(rows->schedule)->coupling;
    const bool required = coupling == AN_COUPLE_SAMPLE || coupling == AN_COUPLE_IMAGE;
    const bool allowed = required || coupling == AN_COUPLE_CLASS_SPEED;
    if (required && !rows->level)
        return an_fail(AN_EINVAL,
                       coupling == AN_COUPLE_IMAGE
                           ? "coupling \"image\" requires the noise levels of each row: pass "
                             "schedule:levels_of_uncertainty(m)"
                           : "coupling \"sample\" requires a noise level per row: pass "
                             "schedule:levels_of_labels(y) in training, levels_of_priors(m) in "
                             "sampling");
    if (!allowed && rows->level)
        return an_fail(AN_EINVAL,
                       "a noise level per row belongs to couplings \"sample\", \"class_speed\" and "
                       "\"image\", this schedule has \"%s\"",
                       an_coupling_names[coupling]);
    const int64_t per_row = levels_per_row(rows->schedule);
    for (int64_t i = 0; rows->level && i < rows->B * per_row; i++)
        if (!(isfinite(rows->level[i]) && rows->level[i] > 0))
            return an_fail(AN_EINVAL, "row %lld: level = %g must be finite and above 0",
                           (long long)(i / per_row) + 1, rows->level[i]);
    return AN_OK;
}

static an_code check_times(const an_rows *rows, int64_t earliest)
{
    AN_ASSERT(rows->schedule && rows->B >= 0 && (rows->t || rows->B == 0));
    const int64_t T = an_schedule_about(rows->schedule)->beta.T;
    for (int64_t b = 0; b < rows->B; b++) {
        const long long t = rows->t[b];
        if (t < earliest || t > T)
            return an_fail(AN_EINVAL, "row %lld: t = %lld is outside %lld … T = %lld",
                           (long long)b + 1, t, (long long)earliest, (long long)T);
        if (rows->u && (rows->u[b] < 0 || rows->u[b] >= t))
            return an_fail(AN_EINVAL, "row %lld: u = %lld must be in 0 … t − 1 = %lld",
                           (long long)b + 1, (long long)rows->u[b], t - 1);
    }
    return check_level(rows);
}

/* Checks that a step between two times has both. */
static an_code check_step(const an_rows *rows)
{
    if (!rows->u)
        return an_fail(AN_EINVAL, "a step requires the earlier time u and t");
    return check_times(rows, 1);
}

/* The coefficients of one coordinate at t and, if the row has one, at u. */
typedef struct {
    double at, st, au, su, tau2;
} coefficients;

typedef struct {
    const double *at, *st, *au, *su;
    const float *level; /* of this row: one, K in coupling `image`, or NULL for 1 */
    an_coupling coupling;
} tables;

static tables tables_of(const an_rows *rows, int64_t b)
{
    const an_schedule *s = rows->schedule;
    const int64_t t = rows->t[b], u = rows->u ? rows->u[b] : t;
    return (tables){an_schedule_signal(s, t),
                    an_schedule_noise(s, t),
                    an_schedule_signal(s, u),
                    an_schedule_noise(s, u),
                    rows->level ? rows->level + b * levels_per_row(s) : NULL,
                    an_schedule_about(s)->coupling};
}

/* The smallest signal, as in the tables. */
static const double SIGNAL_MIN = 1e-10;

/* Applies a row's level to a and s of class j at one time; a level of 1 changes no bit. */
static void at_level(const tables *row, int64_t j, double *a, double *s)
{
    if (!row->level)
        return;
    const double level = row->level[row->coupling == AN_COUPLE_IMAGE ? j : 0];
    *s *= level;
    if (row->coupling != AN_COUPLE_CLASS_SPEED || level == 1)
        return;
    const double size = sqrt(*a * *a + *s * *s); /* back to a² + s² = 1 */
    *a = fmax(*a / size, SIGNAL_MIN);
    *s /= size;
}

static coefficients coefficients_of(const tables *row, int64_t j)
{
    coefficients k = {row->at[j], row->st[j], row->au[j], row->su[j], 0};
    at_level(row, j, &k.at, &k.st);
    at_level(row, j, &k.au, &k.su);
    const double c = k.at / k.au;
    k.tau2 = fmax(k.st * k.st - c * c * k.su * k.su, 0); /* ≥ 0 but for rounding */
    return k;
}

/* ── coefficients ───────────────────────────────────────────────────────────────── */

an_code an_gather(const an_rows *rows, an_coefficient which, float *out)
{
    AN_ASSERT(out);
    const an_code code = check_times(rows, 0);
    if (code != AN_OK)
        return code;
    const int64_t K = classes(rows);
    for (int64_t b = 0; b < rows->B; b++) {
        const tables row = tables_of(rows, b);
        for (int64_t j = 0; j < K; j++) {
            double a = row.at[j], noise = row.st[j];
            at_level(&row, j, &a, &noise);
            out[b * K + j] = (float)(which == AN_SIGNAL ? a : noise);
        }
    }
    return AN_OK;
}

/* ── all rows ───────────────────────────────────────────────────────────────────── */

/* The arrays and numbers of one call; each loop below uses its own part. */
typedef struct {
    const an_rows *rows, *earlier; /* earlier: at t_before                           */
    an_prediction prediction;
    double clip, eta;
    const float *m, *y0, *epsilon, *y_t, *output, *z0, *z0_before, *noise;
    float *to, *also;
} batch;

static void for_rows(an_chunk_fn work, batch *all)
{
    const int64_t B = all->rows->B;
    an_par_for(B, an_grain(B, classes(all->rows), AN_DIFFUSION_PARALLEL), work, all);
}

/* ── forward ────────────────────────────────────────────────────────────────────── */

static void forward_step(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const batch *all = context;
    const int64_t K = classes(all->rows);
    (void)chunk;
    for (int64_t b = lo; b < hi; b++) {
        const tables row = tables_of(all->rows, b);
        for (int64_t i = b * K, j = 0; j < K; i++, j++) {
            const coefficients k = coefficients_of(&row, j);
            all->to[i] = (float)an_noised_d(k.at / k.au, sqrt(k.tau2), all->m[i], all->y_t[i],
                                            all->epsilon[i]);
        }
    }
}

an_code an_forward_step(const an_rows *rows, const float *y_u, const float *m, const float *epsilon,
                        float *y_t)
{
    AN_ASSERT(y_u && m && epsilon && y_t);
    const an_code code = check_step(rows);
    if (code != AN_OK)
        return code;
    for_rows(forward_step,
             &(batch){.rows = rows, .y_t = y_u, .m = m, .epsilon = epsilon, .to = y_t});
    return AN_OK;
}

/* ── reverse ────────────────────────────────────────────────────────────────────── */

static void estimate(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const batch *all = context;
    const int64_t K = classes(all->rows);
    const double clip = all->clip;
    (void)chunk;
    for (int64_t b = lo; b < hi; b++) {
        const tables row = tables_of(all->rows, b);
        for (int64_t i = b * K, j = 0; j < K; i++, j++) {
            const coefficients k = coefficients_of(&row, j);
            const double m = all->m[i], z = all->y_t[i] - m, low = -clip - m, high = 1 + clip - m;
            double x = all->output[i];
            double z0 = an_z0_d(all->prediction, k.at, k.st, m, z, x);
            double epsilon = an_epsilon_d(all->prediction, k.at, k.st, m, z, x);
            if (clip > 0 && (z0 < low || z0 > high)) {
                z0 = z0 < low ? low : high;
                epsilon = an_epsilon_d(AN_PREDICT_Y0, k.at, k.st, m, z, m + z0);
            }
            all->to[i] = (float)z0;
            all->also[i] = (float)epsilon;
        }
    }
}

an_code an_estimate(const an_rows *rows, an_prediction prediction, double clip, const float *y_t,
                    const float *m, const float *output, float *z0, float *epsilon)
{
    AN_ASSERT(prediction <= AN_PREDICT_V);
    AN_ASSERT(y_t && m && output && z0 && epsilon);
    const an_code code = check_times(rows, 1);
    if (code != AN_OK)
        return code;
    if (!(clip >= 0 && isfinite(clip)))
        return an_fail(AN_EINVAL, "clip = %g: expected 0 (off) or a finite number above", clip);
    for_rows(estimate, &(batch){.rows = rows,
                                .prediction = prediction,
                                .clip = clip,
                                .y_t = y_t,
                                .m = m,
                                .output = output,
                                .to = z0,
                                .also = epsilon});
    return AN_OK;
}

static void posterior(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const batch *all = context;
    const int64_t K = classes(all->rows);
    (void)chunk;
    for (int64_t b = lo; b < hi; b++) {
        const tables row = tables_of(all->rows, b);
        for (int64_t i = b * K, j = 0; j < K; i++, j++) {
            const coefficients k = coefficients_of(&row, j);
            const double c = k.at / k.au, su2 = k.su * k.su, st2 = k.st * k.st;
            all->to[i] = (float)((k.au * k.tau2 * all->z0[i] + c * su2 * all->y_t[i]) / st2);
            all->also[i] = (float)(su2 * fmin(k.tau2 / st2, 1));
        }
    }
}

an_code an_posterior(const an_rows *rows, const float *z0, const float *z_t, float *mean,
                     float *variance)
{
    AN_ASSERT(z0 && z_t && mean && variance);
    const an_code code = check_step(rows);
    if (code != AN_OK)
        return code;
    for_rows(posterior, &(batch){.rows = rows, .z0 = z0, .y_t = z_t, .to = mean, .also = variance});
    return AN_OK;
}

static void ddim_step(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const batch *all = context;
    const int64_t K = classes(all->rows);
    const double eta = all->eta;
    (void)chunk;
    for (int64_t b = lo; b < hi; b++) {
        const tables row = tables_of(all->rows, b);
        for (int64_t i = b * K, j = 0; j < K; i++, j++) {
            const coefficients k = coefficients_of(&row, j);
            const double share = eta * eta * fmin(k.tau2 / (k.st * k.st), 1); /* σ² / s_u² */
            const double fresh = eta > 0 ? k.su * sqrt(share) * all->noise[i] : 0;
            all->to[i] = (float)(all->m[i] + k.au * all->z0[i] +
                                 k.su * sqrt(1 - share) * all->epsilon[i] + fresh);
        }
    }
}

an_code an_ddim_step(const an_rows *rows, double eta, const float *m, const float *z0,
                     const float *epsilon, const float *noise, float *y_u)
{
    AN_ASSERT(m && z0 && epsilon && y_u);
    const an_code code = check_step(rows);
    if (code != AN_OK)
        return code;
    if (!(eta >= 0 && eta <= 1))
        return an_fail(AN_EINVAL, "eta = %g: expected a number in [0, 1]", eta);
    if (eta > 0 && !noise)
        return an_fail(AN_EINVAL, "eta = %g: a step with noise requires the noise", eta);
    for_rows(ddim_step, &(batch){.rows = rows,
                                 .eta = eta,
                                 .m = m,
                                 .z0 = z0,
                                 .epsilon = epsilon,
                                 .noise = noise,
                                 .to = y_u});
    return AN_OK;
}

/* The multistep estimate D = ẑ0 + (ẑ0 − ẑ0') h / (2 h'), with h the step in ln(a/s) and h' the
 * previous one. In ratios of a/s the level of a row cancels. */
static double two_step(const coefficients *k, const coefficients *before, double z0, double prior)
{
    const double now = log(k->at / k->st);
    const double h = log(k->au / k->su) - now, h_before = now - log(before->at / before->st);
    return h_before > 0 ? z0 + (z0 - prior) * h / (2 * h_before) : z0;
}

static void dpm_step(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const batch *all = context;
    const an_rows *rows = all->rows;
    const int64_t K = classes(rows);
    (void)chunk;
    for (int64_t b = lo; b < hi; b++) {
        const tables row = tables_of(rows, b);
        const bool second = all->earlier->t && rows->u[b] > 0;
        const tables past = second ? tables_of(all->earlier, b) : row;
        for (int64_t i = b * K, j = 0; j < K; i++, j++) {
            const coefficients k = coefficients_of(&row, j), kp = coefficients_of(&past, j);
            const double z0 = all->z0[i],
                         D = second ? two_step(&k, &kp, z0, all->z0_before[i]) : z0;
            const double keep = k.su / k.st; /* e^(−h) = keep · a_t / a_u */
            const double m = all->m[i], z = all->y_t[i] - m;
            all->to[i] = (float)(m + keep * z + (k.au - k.at * keep) * D);
        }
    }
}

static an_code check_before(const an_rows *rows, const float *z0_before, const int64_t *t_before)
{
    if (!z0_before != !t_before)
        return an_fail(AN_EINVAL, "a second-order step requires both the estimate and the time of "
                                  "the step before");
    const int64_t T = an_schedule_about(rows->schedule)->beta.T;
    for (int64_t b = 0; t_before && b < rows->B; b++)
        if (t_before[b] <= rows->t[b] || t_before[b] > T)
            return an_fail(AN_EINVAL,
                           "row %lld: the step before was at %lld, expected t + 1 = "
                           "%lld … T = %lld",
                           (long long)b + 1, (long long)t_before[b], (long long)rows->t[b] + 1,
                           (long long)T);
    return AN_OK;
}

an_code an_dpm_step(const an_rows *rows, const float *y_t, const float *m, const float *z0,
                    const float *z0_before, const int64_t *t_before, float *y_u)
{
    AN_ASSERT(y_t && m && z0 && y_u);
    an_code code = check_step(rows);
    if (code == AN_OK)
        code = check_before(rows, z0_before, t_before);
    if (code != AN_OK)
        return code;
    const an_rows earlier = {rows->schedule, rows->B, t_before, NULL, rows->level};
    for_rows(dpm_step, &(batch){.rows = rows,
                                .earlier = &earlier,
                                .y_t = y_t,
                                .m = m,
                                .z0 = z0,
                                .z0_before = z0_before,
                                .to = y_u});
    return AN_OK;
}
