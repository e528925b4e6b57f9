/* map: every kind against a double reference and its derivative against a difference. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/par.h"
#include "kernel/pointwise/map.h"
#include "kernel/common/fast_exp.h"

static double reference(int kind, double x)
{
    switch (kind) {
    case AN_RELU:
        return x > 0 ? x : 0;
    case AN_GELU:
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    case AN_SILU:
        return x / (1 + exp(-x));
    case AN_SIGMOID:
        return 1 / (1 + exp(-x));
    case AN_TANH:
        return tanh(x);
    case AN_SOFTPLUS:
        return log1p(exp(x));
    case AN_EXP:
        return exp(x);
    case AN_LOG:
        return log(x);
    case AN_SQRT:
        return sqrt(x);
    case AN_SQUARE:
        return x * x;
    }
    fail_msg("kind %d has no reference", kind);
    return 0;
}

static int requires_positive(int kind)
{
    return kind == AN_LOG || kind == AN_SQRT;
}

static void assert_near(double got, double expected, double relative)
{
    if (!(fabs(got - expected) <= relative * fmax(1, fabs(expected))))
        fail_msg("got %.9g, expected %.9g", got, expected);
}

static void values_and_derivatives(void **state)
{
    (void)state;
    enum { N = 601 }; /* more than one block of a sum */
    float x[N], y[N], dy[N], dx[N];
    for (int kind = AN_RELU; kind <= AN_SQUARE; kind++) {
        for (int i = 0; i < N; i++) {
            x[i] = requires_positive(kind) ? 0.02f * (float)(i + 1)
                                           : 0.05f * (float)(i - 300) + 0.011f;
            dy[i] = 1 + 0.001f * (float)i;
            dx[i] = 3;
        }
        an_k_map_forward(kind, y, x, N);
        an_k_map_backward(kind, dx, 1, dy, x, y, N);
        for (int i = 0; i < N; i++) {
            double h = 1e-5, up = reference(kind, x[i] + h), down = reference(kind, x[i] - h);
            assert_near(y[i], reference(kind, x[i]), 2e-6);
            assert_near(dx[i], 3 + dy[i] * (up - down) / (2 * h), 2e-5); /* accumulated */
            dx[i] = dy[i];
        }
        an_k_map_backward(kind, dy, 0, dy, x, y, N); /* in place */
        for (int i = 0; i < N; i++) {
            double h = 1e-5, up = reference(kind, x[i] + h), down = reference(kind, x[i] - h);
            assert_near(dy[i], dx[i] * (up - down) / (2 * h), 2e-5);
        }
    }
}

static void extremes_stay_finite(void **state)
{
    (void)state;
    const float x[] = {-200, -89, 89, 200};
    const int kinds[] = {AN_GELU, AN_SILU, AN_SIGMOID, AN_TANH, AN_SOFTPLUS};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        float y[4], dx[4] = {0}, dy[4] = {1, 1, 1, 1};
        an_k_map_forward(kinds[k], y, x, 4);
        an_k_map_backward(kinds[k], dx, 0, dy, x, y, 4);
        for (int i = 0; i < 4; i++) {
            assert_near(y[i], reference(kinds[k], x[i]), 1e-6);
            assert_true(isfinite(dx[i]));
        }
    }
}

static void nan_propagates(void **state)
{
    (void)state;
    for (int kind = AN_RELU; kind <= AN_SQUARE; kind++) {
        float x = NAN, y = 0;
        an_k_map_forward(kind, &y, &x, 1);
        assert_true(isnan(y));
    }
}

static void exponential_is_accurate(void **state)
{
    (void)state;
    for (double x = -87; x < 88; x += 0.0137) {
        double expected = exp((double)(float)x);
        assert_true(fabs(an_expf((float)x) - expected) <= 3e-7 * expected);
    }
    assert_true(an_expf(-100) == 0 && an_expf(-INFINITY) == 0 && an_expf(0) == 1);
    assert_true(isfinite(an_expf(INFINITY)));
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    enum { N = 50001 };
    static float x[N], y[2][N], dx[2][N];
    for (int i = 0; i < N; i++)
        x[i] = 0.0003f * (float)(i - N / 2);
    for (int run = 0; run < 2; run++) {
        an_set_threads(run ? 3 : 1);
        an_k_map_forward(AN_GELU, y[run], x, N);
        an_k_map_backward(AN_GELU, dx[run], 0, y[run], x, y[run], N);
    }
    assert_memory_equal(y[0], y[1], sizeof y[0]);
    assert_memory_equal(dx[0], dx[1], sizeof dx[0]);
    assert_near(y[0][N - 1], reference(AN_GELU, x[N - 1]), 1e-6); /* the last chunk was done */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_derivatives), cmocka_unit_test(extremes_stay_finite),
        cmocka_unit_test(nan_propagates),         cmocka_unit_test(exponential_is_accurate),
        cmocka_unit_test(threads_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
