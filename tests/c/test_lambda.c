/* The class noise levels: closed forms, budgets, clipping, the bound, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "diffusion/lambda.h"

enum { K = 7 };
static const int64_t COUNTS[K] = {6705, 1113, 1099, 514, 327, 142, 115};

static void near(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance))
        fail_msg("%.17g is not %.17g within %g", a, b, tolerance);
}

static double spent(an_normalise normalise, const double *lambda)
{
    double sum = 0, weight = 0, largest = 0;
    for (int j = 0; j < K; j++) {
        const double n = normalise == AN_NORMALISE_PRIOR ? (double)COUNTS[j] : 1;
        sum += n * (normalise == AN_NORMALISE_GEOMETRIC ? log(lambda[j]) : lambda[j]);
        weight += n;
        largest = fmax(largest, lambda[j]);
    }
    return normalise == AN_NORMALISE_MAX         ? largest
           : normalise == AN_NORMALISE_GEOMETRIC ? exp(sum / weight)
                                                 : sum / weight;
}

static void test_policies_are_proportional_to_their_formulas(void **state)
{
    (void)state;
    double lambda[K];
    an_lambda_spec spec = an_lambda_default(AN_LAMBDA_POWER);
    spec.gamma = -0.5;
    assert_int_equal(an_lambda(&spec, K, COUNTS, lambda), AN_OK);
    for (int j = 1; j < K; j++)
        near(lambda[j] / lambda[0], sqrt((double)COUNTS[j] / COUNTS[0]), 1e-12);

    spec = an_lambda_default(AN_LAMBDA_BOUND);
    assert_int_equal(an_lambda(&spec, K, COUNTS, lambda), AN_OK);
    for (int j = 1; j < K; j++)
        near(lambda[j] / lambda[0], pow((double)COUNTS[j] / COUNTS[0], -0.25), 1e-12);

    spec = an_lambda_default(AN_LAMBDA_EFFECTIVE);
    spec.beta = 0.99;
    assert_int_equal(an_lambda(&spec, K, COUNTS, lambda), AN_OK);
    for (int j = 1; j < K; j++)
        near(lambda[j] / lambda[0],
             sqrt((1 - pow(0.99, (double)COUNTS[0])) / (1 - pow(0.99, (double)COUNTS[j]))), 1e-10);

    const double given[K] = {1, 2, 3, 4, 5, 6, 7};
    spec = an_lambda_default(AN_LAMBDA_MANUAL);
    spec.manual = given;
    assert_int_equal(an_lambda(&spec, K, NULL, lambda), AN_OK);
    for (int j = 0; j < K; j++)
        near(lambda[j], given[j] / 4, 1e-12);
    spec.normalise = AN_NORMALISE_NONE;
    assert_int_equal(an_lambda(&spec, K, NULL, lambda), AN_OK);
    assert_memory_equal(lambda, given, sizeof given);
}

static void test_budget_and_clip_hold_together(void **state)
{
    (void)state;
    static const double ranges[][2] = {{0, INFINITY},  {0.5, INFINITY}, {0, 1.5},      {0.8, 1.3},
                                       {0.999, 1.001}, {1, 1},          {1, INFINITY}, {0, 1}};
    for (int policy = AN_LAMBDA_POWER; policy <= AN_LAMBDA_EFFECTIVE; policy++)
        for (int normalise = AN_NORMALISE_MEAN; normalise <= AN_NORMALISE_MAX; normalise++)
            for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
                an_lambda_spec spec = an_lambda_default((an_lambda_policy)policy);
                double lambda[K];
                spec.gamma = 0.7;
                spec.normalise = (an_normalise)normalise;
                spec.min = ranges[r][0];
                spec.max = ranges[r][1];
                assert_int_equal(an_lambda(&spec, K, COUNTS, lambda), AN_OK);
                near(spent(spec.normalise, lambda), 1, 1e-12);
                for (int j = 0; j < K; j++) {
                    assert_true(lambda[j] >= spec.min && lambda[j] <= spec.max);
                    assert_true(j == 0 || lambda[j] >= lambda[j - 1]); /* rarer: wider */
                }
            }
}

static double term(const an_bound_spec *b, double n, double lambda)
{
    return b->A / (pow(lambda, b->p) * sqrt(n)) + b->Dn * pow(lambda, b->q);
}

/* Golden-section search over ln λ, in which the term is convex. */
static double minimiser(const an_bound_spec *b, double n)
{
    const double ratio = (sqrt(5) - 1) / 2;
    double low = -20, high = 20;
    while (high - low > 1e-9) {
        const double left = high - ratio * (high - low), right = low + ratio * (high - low);
        if (term(b, n, exp(left)) < term(b, n, exp(right)))
            high = right;
        else
            low = left;
    }
    return exp((low + high) / 2);
}

static void test_bound_policy_minimises_the_bound(void **state)
{
    (void)state;
    static const an_bound_spec bounds[] = {
        {1, 1, 1, 1}, {2, 0.3, 1, 2}, {0.5, 4, 2, 1}, {1, 1, 0.5, 3}, {10, 1, 1.5, 0.5}};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        an_lambda_spec spec = an_lambda_default(AN_LAMBDA_BOUND);
        double lambda[K], value, g[K], d[K], sum = 0;
        spec.bound = bounds[i];
        spec.normalise = AN_NORMALISE_NONE;
        assert_int_equal(an_lambda(&spec, K, COUNTS, lambda), AN_OK);
        assert_int_equal(an_bound(&spec.bound, K, COUNTS, lambda, &value, g, d), AN_OK);
        for (int j = 0; j < K; j++) {
            /* A minimum is flat: its place is known to the square root of the precision. */
            near(lambda[j] / minimiser(&bounds[i], (double)COUNTS[j]), 1, 1e-6);
            near(g[j] + d[j], term(&bounds[i], (double)COUNTS[j], lambda[j]), 1e-12);
            near(bounds[i].p * g[j], bounds[i].q * d[j], 1e-10 * d[j]); /* first order */
            sum += g[j] + d[j];
        }
        near(value, sum / K, 1e-12 * value);
    }
}

static void refused(an_code code, const char *words)
{
    assert_int_equal(code, AN_EINVAL);
    if (!strstr(an_err_message(), words))
        fail_msg("“%s” does not say “%s”", an_err_message(), words);
}

static void test_bad_levels_name_the_class(void **state)
{
    (void)state;
    static const double bad[] = {0, -1, NAN, INFINITY};
    double lambda[K], given[K] = {1, 1, 1, 1, 1, 1, 1};
    an_lambda_spec spec = an_lambda_default(AN_LAMBDA_MANUAL);
    refused(an_lambda(&spec, K, NULL, lambda), "one level per class");
    spec.manual = given;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        given[4] = bad[i];
        refused(an_lambda(&spec, K, NULL, lambda), "class 5 has lambda[5]");
    }
}

static void test_counts_are_wanted_where_used(void **state)
{
    (void)state;
    const int64_t empty[K] = {6705, 1113, 1099, 0, 327, 142, 115};
    double lambda[K];
    for (int policy = AN_LAMBDA_POWER; policy <= AN_LAMBDA_EFFECTIVE; policy++) {
        const an_lambda_spec spec = an_lambda_default((an_lambda_policy)policy);
        refused(an_lambda(&spec, K, NULL, lambda), "give counts");
        refused(an_lambda(&spec, K, empty, lambda), "class 4 has counts[4] = 0");
    }
    an_lambda_spec isotropic = an_lambda_default(AN_LAMBDA_ISOTROPIC);
    assert_int_equal(an_lambda(&isotropic, K, NULL, lambda), AN_OK);
    assert_int_equal(an_lambda(&isotropic, K, empty, lambda), AN_OK);
    refused(an_bound(&isotropic.bound, K, empty, lambda, NULL, NULL, NULL), "counts[4]");
    isotropic.normalise = AN_NORMALISE_PRIOR;
    refused(an_lambda(&isotropic, K, NULL, lambda), "give counts");
}

static void test_bad_options_are_refused(void **state)
{
    (void)state;
    double lambda[K];
    an_lambda_spec spec = an_lambda_default(AN_LAMBDA_BOUND);
    spec.bound.q = 0;
    refused(an_lambda(&spec, K, COUNTS, lambda), "q = 0");
    spec = an_lambda_default(AN_LAMBDA_EFFECTIVE);
    spec.beta = 1;
    refused(an_lambda(&spec, K, COUNTS, lambda), "lambda.beta");
    spec = an_lambda_default(AN_LAMBDA_POWER);
    spec.gamma = NAN;
    refused(an_lambda(&spec, K, COUNTS, lambda), "lambda.gamma");
    spec.gamma = 400; /* 6705^-400 is 0 in double */
    refused(an_lambda(&spec, K, COUNTS, lambda), "lambda[1]");
    spec.gamma = 1;
    spec.min = 1.2;
    spec.max = 2;
    refused(an_lambda(&spec, K, COUNTS, lambda), "min <= 1 <= max");
    spec.max = 1;
    refused(an_lambda(&spec, K, COUNTS, lambda), "min <= max");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies_are_proportional_to_their_formulas),
        cmocka_unit_test(test_budget_and_clip_hold_together),
        cmocka_unit_test(test_bound_policy_minimises_the_bound),
        cmocka_unit_test(test_bad_levels_name_the_class),
        cmocka_unit_test(test_counts_are_wanted_where_used),
        cmocka_unit_test(test_bad_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
