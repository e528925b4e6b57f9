/* Whole reverse chains: with an oracle that returns the true y0, every solver ends at y0; on the
 * exact flow of a Gaussian, DPM-Solver++(2M) has second order. */
#include "process_rows.h"
#include "worse.h"

typedef enum { DDIM, DPM } solver;

/* A chain of S steps from y_T = m + s_T ε, with an oracle that returns the true y0. */
static void run_oracle(const an_schedule *s, const float *level, int64_t S, solver how, double eta,
                       const float *y0, const float *m, float *y)
{
    int64_t times[T + 1], t[B], u[B], before[B];
    float e[B * K], x[B * K], z0[B * K], eh[B * K], z0_before[B * K], noise[B * K];
    an_rows rows = {s, B, t, NULL, level};
    assert_int_equal(an_times(s, S, AN_SPACING_UNIFORM, times), AN_OK);
    fill(t, T);
    draw(e, "start");
    noised(&rows, m, m, e, y);
    rows.u = u;
    for (int64_t k = 0; k < S; k++) {
        fill(t, times[k]);
        fill(u, times[k + 1]);
        for (int i = 0; i < B * K; i++) {
            double a, sd;
            by_hand(s, t[0], i % K, level ? level[i / K] : 1, &a, &sd);
            x[i] = (float)(((double)y[i] - m[i] - a * ((double)y0[i] - m[i])) / sd);
        }
        assert_int_equal(an_estimate(&rows, AN_PREDICT_EPSILON, 0, y, m, x, z0, eh), AN_OK);
        an_fill_normal(noise, B * K, 3, an_stream("step", (uint64_t)k, 0), 0);
        if (how == DDIM)
            assert_int_equal(an_ddim_step(&rows, eta, m, z0, eh, noise, y), AN_OK);
        else
            assert_int_equal(
                an_dpm_step(&rows, y, m, z0, k ? z0_before : NULL, k ? before : NULL, y), AN_OK);
        memcpy(z0_before, z0, sizeof z0);
        fill(before, times[k]);
    }
}

static void test_perfect_oracle_returns_y0(void **state)
{
    (void)state;
    static const int64_t chain_lengths[] = {1, 2, 6, T};
    float y0[B * K], m[B * K], y[B * K];
    for (int i = 0; i < B * K; i++)
        y0[i] = i % K == (i / K) % K;
    draw(m, "m");
    for (int c = 0; c < COUPLINGS_N; c++)
        for (int k = 0; k < 4; k++) {
            an_schedule *s = make(AN_BETA_LINEAR, T, COUPLINGS[c]);
            const float *level = level_for(COUPLINGS[c]);
            /* The last step, from T/S, divides the rounding of ε̂ (2^−24 of about 8) by a. */
            double a = 1;
            for (int i = 0; i < B * K; i++) {
                double signal, noise;
                by_hand(s, T / chain_lengths[k], i % K, level ? level[i / K] : 1, &signal, &noise);
                a = fmin(a, signal);
            }
            run_oracle(s, level, chain_lengths[k], DDIM, 0, y0, m, y);
            assert_near(y, y0, B * K, 5e-7 / a);
            run_oracle(s, level, chain_lengths[k], DDIM, 1, y0, m, y);
            assert_near(y, y0, B * K, 5e-7 / a);
            run_oracle(s, level, chain_lengths[k], DPM, 0, y0, m, y);
            assert_near(y, y0, B * K, 5e-7 / a);
            an_schedule_free(s);
        }
}

/* If y0 ~ N(m, v), then ẑ0 = a v z/(a² v + s²) and the exact flow keeps z/√(a² v + s²). The
 * last time is 1, so that the step to 0 (of first order by design) does not affect the measured
 * order. */
static double flow_error(const an_schedule *s, int64_t S, bool second)
{
    enum { V = 4 };
    const int64_t steps = an_schedule_about(s)->beta.T;
    const float m[K] = {0};
    float z[K] = {1, -1, 0.5f}, z0[K], past[K];
    int64_t times[401], before = 0;
    double exact[K], error = 0;
    assert_int_equal(an_times(s, S, AN_SPACING_LOGSNR, times), AN_OK);
    assert_int_equal(times[S - 1], 1);
    for (int j = 0; j < K; j++) {
        const double a = an_schedule_signal(s, steps)[j], b = an_schedule_noise(s, steps)[j];
        const double c = an_schedule_signal(s, 1)[j], d = an_schedule_noise(s, 1)[j];
        exact[j] = z[j] * sqrt((c * c * V + d * d) / (a * a * V + b * b));
    }
    for (int64_t k = 0; k + 1 < S; k++) {
        const an_rows rows = {s, 1, &times[k], &times[k + 1], NULL};
        for (int j = 0; j < K; j++) {
            const double a = an_schedule_signal(s, times[k])[j];
            const double b = an_schedule_noise(s, times[k])[j];
            z0[j] = (float)(a * V * z[j] / (a * a * V + b * b));
        }
        const bool two = second && k > 0;
        assert_int_equal(an_dpm_step(&rows, z, m, z0, two ? past : NULL, two ? &before : NULL, z),
                         AN_OK);
        memcpy(past, z0, sizeof z0);
        before = times[k];
    }
    for (int j = 0; j < K; j++)
        error = worse(error, fabs(z[j] / exact[j] - 1));
    return error;
}

static void test_dpm_solver_is_of_second_order(void **state)
{
    (void)state;
    for (int c = 0; c < 2; c++) {
        an_schedule *s = make(AN_BETA_LINEAR, 400, COUPLINGS[c]);
        const double first = flow_error(s, 40, false), second = flow_error(s, 40, true);
        assert_true(second < first / 4);
        assert_true(flow_error(s, 20, true) > 2.5 * second); /* 4 in the limit, 2 if first order */
        assert_true(second < 0.02);
        an_schedule_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_perfect_oracle_returns_y0),
        cmocka_unit_test(test_dpm_solver_is_of_second_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
