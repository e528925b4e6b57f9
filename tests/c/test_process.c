/* Forward and reverse formulas of single steps against a simulated Markov chain and against each
 * other. Random numbers are the same in every run, so the statistical tests are deterministic. */
#include "process_rows.h"

/* ── the Markov chain ───────────────────────────────────────────────────────────── */

/* The ᾱ of an image that is ahead by 2 ln `level` in log-SNR. */
static double moved(double bar, double level)
{
    return bar / (bar + level * level * (1 - bar));
}

/* z_t = c z_{t−1} + τ ξ, with c and τ written from ᾱ alone, not from the tables of a and s. */
static void one_step(an_coupling coupling, const double bar[2], double lambda, double level,
                     double *z, double noise)
{
    const double plain = bar[1] / bar[0];
    const double keep = coupling == AN_COUPLE_SPEED ? pow(plain, lambda)
                        : coupling == AN_COUPLE_CLASS_SPEED
                            ? moved(bar[1], level) / moved(bar[0], level)
                            : plain;
    const double widening = coupling == AN_COUPLE_VARIANCE ? lambda
                            : coupling == AN_COUPLE_SAMPLE ? level
                                                           : 1;
    *z = sqrt(keep) * *z + widening * sqrt(1 - keep) * noise;
}

/* N paths: a mean is off by s/√N and a variance by √(2/N) s² (one standard error); of the
 * 144 comparisons per coupling none should exceed 5 of them (probability 1e-4). */
static void check_chain(an_coupling coupling)
{
    enum { N = 20000 };
    const double z0 = 1.5;
    const float level = 0.6f;
    an_schedule *s = make(AN_BETA_LINEAR, T, coupling);
    for (int j = 0; j < K; j++) {
        double sum[T + 1] = {0}, squares[T + 1] = {0};
        for (int i = 0; i < N; i++) {
            double z = z0;
            for (int t = 1; t <= T; t++) {
                const double bar[2] = {an_schedule_alpha_bar(s, t - 1),
                                       an_schedule_alpha_bar(s, t)};
                one_step(coupling, bar, an_schedule_lambda(s)[j], level, &z,
                         an_normal(11, an_stream("chain", coupling, j), (uint64_t)i * T + t));
                sum[t] += z;
                squares[t] += z * z;
            }
        }
        for (int t = 1; t <= T; t++) {
            float gathered[2][K];
            const float of_row = level;
            const an_rows row = {s, 1, &(int64_t){t}, NULL, level_for(coupling) ? &of_row : NULL};
            assert_int_equal(an_gather(&row, AN_SIGNAL, gathered[0]), AN_OK);
            assert_int_equal(an_gather(&row, AN_NOISE, gathered[1]), AN_OK);
            const double a = gathered[0][j], noise = gathered[1][j], mean = sum[t] / N;
            const double variance = squares[t] / N - mean * mean;
            assert_true(fabs(mean - a * z0) < 5 * noise / sqrt(N));
            assert_true(fabs(variance / (noise * noise) - 1) < 5 * sqrt(2.0 / N));
        }
    }
    an_schedule_free(s);
}

static void test_closed_form_is_the_markov_chain(void **state)
{
    (void)state;
    for (int c = 0; c < COUPLINGS_N; c++)
        check_chain(COUPLINGS[c]);
}

/* ── forward ────────────────────────────────────────────────────────────────────── */

static void test_noised_rows_and_gather_agree(void **state)
{
    (void)state;
    const int64_t t[B] = {0, 1, 7, T - 1, T};
    float y0[B * K], m[B * K], e[B * K], y[B * K], a[B * K], sd[B * K], by_hand[B * K];
    draw(y0, "y0");
    draw(m, "m");
    draw(e, "e");
    for (int c = 0; c < COUPLINGS_N; c++) {
        an_schedule *s = make(AN_BETA_COSINE, T, COUPLINGS[c]);
        const an_rows rows = {s, B, t, NULL, level_for(COUPLINGS[c])};
        noised(&rows, y0, m, e, y);
        assert_int_equal(an_gather(&rows, AN_SIGNAL, a), AN_OK);
        assert_int_equal(an_gather(&rows, AN_NOISE, sd), AN_OK);
        for (int i = 0; i < B * K; i++)
            by_hand[i] = m[i] + a[i] * (y0[i] - m[i]) + sd[i] * e[i];
        assert_near(y, by_hand, B * K, 1e-6);
        assert_near(y, y0, K, 1e-7); /* row 0 is at t = 0 */
        an_schedule_free(s);
    }
}

static void test_levels_follow_labels_and_priors(void **state)
{
    (void)state;
    an_schedule *s = make(AN_BETA_COSINE, T, AN_COUPLE_SAMPLE);
    const double *lambda = an_schedule_lambda(s);
    const int64_t labels[3] = {2, 0, 1}, wrong[1] = {K};
    const float m[3 * K] = {0, 0, 1, 0.5f, 0.25f, 0.25f, 0, 0, 0};
    float level[3];
    assert_int_equal(an_levels_of_labels(s, 3, labels, level), AN_OK);
    for (int b = 0; b < 3; b++)
        assert_true(level[b] == (float)lambda[labels[b]]);
    an_levels_of_priors(s, 3, m, level);
    assert_true(level[0] == (float)lambda[2]);
    assert_true(fabs(level[1] - (lambda[0] / 2 + lambda[1] / 4 + lambda[2] / 4)) < 1e-6);
    assert_true(fabs(level[2] - (lambda[0] + lambda[1] + lambda[2]) / 3) < 1e-6);
    assert_int_equal(an_levels_of_labels(s, 1, wrong, level), AN_EINVAL);
    an_schedule_free(s);
}

/* ── reverse ────────────────────────────────────────────────────────────────────── */

static void test_estimate_inverts_every_prediction(void **state)
{
    (void)state;
    const int64_t t[B] = {1, 2, 7, 12, T - 1};
    float y0[B * K], m[B * K], e[B * K], y[B * K], x[B * K], z0[B * K], eh[B * K], z[B * K];
    draw(y0, "y0");
    draw(m, "m");
    draw(e, "e");
    for (int i = 0; i < B * K; i++)
        z[i] = y0[i] - m[i];
    for (int c = 0; c < COUPLINGS_N; c++)
        for (int p = AN_PREDICT_EPSILON; p <= AN_PREDICT_V; p++) {
            an_schedule *s = make(AN_BETA_COSINE, T, COUPLINGS[c]);
            const an_rows rows = {s, B, t, NULL, level_for(COUPLINGS[c])};
            noised(&rows, y0, m, e, y);
            target(&rows, (an_prediction)p, y0, m, e, x);
            assert_int_equal(an_estimate(&rows, (an_prediction)p, 0, y, m, x, z0, eh), AN_OK);
            assert_near(z0, z, B * K, 1e-4);
            assert_near(eh, e, B * K, 1e-4);
            an_schedule_free(s);
        }
}

static void test_clip_bounds_the_label_and_keeps_z(void **state)
{
    (void)state;
    float m[B * K], y[B * K], x[B * K], z0[B * K], eh[B * K];
    int64_t t[B];
    fill(t, T);
    draw(m, "m");
    draw(y, "y");
    draw(x, "x");
    an_schedule *s = make(AN_BETA_COSINE, T, AN_COUPLE_SPEED);
    const an_rows rows = {s, B, t, NULL, NULL};
    assert_int_equal(an_estimate(&rows, AN_PREDICT_EPSILON, 0.5, y, m, x, z0, eh), AN_OK);
    int clipped = 0;
    for (int i = 0; i < B * K; i++) {
        const double label = (double)m[i] + z0[i];
        const double a = an_schedule_signal(s, T)[i % K], sd = an_schedule_noise(s, T)[i % K];
        assert_true(label >= -0.5 - 1e-6 && label <= 1.5 + 1e-6);
        assert_true(fabs(a * z0[i] + sd * eh[i] - (y[i] - m[i])) < 1e-5);
        clipped += eh[i] != x[i];
    }
    assert_true(clipped > B * K / 2);
    assert_int_equal(an_estimate(&rows, AN_PREDICT_EPSILON, -1, y, m, x, z0, eh), AN_EINVAL);
    an_schedule_free(s);
}

/* Moments of q(z_u | z_t, z0) by Gaussian conditioning: an independent derivation. */
static void test_posterior_is_the_conditional_gaussian(void **state)
{
    (void)state;
    float z0[B * K], zt[B * K], mean[B * K], variance[B * K];
    draw(z0, "z0");
    draw(zt, "zt");
    for (int c = 0; c < COUPLINGS_N; c++) {
        an_schedule *s = make(AN_BETA_LINEAR, T, COUPLINGS[c]);
        for (int64_t now = 1; now <= T; now++)
            for (int64_t then = 0; then < now; then++) {
                int64_t t[B], u[B];
                fill(t, now);
                fill(u, then);
                const an_rows rows = {s, B, t, u, level_for(COUPLINGS[c])};
                assert_int_equal(an_posterior(&rows, z0, zt, mean, variance), AN_OK);
                for (int i = 0; i < B * K; i++) {
                    const int j = i % K;
                    const double level = rows.level ? rows.level[i / K] : 1;
                    double at, au, st, su;
                    by_hand(s, now, j, level, &at, &st);
                    by_hand(s, then, j, level, &au, &su);
                    const double vt = st * st, vu = su * su;
                    const double covariance = at / au * vu, gain = covariance / vt;
                    assert_true(vt - at * at / (au * au) * vu > -1e-15 * vt); /* τ² ≥ 0 */
                    assert_true(variance[i] >= 0 && variance[i] <= (float)vu * 1.000001f);
                    assert_true(fabs(variance[i] - (vu - gain * covariance)) < 1e-6);
                    assert_true(fabs(mean[i] - (au * z0[i] + gain * (zt[i] - at * z0[i]))) < 1e-5);
                }
            }
        an_schedule_free(s);
    }
}

static void test_ddim_with_eta_one_is_the_ddpm_posterior(void **state)
{
    (void)state;
    float y0[B * K], m[B * K], e[B * K], noise[B * K], y[B * K], z[B * K], z0[B * K], eh[B * K];
    float mean[B * K], variance[B * K], by_ddim[B * K], by_ddpm[B * K];
    draw(y0, "y0");
    draw(m, "m");
    draw(e, "e");
    draw(noise, "noise");
    for (int c = 0; c < COUPLINGS_N; c++)
        for (int64_t now = 1; now <= T; now++) {
            an_schedule *s = make(AN_BETA_LINEAR, T, COUPLINGS[c]);
            int64_t t[B], u[B];
            fill(t, now);
            fill(u, now - 1);
            const an_rows rows = {s, B, t, u, level_for(COUPLINGS[c])};
            noised(&rows, y0, m, e, y);
            /* ε̂ differs from ε: the identity must hold for any estimate. */
            assert_int_equal(an_estimate(&rows, AN_PREDICT_EPSILON, 0, y, m, noise, z0, eh), AN_OK);
            assert_int_equal(an_ddim_step(&rows, 1, m, z0, eh, e, by_ddim), AN_OK);
            for (int i = 0; i < B * K; i++)
                z[i] = y[i] - m[i];
            assert_int_equal(an_posterior(&rows, z0, z, mean, variance), AN_OK);
            for (int i = 0; i < B * K; i++)
                by_ddpm[i] = m[i] + mean[i] + sqrtf(variance[i]) * e[i];
            assert_near(by_ddim, by_ddpm, B * K, 2e-5);
            an_schedule_free(s);
        }
}

/* ── errors ─────────────────────────────────────────────────────────────────────── */

static void assert_error(an_code code, const char *words)
{
    assert_int_equal(code, AN_EINVAL);
    if (!strstr(an_err_message(), words))
        fail_msg("“%s” does not contain “%s”", an_err_message(), words);
}

static void test_errors_name_the_bad_row(void **state)
{
    (void)state;
    float x[B * K] = {0}, out[B * K], more[B * K];
    const float bad_level[B] = {1, 1, 0, 1, 1};
    int64_t t[B] = {3, 3, 3, 3, 3}, u[B] = {0, 1, 2, 0, 0};
    an_schedule *s = make(AN_BETA_LINEAR, T, AN_COUPLE_VARIANCE);
    an_schedule *sample = make(AN_BETA_LINEAR, T, AN_COUPLE_SAMPLE);
    an_rows rows = {s, B, t, u, NULL};
    assert_error(an_ddim_step(&rows, 1.5, x, x, x, x, out), "eta = 1.5");
    assert_error(an_ddim_step(&rows, 0.5, x, x, x, NULL, out), "requires the noise");
    assert_error(an_dpm_step(&rows, x, x, x, x, NULL, out), "both");
    assert_error(an_dpm_step(&rows, x, x, x, x, t, out), "row 1: the step before");
    u[3] = 3;
    assert_error(an_posterior(&rows, x, x, out, more), "row 4: u = 3");
    u[3] = 0;
    t[1] = T + 1;
    assert_error(an_posterior(&rows, x, x, out, more), "row 2: t = 25");
    t[1] = 0;
    assert_error(an_estimate(&rows, AN_PREDICT_Y0, 0, x, x, x, out, more), "row 2");
    t[1] = 3;
    rows.u = NULL;
    assert_error(an_ddim_step(&rows, 0, x, x, x, NULL, out), "earlier time");
    rows.level = bad_level;
    assert_error(an_gather(&rows, AN_NOISE, out), "belongs to coupling");
    rows.schedule = sample;
    assert_error(an_gather(&rows, AN_NOISE, out), "row 3: level = 0");
    rows.level = NULL;
    assert_error(an_gather(&rows, AN_NOISE, out), "levels_of_priors(m)");
    an_schedule_free(s);
    an_schedule_free(sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_form_is_the_markov_chain),
        cmocka_unit_test(test_noised_rows_and_gather_agree),
        cmocka_unit_test(test_levels_follow_labels_and_priors),
        cmocka_unit_test(test_estimate_inverts_every_prediction),
        cmocka_unit_test(test_clip_bounds_the_label_and_keeps_z),
        cmocka_unit_test(test_posterior_is_the_conditional_gaussian),
        cmocka_unit_test(test_ddim_with_eta_one_is_the_ddpm_posterior),
        cmocka_unit_test(test_errors_name_the_bad_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
