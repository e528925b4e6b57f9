/* process_rows: the small schedules and rows that the tests of the process share. B rows of
 * K classes, T steps; every draw is the same in every run. */
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
static const an_coupling COUPLINGS[] = {AN_COUPLE_VARIANCE, AN_COUPLE_SPEED, AN_COUPLE_SAMPLE};
static const float LEVEL[B] = {0.5f, 2, 1, 0.7f, 1.3f};

/* Levels ∝ n_j^(−1/4) with mean 1: the bound's minimiser. */
static inline an_schedule *make(an_beta_kind beta, int64_t steps, an_coupling coupling)
{
    double lambda[K], sum = 0;
    for (int j = 0; j < K; j++)
        sum += lambda[j] = pow((double)COUNTS[j], -0.25);
    for (int j = 0; j < K; j++)
        lambda[j] *= K / sum;
    const an_schedule_spec spec = {.beta = an_beta_default(beta, steps),
                                   .lambda = lambda,
                                   .coupling = coupling,
                                   .K = K,
                                   .counts = COUNTS};
    an_schedule *s = an_schedule_new(&spec);
    assert_non_null(s);
    return s;
}

static inline const float *level_for(an_coupling coupling)
{
    return coupling == AN_COUPLE_SAMPLE ? LEVEL : NULL;
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

static inline void near(const float *x, const float *y, int n, double tolerance)
{
    for (int i = 0; i < n; i++)
        if (!(fabs((double)x[i] - y[i]) <= tolerance * (1 + fabs(y[i]))))
            fail_msg("[%d] %.9g is not %.9g within %g", i, x[i], y[i], tolerance);
}

#endif
