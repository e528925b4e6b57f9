/* mmd against the double sum of the definition, its gradient against differences of that
 * sum, and the properties of the definition: zero for equal sets, positive, unbiased. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory/mem.h"
#include "base/par.h"
#include "base/rng.h"
#include "base/memory/tensor_heap.h"
#include "kernel/pointwise/mmd.h"

enum { B = 70, K = 7 }; /* more than one tile of rows */

static const an_mmd_args biased = {.n = 3, .multiplier = {0.5, 1, 2}};
static const an_mmd_args unbiased = {.n = 2, .multiplier = {1, 4}, .base = 3, .unbiased = true};

static double kernel(const double *x, const double *y, int64_t k, const an_mmd_args *args)
{
    double distance = 0, sum = 0, base = args->base > 0 ? args->base : 2.0 * (double)k;
    for (int64_t c = 0; c < k; c++)
        distance += (x[c] - y[c]) * (x[c] - y[c]);
    for (int i = 0; i < args->n; i++)
        sum += exp(-distance / (2 * base * args->multiplier[i]));
    return sum / args->n;
}

static double reference(const double *a, const double *b, int64_t n, int64_t k,
                        const an_mmd_args *args)
{
    double same = 0, cross = 0, rows = (double)n;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            if (i != j || !args->unbiased)
                same +=
                    kernel(a + i * k, a + j * k, k, args) + kernel(b + i * k, b + j * k, k, args);
            cross += kernel(a + i * k, b + j * k, k, args);
        }
    return same / (rows * (args->unbiased ? rows - 1 : rows)) - 2 * cross / (rows * rows);
}

static float a[B * K], b[B * K], ga[B * K], gb[B * K];
static double x[2][B * K];

static void draw(uint64_t seed, double shift)
{
    an_fill_normal(a, B * K, seed, 1, 0);
    an_fill_normal(b, B * K, seed, 2, 0);
    for (int i = 0; i < B * K; i++) {
        b[i] += (float)shift;
        x[0][i] = a[i];
        x[1][i] = b[i];
    }
}

static void assert_near(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("got %.9g, expected %.9g", got, expected);
}

static void value_and_gradient(void **state)
{
    (void)state;
    const an_mmd_args *forms[] = {&biased, &unbiased};
    draw(3, 0.4);
    for (int form = 0; form < 2; form++)
        for (int64_t rows = B; rows > 1; rows = rows == B ? 64 : rows == 64 ? 5 : 1) {
            double value;
            assert_int_equal(an_k_mmd(&value, ga, gb, a, b, rows, K, forms[form]), AN_OK);
            assert_near(value, reference(x[0], x[1], rows, K, forms[form]), 1e-6);
            for (int64_t i = 0; i < 2 * rows * K; i += 29) {
                int side = i >= rows * K;
                double *at = &x[side][i - side * rows * K], keep = *at, h = 1e-4;
                *at = keep + h;
                double up = reference(x[0], x[1], rows, K, forms[form]);
                *at = keep - h;
                double down = reference(x[0], x[1], rows, K, forms[form]);
                *at = keep;
                assert_near((side ? gb : ga)[i - side * rows * K], (up - down) / (2 * h), 1e-7);
            }
        }
}

/* With one gradient only, pairs across the sets are computed from the rows of that set. */
static void omitted_gradients_change_nothing(void **state)
{
    (void)state;
    static float alone[B * K];
    double both, one;
    draw(6, 0.3);
    an_k_mmd(&both, ga, gb, a, b, B, K, &biased);
    for (int side = 0; side < 3; side++) {
        an_k_mmd(&one, side == 0 ? alone : NULL, side == 1 ? alone : NULL, a, b, B, K, &biased);
        assert_near(one, both, 1e-7);
        if (side < 2)
            assert_memory_equal(alone, side == 0 ? ga : gb, sizeof alone);
    }
}

static void equal_sets_are_at_distance_zero(void **state)
{
    (void)state;
    double value, distance;
    draw(4, 1);
    assert_int_equal(an_k_mmd(&value, NULL, gb, a, a, B, K, &biased), AN_OK);
    assert_near(value, 0, 1e-9);
    for (int i = 0; i < B * K; i++)
        assert_near(gb[i], 0, 1e-8);
    assert_int_equal(an_k_mmd(&distance, NULL, NULL, a, b, B, K, &biased), AN_OK);
    assert_true(distance > 0.1);
}

/* For samples of one distribution, the unbiased estimate has mean zero; the biased one has not. */
static void unbiased_estimate_has_mean_zero(void **state)
{
    (void)state;
    enum { DRAWS = 40, ROWS = 10 };
    double mean = 0, mean_biased = 0;
    an_mmd_args plain = unbiased;
    plain.unbiased = false;
    for (int i = 0; i < DRAWS; i++) {
        double value;
        draw((uint64_t)(100 + i), 0);
        an_k_mmd(&value, NULL, NULL, a, b, ROWS, K, &unbiased);
        mean += value / DRAWS;
        an_k_mmd(&value, NULL, NULL, a, b, ROWS, K, &plain);
        mean_biased += value / DRAWS;
    }
    assert_near(mean, 0, 0.015);
    assert_true(mean_biased > 0.05);
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    static float first[B * K];
    double value[2];
    draw(5, 0.2);
    for (int run = 0; run < 2; run++) {
        an_set_threads(run ? 3 : 1);
        an_k_mmd(&value[run], run ? ga : first, NULL, a, b, B, K, &biased);
    }
    assert_memory_equal(&value[0], &value[1], sizeof value[0]);
    assert_memory_equal(first, ga, sizeof first);
}

static void out_of_memory_is_reported_and_leaks_nothing(void **state)
{
    (void)state;
    double value;
    for (int warm = 0; warm <= 1; warm++) {
        an_tensor_heap_trim();
        if (warm)
            assert_int_equal(an_k_mmd(&value, ga, gb, a, b, B, K, &biased), AN_OK);
        int64_t live = an_mem_live();
        an_mem_fail_at(1);
        assert_int_equal(an_k_mmd(&value, ga, gb, a, b, B, K, &biased), AN_ENOMEM);
        an_mem_fail_at(0);
        assert_int_equal(an_mem_live(), live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value_and_gradient),
        cmocka_unit_test(omitted_gradients_change_nothing),
        cmocka_unit_test(equal_sets_are_at_distance_zero),
        cmocka_unit_test(unbiased_estimate_has_mean_zero),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(out_of_memory_is_reported_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
