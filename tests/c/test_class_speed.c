/* Coupling `class_speed`: the time that a class's images have reached, against the definition by
 * log-SNR, against a simulation of training's draws, and against the density of the cosine. */
#include "process_rows.h"

static double log_snr(const an_schedule *s, int64_t t)
{
    const double bar = an_schedule_alpha_bar(s, t);
    return log(bar / (1 - bar));
}

/* `make` of process_rows.h with levels given. */
static an_schedule *with_levels(an_beta_kind beta, int64_t steps, const double *lambda)
{
    const an_schedule_spec spec = {.beta = an_beta_default(beta, steps),
                                   .lambda = lambda,
                                   .coupling = AN_COUPLE_CLASS_SPEED,
                                   .K = K};
    an_schedule *s = an_schedule_new(&spec);
    assert_non_null(s);
    return s;
}

static int64_t moved(const an_schedule *s, int64_t label, int64_t t, float within)
{
    int64_t out;
    assert_int_equal(an_times_of_labels(s, 1, &label, &t, &within, &out), AN_OK);
    return out;
}

static void test_a_level_of_1_leaves_every_time(void **state)
{
    (void)state;
    static const float within[] = {0, 0.5f, 0.99999994f};
    an_schedule *s = with_levels(AN_BETA_COSINE, 1000, (double[]){1, 1, 1});
    for (int64_t t = 1; t <= 1000; t++)
        for (int i = 0; i < 3; i++)
            assert_int_equal(moved(s, 1, t, within[i]), t);
    an_schedule_free(s);
}

/* With `within` = 0 the continuous time is t itself: t′ is the first step whose log-SNR is at most
 * ℓ(t) − 2 ln λ. */
static void test_the_log_snr_is_less_by_the_level(void **state)
{
    (void)state;
    const double lambda[K] = {0.5, 1.25, 3};
    const int64_t steps = 200;
    for (int beta = AN_BETA_LINEAR; beta <= AN_BETA_CONSTANT; beta++) {
        an_schedule *s = with_levels((an_beta_kind)beta, steps, lambda);
        for (int j = 0; j < K; j++)
            for (int64_t t = 1; t <= steps; t++) {
                const int64_t to = moved(s, j, t, 0);
                const double level = log_snr(s, t) - 2 * log(lambda[j]);
                assert_true(to == steps || log_snr(s, to) <= level + 1e-9);
                assert_true(to == 1 || log_snr(s, to - 1) > level - 1e-9);
            }
        an_schedule_free(s);
    }
}

/* Times drawn as in training, N of them per class: the counts of a step are binomial, so within 5
 * standard errors of N visits/T, and the shares of all steps sum to 1. */
static void test_visits_are_the_shares_of_training(void **state)
{
    (void)state;
    enum { N = 200000, STEPS = 40 };
    static const an_beta_kind betas[] = {AN_BETA_COSINE, AN_BETA_LINEAR};
    const double lambda[K] = {0.6, 1, 1.7};
    for (int k = 0; k < 2; k++) {
        an_schedule *s = with_levels(betas[k], STEPS, lambda);
        for (int j = 0; j < K; j++) {
            int64_t count[STEPS + 1] = {0};
            double sum = 0, visits[K];
            for (int i = 0; i < N; i++) {
                const uint64_t stream = an_stream("draws", (uint64_t)j, (uint64_t)k);
                const int64_t t = 1 + an_below(5, stream, (uint64_t)i, STEPS);
                float within;
                an_fill_uniform(&within, 1, 6, stream, (uint64_t)i);
                count[moved(s, j, t, within)]++;
            }
            for (int64_t t = 1; t <= STEPS; t++) {
                an_schedule_visits(s, t, visits);
                const double p = visits[j] / STEPS;
                sum += visits[j];
                assert_true(p >= 0 && p <= 1);
                assert_true(fabs(count[t] - N * p) <= 5 * sqrt(N * p * (1 - p)) + 1e-3);
            }
            assert_true(fabs(sum - STEPS) < 1e-9);
        }
        an_schedule_free(s);
    }
}

/* The cosine base has the density sech(ℓ/2) in ℓ: a class is at ℓ more often by sech(ℓ/2 + ln λ) /
 * sech(ℓ/2). Its offset and the width of a step blur this by less than 2 %. */
static void test_visits_are_the_ratio_of_densities(void **state)
{
    (void)state;
    const double lambda[K] = {0.5, 1.3, 2};
    an_schedule *s = with_levels(AN_BETA_COSINE, 2000, lambda);
    for (int64_t t = 200; t <= 1800; t += 100) {
        double visits[K];
        an_schedule_visits(s, t, visits);
        const double level = (log_snr(s, t) + log_snr(s, t - 1)) / 2;
        for (int j = 0; j < K; j++) {
            const double ratio = cosh(level / 2) / cosh(level / 2 + log(lambda[j]));
            assert_true(fabs(visits[j] / ratio - 1) < 0.02);
        }
    }
    an_schedule_free(s);
}

static void test_visits_of_other_couplings_are_1(void **state)
{
    (void)state;
    an_schedule *s = make(AN_BETA_COSINE, T, AN_COUPLE_SAMPLE);
    double visits[K];
    an_schedule_visits(s, 7, visits);
    for (int j = 0; j < K; j++)
        assert_true(visits[j] == 1);
    an_schedule_free(s);
}

/* A row's level moves a and s along the log-SNR and keeps a² + s² = 1; a level of 1, or none,
 * leaves the isotropic bits, whatever λ is. */
static void test_a_rows_level_shifts_its_log_snr(void **state)
{
    (void)state;
    an_schedule *s = make(AN_BETA_COSINE, 200, AN_COUPLE_CLASS_SPEED);
    const float level[1] = {1.7f}, one[1] = {1};
    float a[K], noise[K], a1[K], noise1[K];
    for (int64_t t = 0; t <= 190; t++) {
        const an_rows shifted = {s, 1, &t, NULL, level}, plain = {s, 1, &t, NULL, one};
        const an_rows none = {s, 1, &t, NULL, NULL};
        double by_a, by_noise;
        by_hand(s, t, 0, level[0], &by_a, &by_noise);
        assert_int_equal(an_gather(&shifted, AN_SIGNAL, a), AN_OK);
        assert_int_equal(an_gather(&shifted, AN_NOISE, noise), AN_OK);
        assert_true(fabs(a[0] / by_a - 1) < 1e-6);
        assert_true(t == 0 ? noise[0] == 0 : fabs(noise[0] / by_noise - 1) < 1e-6);
        assert_int_equal(an_gather(&plain, AN_SIGNAL, a), AN_OK);
        assert_int_equal(an_gather(&plain, AN_NOISE, noise), AN_OK);
        assert_int_equal(an_gather(&none, AN_SIGNAL, a1), AN_OK);
        assert_int_equal(an_gather(&none, AN_NOISE, noise1), AN_OK);
        assert_memory_equal(a, a1, sizeof a);
        assert_memory_equal(noise, noise1, sizeof noise);
        for (int j = 0; j < K; j++) {
            assert_true(a[j] == (float)sqrt(an_schedule_alpha_bar(s, t)));
            assert_true(noise[j] == (float)sqrt(1 - an_schedule_alpha_bar(s, t)));
        }
    }
    an_schedule_free(s);
}

static void refused(an_code code, const char *words)
{
    assert_int_equal(code, AN_EINVAL);
    if (!strstr(an_err_message(), words))
        fail_msg("“%s” does not contain “%s”", an_err_message(), words);
}

static void test_bad_rows_are_refused_by_number(void **state)
{
    (void)state;
    an_schedule *s = make(AN_BETA_COSINE, T, AN_COUPLE_CLASS_SPEED);
    int64_t labels[2] = {0, K}, t[2] = {1, T + 1}, out[2];
    float within[2] = {0, 1};
    refused(an_times_of_labels(s, 2, labels, t, within, out), "row 2: label 3");
    labels[1] = 0;
    refused(an_times_of_labels(s, 2, labels, t, within, out), "row 2: t = 25");
    t[1] = 0;
    refused(an_times_of_labels(s, 2, labels, t, within, out), "row 2: t = 0");
    t[1] = T;
    refused(an_times_of_labels(s, 2, labels, t, within, out), "row 2: within = 1");
    an_schedule_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_level_of_1_leaves_every_time),
        cmocka_unit_test(test_the_log_snr_is_less_by_the_level),
        cmocka_unit_test(test_visits_are_the_shares_of_training),
        cmocka_unit_test(test_visits_are_the_ratio_of_densities),
        cmocka_unit_test(test_visits_of_other_couplings_are_1),
        cmocka_unit_test(test_a_rows_level_shifts_its_log_snr),
        cmocka_unit_test(test_bad_rows_are_refused_by_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
