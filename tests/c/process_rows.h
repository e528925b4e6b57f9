/* process_rows: small schedules and rows, shared by the tests of the diffusion process. B rows of
 * K classes, T steps; random numbers are the same in every run. */
#ifndef AN_TESTS_PROCESS_ROWS_H
#define AN_TESTS_PROCESS_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/rng.h"
#include "diffusion/process.h"

enum { K = 3, T = 24, B = 5 };
static const int64_t COUNTS[K] = {900, 90, 9};
enum { COUPLINGS_N = 4 };
static const an_coupling COUPLINGS[COUPLINGS_N] = {AN_COUPLE_VARIANCE, AN_COUPLE_SPEED,
                                                   AN_COUPLE_SAMPLE, AN_COUPLE_CLASS_SPEED};
static const float LEVEL[B] = {0.5f, 2, 1, 0.7f, 1.3f};

static inline an_schedule *make_with(an_beta_kind beta, int64_t steps, an_coupling coupling,
                                     const double *lambda)
{
    const an_schedule_spec spec = {.beta = an_beta_default(beta, steps),
                                   .lambda = lambda,
                                   .coupling = coupling,
                                   .K = K,
                                   .counts = COUNTS};
    an_schedule *s = an_schedule_new(&spec);
    assert_non_null(s);
    return s;
}

/* Levels ∝ n_j^(−1/4) with mean 1, which minimise the bound. */
static inline an_schedule *make(an_beta_kind beta, int64_t steps, an_coupling coupling)
{
    double lambda[K], sum = 0;
    for (int j = 0; j < K; j++)
        sum += lambda[j] = pow((double)COUNTS[j], -0.25);
    for (int j = 0; j < K; j++)
        lambda[j] *= K / sum;
    return make_with(beta, steps, coupling, lambda);
}

static inline const float *level_for(an_coupling coupling)
{
    return coupling == AN_COUPLE_SAMPLE || coupling == AN_COUPLE_CLASS_SPEED ? LEVEL : NULL;
}

/* a and s of class j at time t for a row of this level: in `class_speed` from the shifted log-SNR.
 */
static inline void by_hand(const an_schedule *s, int64_t t, int j, double level, double *a,
                           double *noise)
{
    *a = an_schedule_signal(s, t)[j];
    *noise = level * an_schedule_noise(s, t)[j];
    if (an_schedule_about(s)->coupling != AN_COUPLE_CLASS_SPEED || t == 0)
        return;
    const double bar = an_schedule_alpha_bar(s, t);
    const double moved = log(bar / (1 - bar)) - 2 * log(level);
    *a = sqrt(1 / (1 + exp(-moved)));
    *noise = sqrt(1 / (1 + exp(moved)));
}

static inline void fill(int64_t *times, int64_t t)
{
    for (int b = 0; b < B; b++)
        times[b] = t;
}

static inline void draw(float *x, const char *purpose)
{
    an_fill_normal(x, B * K, 7, an_stream(purpose, 0, 0), 0);
}

/* y_t and the target of a prediction for rows of `rows`: the kernels behind an_noised() and
 * an_target() of grad/ops.h on plain arrays. */
static inline void noised(const an_rows *rows, const float *y0, const float *m, const float *e,
                          float *y)
{
    float a[B * K], s[B * K];
    assert_int_equal(an_gather(rows, AN_SIGNAL, a), AN_OK);
    assert_int_equal(an_gather(rows, AN_NOISE, s), AN_OK);
    an_k_noised_forward(y, y0, e, (an_diffusion_at){a, s, m}, B * K);
}

static inline void target(const an_rows *rows, an_prediction p, const float *y0, const float *m,
                          const float *e, float *x)
{
    float a[B * K], s[B * K];
    assert_int_equal(an_gather(rows, AN_SIGNAL, a), AN_OK);
    assert_int_equal(an_gather(rows, AN_NOISE, s), AN_OK);
    for (int i = 0; i < B * K; i++)
        x[i] = an_target_f(p, a[i], s[i], m[i], y0[i], e[i]);
}

static inline void assert_near(const float *x, const float *y, int n, double tolerance)
{
    for (int i = 0; i < n; i++)
        if (!(fabs((double)x[i] - y[i]) <= tolerance * (1 + fabs(y[i]))))
            fail_msg("[%d] %.9g is not %.9g within %g", i, x[i], y[i], tolerance);
}

#endif
