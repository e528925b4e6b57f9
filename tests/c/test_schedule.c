/* The tables a and s: base schedules, couplings, time lists, errors, no leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "base/memory/mem.h"
#include "diffusion/schedule.h"

static const int64_t COUNTS[7] = {6705, 1113, 1099, 514, 327, 142, 115};

static const double ONES[7] = {1, 1, 1, 1, 1, 1, 1};
/* ∝ n^(−1/4) with mean 1. */
static const double RISING[7] = {0.5165533, 0.8092645, 0.8118376, 0.9816809,
                                 1.0991825, 1.3540532, 1.4274280};

static an_schedule_spec make_spec(an_beta_kind beta, int64_t T, const double *lambda,
                                  an_coupling coupling)
{
    return (an_schedule_spec){.beta = an_beta_default(beta, T),
                              .lambda = lambda,
                              .coupling = coupling,
                              .K = 7,
                              .counts = COUNTS};
}

static an_schedule *make(an_beta_kind beta, int64_t T, const double *lambda, an_coupling coupling)
{
    const an_schedule_spec spec = make_spec(beta, T, lambda, coupling);
    an_schedule *s = an_schedule_new(&spec);
    assert_non_null(s);
    return s;
}

static void assert_near(double a, double b, double relative)
{
    if (!(fabs(a - b) <= relative * fmax(fabs(a), fabs(b))))
        fail_msg("%.17g is not %.17g to %g", a, b, relative);
}

/* Values of ᾱ computed in Python from the papers' formulas. */
static void test_base_schedules_have_their_published_values(void **state)
{
    (void)state;
    static const struct {
        an_beta_kind kind;
        int64_t t;
        double alpha_bar;
    } known[] = {{AN_BETA_LINEAR, 500, 0.0785872428818},
                 {AN_BETA_LINEAR, 1000, 4.03582976538e-05},
                 {AN_BETA_SCALED_LINEAR, 1000, 0.00466009851308},
                 {AN_BETA_QUADRATIC, 1000, 0.000733412459581},
                 {AN_BETA_COSINE, 500, 0.493843590441},
                 {AN_BETA_COSINE, 1000, 2.42876690703e-09},
                 {AN_BETA_SIGMOID, 1000, 3.96818199053e-05},
                 {AN_BETA_CONSTANT, 1000, 1.68296735722e-09}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        an_schedule *s = make(known[i].kind, 1000, ONES, AN_COUPLE_VARIANCE);
        assert_near(an_schedule_alpha_bar(s, known[i].t), known[i].alpha_bar, 1e-9);
        assert_true(an_schedule_alpha_bar(s, 0) == 1);
        an_schedule_free(s);
    }
}

static void test_the_final_noise_hardly_depends_on_T(void **state)
{
    (void)state;
    static const int64_t steps[] = {1, 2, 5, 20, 100, 1000, 4000};
    for (int kind = AN_BETA_LINEAR; kind <= AN_BETA_CONSTANT; kind++)
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            const int64_t T = steps[i];
            an_schedule *s = make((an_beta_kind)kind, T, RISING, AN_COUPLE_VARIANCE);
            assert_true(an_schedule_alpha_bar(s, T) > 0);
            if (T >= 100)
                assert_true(an_schedule_alpha_bar(s, T) < 5e-3);
            an_schedule_free(s);
        }
}

static void test_signal_falls_and_noise_grows(void **state)
{
    (void)state;
    for (int kind = AN_BETA_LINEAR; kind <= AN_BETA_CONSTANT; kind++)
        for (int coupling = AN_COUPLE_VARIANCE; coupling <= AN_COUPLE_CLASS_SPEED; coupling++) {
            an_schedule *s = make((an_beta_kind)kind, 300, RISING, (an_coupling)coupling);
            for (int64_t t = 1; t <= 300; t++)
                for (int64_t j = 0; j < 7; j++) {
                    assert_true(an_schedule_signal(s, t)[j] <= an_schedule_signal(s, t - 1)[j]);
                    assert_true(an_schedule_noise(s, t)[j] >= an_schedule_noise(s, t - 1)[j]);
                    assert_true(an_schedule_signal(s, t)[j] > 0);
                }
            assert_true(an_schedule_signal(s, 0)[6] == 1 && an_schedule_noise(s, 0)[6] == 0);
            an_schedule_free(s);
        }
}

static void test_couplings_have_their_closed_forms(void **state)
{
    (void)state;
    an_schedule *variance = make(AN_BETA_LINEAR, 50, RISING, AN_COUPLE_VARIANCE);
    an_schedule *speed = make(AN_BETA_LINEAR, 50, RISING, AN_COUPLE_SPEED);
    an_schedule *sample = make(AN_BETA_LINEAR, 50, RISING, AN_COUPLE_SAMPLE);
    for (int64_t t = 0; t <= 50; t++)
        for (int64_t j = 0; j < 7; j++) {
            const double bar = an_schedule_alpha_bar(variance, t);
            const double lambda = an_schedule_lambda(variance)[j], fast = exp(lambda * log(bar));
            assert_near(an_schedule_signal(variance, t)[j], sqrt(bar), 1e-12);
            assert_near(an_schedule_noise(variance, t)[j], lambda * sqrt(1 - bar), 1e-12);
            assert_near(an_schedule_signal(speed, t)[j], sqrt(fast), 1e-12);
            assert_near(an_schedule_noise(speed, t)[j], sqrt(1 - fast), 1e-9);
            assert_near(an_schedule_noise(sample, t)[j], sqrt(1 - bar), 1e-12);
        }
    an_schedule_free(variance);
    an_schedule_free(speed);
    an_schedule_free(sample);
}

/* λ ≡ 1 in any coupling gives √ᾱ and √(1−ᾱ), bit for bit. */
static void test_unit_lambda_is_isotropic_bit_for_bit(void **state)
{
    (void)state;
    for (int coupling = AN_COUPLE_VARIANCE; coupling <= AN_COUPLE_CLASS_SPEED; coupling++) {
        an_schedule *s = make(AN_BETA_COSINE, 200, ONES, (an_coupling)coupling);
        for (int64_t t = 0; t <= 200; t++)
            for (int64_t j = 0; j < 7; j++) {
                const double bar = an_schedule_alpha_bar(s, t);
                assert_true(an_schedule_signal(s, t)[j] == sqrt(bar));
                assert_true(an_schedule_noise(s, t)[j] == sqrt(1 - bar));
            }
        an_schedule_free(s);
    }
}

static void test_times_fall_from_T_to_zero(void **state)
{
    (void)state;
    static const int64_t steps[] = {1, 2, 3, 17, 1000};
    for (int kind = AN_BETA_LINEAR; kind <= AN_BETA_COSINE; kind += AN_BETA_COSINE)
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            const int64_t T = steps[i];
            an_schedule *s = make((an_beta_kind)kind, T, ONES, AN_COUPLE_VARIANCE);
            for (int spacing = AN_SPACING_UNIFORM; spacing <= AN_SPACING_LOGSNR; spacing++)
                for (int64_t S = 1; S <= T; S += S < 20 ? 1 : 97) {
                    int64_t times[1001];
                    assert_int_equal(an_times(s, S, (an_spacing)spacing, times), AN_OK);
                    assert_int_equal(times[0], T);
                    assert_int_equal(times[S], 0);
                    for (int64_t k = 1; k <= S; k++)
                        assert_true(times[k] < times[k - 1]);
                }
            an_schedule_free(s);
        }
}

static void test_spacings_have_their_definitions(void **state)
{
    (void)state;
    an_schedule *s = make(AN_BETA_LINEAR, 1000, ONES, AN_COUPLE_VARIANCE);
    int64_t uniform[5], quadratic[5], logsnr[5];
    assert_int_equal(an_times(s, 4, AN_SPACING_UNIFORM, uniform), AN_OK);
    assert_int_equal(an_times(s, 4, AN_SPACING_QUADRATIC, quadratic), AN_OK);
    assert_int_equal(an_times(s, 4, AN_SPACING_LOGSNR, logsnr), AN_OK);
    assert_true(uniform[1] == 750 && uniform[2] == 500 && uniform[3] == 250);
    assert_true(quadratic[1] == 563 && quadratic[2] == 250 && quadratic[3] == 63);
    assert_int_equal(logsnr[3], 1);
    const double first = an_schedule_alpha_bar(s, 1000), last = an_schedule_alpha_bar(s, 1);
    const double third = an_schedule_alpha_bar(s, logsnr[1]);
    const double from = log(first / (1 - first)), to = log(last / (1 - last));
    assert_true(fabs(log(third / (1 - third)) - (from + (to - from) / 3)) < 0.02);
    assert_int_equal(an_times(s, 0, AN_SPACING_UNIFORM, uniform), AN_EINVAL);
    assert_int_equal(an_times(s, 1001, AN_SPACING_UNIFORM, uniform), AN_EINVAL);
    an_schedule_free(s);
}

static void assert_error(const an_schedule_spec *spec, const char *words)
{
    assert_null(an_schedule_new(spec));
    assert_int_equal(an_err_code(), AN_EINVAL);
    if (!strstr(an_err_message(), words))
        fail_msg("“%s” does not contain “%s”", an_err_message(), words);
}

static void test_errors_name_the_bad_value(void **state)
{
    (void)state;
    const an_schedule_spec good = make_spec(AN_BETA_LINEAR, 10, RISING, AN_COUPLE_SPEED);
    an_schedule_spec bad = good;
    bad.beta.T = 0;
    assert_error(&bad, "T = 0");
    bad = good;
    bad.beta.start = 0;
    assert_error(&bad, "beta_start");
    bad = good;
    bad.beta.end = NAN;
    assert_error(&bad, "beta_end");
    bad = good;
    bad.beta.offset = -1;
    assert_error(&bad, "offset");
    bad = good;
    bad.beta.max = 1;
    assert_error(&bad, "beta_max");
    bad = good;
    bad.K = 0;
    assert_error(&bad, "K = 0");
    bad = good;
    const double tiny[7] = {1, 1, 1e-200, 1, 1, 1, 1};
    bad.lambda = tiny; /* its noise is 0 in float */
    assert_error(&bad, "lambda[3]");
    static const double wrong[] = {0, -1, NAN, INFINITY};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const double levels[7] = {1, 1, 1, 1, wrong[i], 1, 1};
        bad.lambda = levels;
        assert_error(&bad, "class 5 has lambda[5]");
    }
    const int64_t negative[7] = {1, 2, 3, 4, 5, 6, -7};
    bad = good;
    bad.counts = negative;
    assert_error(&bad, "counts[7]");
}

static void test_strong_levels_stay_finite(void **state)
{
    (void)state;
    const double strong[7] = {100, 1, 1, 1, 1, 1, 1e-3};
    an_schedule *s = make(AN_BETA_CONSTANT, 1000, strong, AN_COUPLE_SPEED);
    assert_true(an_schedule_signal(s, 1000)[0] == 1e-10);
    assert_true(an_schedule_noise(s, 1)[6] > 1e-4);
    an_schedule_free(s);
}

static void test_nothing_leaks(void **state)
{
    (void)state;
    const int64_t live = an_mem_live();
    const an_schedule_spec spec = make_spec(AN_BETA_COSINE, 30, RISING, AN_COUPLE_SPEED);
    int failures = 0;
    for (int64_t nth = 1; nth < 20; nth++) {
        an_mem_fail_at(nth);
        an_schedule *s = an_schedule_new(&spec);
        an_mem_fail_at(0);
        failures += !s;
        an_schedule_free(s);
        assert_int_equal(an_mem_live(), live);
    }
    assert_int_equal(failures, 6); /* the struct, four tables, the counts */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_schedules_have_their_published_values),
        cmocka_unit_test(test_the_final_noise_hardly_depends_on_T),
        cmocka_unit_test(test_signal_falls_and_noise_grows),
        cmocka_unit_test(test_couplings_have_their_closed_forms),
        cmocka_unit_test(test_unit_lambda_is_isotropic_bit_for_bit),
        cmocka_unit_test(test_times_fall_from_T_to_zero),
        cmocka_unit_test(test_spacings_have_their_definitions),
        cmocka_unit_test(test_errors_name_the_bad_value),
        cmocka_unit_test(test_strong_levels_stay_finite),
        cmocka_unit_test(test_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
