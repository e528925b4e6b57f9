/* embedding rows, their gradient, and the sinusoidal embedding of times. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/par.h"
#include "base/rng.h"
#include "kernel/pointwise/embed.h"

static void assert_near(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("got %.9g, expected %.9g", got, expected);
}

static void rows_are_gathered_and_gradients_scattered(void **state)
{
    (void)state;
    const float w[] = {1, 2, 3, 4, 5, 6}; /* (3, 2) */
    const int64_t index[] = {2, 0, 2};
    const float dy[] = {10, 20, 30, 40, 50, 60};
    float y[6], dw[] = {1, 1, 1, 1, 1, 1};
    an_k_embed_forward(y, w, index, 3, 3, 2);
    assert_memory_equal(y, ((float[]){5, 6, 1, 2, 5, 6}), sizeof y);
    an_k_embed_backward(dw, dy, index, 3, 3, 2);
    assert_memory_equal(dw, ((float[]){31, 41, 1, 1, 61, 81}), sizeof dw);
}

static void backward_of_many_equal_indices(void **state)
{
    (void)state;
    enum { V = 3, D = 70, ROWS = 400 }; /* several column blocks, the last one short */
    static float dy[ROWS * D], dw[2][V * D];
    static int64_t index[ROWS];
    an_fill_normal(dy, ROWS * D, 1, 1, 0);
    for (int i = 0; i < ROWS; i++)
        index[i] = an_below(1, 2, (uint64_t)i, V);
    for (int run = 0; run < 2; run++) {
        an_set_threads(run ? 3 : 1);
        an_k_embed_backward(dw[run], dy, index, ROWS, V, D);
    }
    assert_memory_equal(dw[0], dw[1], sizeof dw[0]);
    for (int v = 0; v < V; v++)
        for (int c = 0; c < D; c++) {
            double expected = 0;
            for (int i = 0; i < ROWS; i++)
                expected += index[i] == v ? dy[i * D + c] : 0;
            assert_near(dw[0][v * D + c], expected, 1e-4);
        }
}

static void times_become_sines_and_cosines(void **state)
{
    (void)state;
    enum { D = 6 };
    const int64_t t[] = {0, 1, 999};
    float y[3 * D];
    an_k_timestep_embed(y, t, 3, D, 10000);
    for (int b = 0; b < 3; b++)
        for (int i = 0; i < D / 2; i++) {
            double angle = (double)t[b] * pow(10000, -i / 3.0);
            assert_near(y[b * D + i], cos(angle), 1e-6);
            assert_near(y[b * D + D / 2 + i], sin(angle), 1e-6);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_gathered_and_gradients_scattered),
        cmocka_unit_test(backward_of_many_equal_indices),
        cmocka_unit_test(times_become_sines_and_cosines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
