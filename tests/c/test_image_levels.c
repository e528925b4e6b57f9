/* Coupling `image`: levels per row and class. A row at the levels λ_1 … λ_K is a row of the
 * coupling `variance` with this λ in every formula; the levels of an image follow its prior. */
#include "process_rows.h"

static const double LAMBDA[K] = {0.5, 1.25, 2}; /* exact in a float */

typedef struct {
    float signal[B * K], noise[B * K], y_t[B * K], z0[B * K], epsilon[B * K];
    float mean[B * K], variance[B * K], ddim[B * K], dpm[B * K];
} results;

/* Every formula of process.h at the same inputs. */
static void all_formulas(const an_rows *rows, results *out)
{
    float x[4][B * K];
    for (int i = 0; i < 4; i++)
        an_fill_normal(x[i], (int64_t)B * K, 5, an_stream("image", i, 0), 0);
    const int64_t before[B] = {T, T, T, T, T};
    assert_int_equal(an_gather(rows, AN_SIGNAL, out->signal), AN_OK);
    assert_int_equal(an_gather(rows, AN_NOISE, out->noise), AN_OK);
    assert_int_equal(an_forward_step(rows, x[0], x[1], x[2], out->y_t), AN_OK);
    assert_int_equal(an_estimate(rows, AN_PREDICT_V, 1, x[0], x[1], x[2], out->z0, out->epsilon),
                     AN_OK);
    assert_int_equal(an_posterior(rows, x[0], x[1], out->mean, out->variance), AN_OK);
    assert_int_equal(an_ddim_step(rows, 0.5, x[0], x[1], x[2], x[3], out->ddim), AN_OK);
    assert_int_equal(an_dpm_step(rows, x[0], x[1], x[2], x[3], before, out->dpm), AN_OK);
}

static void test_a_row_is_one_of_coupling_variance(void **state)
{
    (void)state;
    const double ones[K] = {1, 1, 1};
    const int64_t t[B] = {2, 9, 14, 20, T - 1}, u[B] = {1, 4, 0, 13, 20};
    float level[B * K];
    for (int i = 0; i < B * K; i++)
        level[i] = (float)LAMBDA[i % K];
    an_schedule *image = make_with(AN_BETA_COSINE, T, AN_COUPLE_IMAGE, ones),
                *variance = make_with(AN_BETA_COSINE, T, AN_COUPLE_VARIANCE, LAMBDA);
    results of_image, of_variance;
    all_formulas(&(an_rows){image, B, t, u, level}, &of_image);
    all_formulas(&(an_rows){variance, B, t, u, NULL}, &of_variance);
    const float *a = (const float *)&of_image, *b = (const float *)&of_variance;
    for (size_t i = 0; i < sizeof of_image / sizeof *a; i++)
        assert_true(fabs(a[i] - b[i]) <= 1e-6 * (1 + fabs(b[i])));
    an_schedule_free(image);
    an_schedule_free(variance);
}

/* λ_j √(m_j (1 − m_j) + c / √n_j) over its mean, computed here; a prior without mass is uniform. */
static void test_levels_follow_the_uncertainty_of_the_prior(void **state)
{
    (void)state;
    const float m[3 * K] = {0.9f, 0.1f, 0, 0.2f, 0.3f, 0.5f, 0, 0, 0};
    const double floor = 0.7;
    an_schedule *s = make_with(AN_BETA_COSINE, T, AN_COUPLE_IMAGE, LAMBDA);
    float level[3 * K];
    assert_int_equal(an_levels_of_uncertainty(s, 3, m, floor, level), AN_OK);
    for (int b = 0; b < 3; b++) {
        double raw[K], sum = 0;
        for (int j = 0; j < K; j++) {
            const double p = b == 2 ? 1.0 / K : (double)m[b * K + j];
            sum += raw[j] = LAMBDA[j] * sqrt(p - p * p + floor / sqrt((double)COUNTS[j]));
        }
        for (int j = 0; j < K; j++)
            assert_true(fabs(level[b * K + j] - K * raw[j] / sum) < 1e-6);
    }
    /* a sure prior: the more images a class has, the lower its level */
    assert_true(level[0] < level[1] && level[1] < level[2]);
    an_schedule_free(s);
}

static void test_mistakes(void **state)
{
    (void)state;
    const float m[K] = {1, 0, 0}, bad[K] = {1, 1, 0};
    const int64_t t[1] = {3};
    float out[K];
    an_schedule *s = make_with(AN_BETA_COSINE, T, AN_COUPLE_IMAGE, LAMBDA);
    an_rows rows = {s, 1, t, NULL, NULL};
    assert_int_equal(an_gather(&rows, AN_NOISE, out), AN_EINVAL);
    assert_non_null(strstr(an_err_message(), "levels_of_uncertainty(m)"));
    rows.level = bad;
    assert_int_equal(an_gather(&rows, AN_NOISE, out), AN_EINVAL);
    assert_non_null(strstr(an_err_message(), "row 1: level = 0"));
    assert_int_equal(an_levels_of_uncertainty(s, 1, m, 0, out), AN_EINVAL);
    assert_int_equal(an_levels_of_uncertainty(s, 1, m, NAN, out), AN_EINVAL);
    an_schedule_free(s);
    const an_schedule_spec without = {.beta = an_beta_default(AN_BETA_COSINE, T),
                                      .lambda = LAMBDA,
                                      .coupling = AN_COUPLE_IMAGE,
                                      .K = K};
    s = an_schedule_new(&without);
    assert_int_equal(an_levels_of_uncertainty(s, 1, m, 1, out), AN_EINVAL);
    assert_non_null(strstr(an_err_message(), "class 1"));
    an_schedule_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_row_is_one_of_coupling_variance),
        cmocka_unit_test(test_levels_follow_the_uncertainty_of_the_prior),
        cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests_name("image_levels", tests, NULL, NULL);
}
