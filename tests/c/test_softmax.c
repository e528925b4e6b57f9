/* softmax, log-softmax and cross-entropy against references in double, and cross-entropy's
 * gradient against differences of that reference. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/par.h"
#include "base/rng.h"
#include "kernel/attention/softmax.h"
#include "kernel/pointwise/cross_entropy.h"

enum { ROWS = 9, N = 7 };

static void assert_near(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("got %.9g, expected %.9g", got, expected);
}

static void softmax_of(double *p, const float *x)
{
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += p[i] = exp((double)x[i]);
    for (int i = 0; i < N; i++)
        p[i] /= sum;
}

static void rows_against_reference(void **state)
{
    (void)state;
    float x[ROWS * N], dy[ROWS * N], p[ROWS * N], l[ROWS * N], dp[ROWS * N], dl[ROWS * N];
    an_fill_normal(x, ROWS * N, 1, 2, 0);
    an_fill_normal(dy, ROWS * N, 1, 3, 0);
    for (int i = 0; i < ROWS * N; i++)
        dp[i] = dl[i] = 2;
    an_k_softmax_forward(p, x, ROWS, N);
    an_k_log_softmax_forward(l, x, ROWS, N);
    an_k_softmax_backward(dp, dy, p, ROWS, N);
    an_k_log_softmax_backward(dl, dy, l, ROWS, N);
    for (int r = 0; r < ROWS; r++) {
        double expected[N], dot = 0, sum = 0;
        softmax_of(expected, x + r * N);
        for (int i = 0; i < N; i++) {
            dot += expected[i] * dy[r * N + i];
            sum += dy[r * N + i];
        }
        for (int i = 0; i < N; i++) {
            double d = dy[r * N + i];
            assert_near(p[r * N + i], expected[i], 1e-6);
            assert_near(l[r * N + i], log(expected[i]), 2e-6);
            assert_near(dp[r * N + i], 2 + expected[i] * (d - dot), 2e-6);
            assert_near(dl[r * N + i], 2 + d - expected[i] * sum, 2e-6);
        }
    }
}

static void large_and_infinite_entries(void **state)
{
    (void)state;
    float x[] = {1000, 1001, -INFINITY, -1000}, p[4], l[4];
    an_k_softmax_forward(p, x, 1, 4);
    an_k_log_softmax_forward(l, x, 1, 4);
    assert_near(p[0], 1 / (1 + exp(1)), 1e-6);
    assert_near(p[1], 1 / (1 + exp(-1)), 1e-6);
    assert_true(p[2] == 0 && p[3] == 0);
    assert_near(l[1], -log1p(exp(-1)), 1e-6);
    assert_near(l[3], -2001 - log1p(exp(-1)), 1e-3);
    assert_true(l[2] == -INFINITY);
}

/* The formula of cross_entropy.h on double logits. */
static double cross_entropy(const double *x, const int64_t *y, const an_cross_entropy_args *a)
{
    double loss = 0, total = 0;
    for (int b = 0; b < ROWS; b++) {
        double z[N], sum = 0, inner = 0;
        for (int c = 0; c < N; c++) {
            z[c] = a->scale * (x[b * N + c] + (a->adjust ? a->adjust[c] : 0) -
                               (a->margin && c == y[b] ? a->margin[c] : 0));
            sum += exp(z[c]);
        }
        for (int c = 0; c < N; c++) {
            double w = a->weight ? a->weight[c] : 1;
            double q = a->smoothing * w / N + (c == y[b] ? (1 - a->smoothing) * w : 0);
            inner -= q * log(exp(z[c]) / sum);
        }
        loss += pow(1 - exp(z[y[b]]) / sum, a->focal) * inner;
        total += a->weight ? a->weight[y[b]] : 1;
    }
    return loss / total;
}

static const int64_t labels[ROWS] = {0, 1, 2, 3, 4, 5, 6, 0, 0};
static const float weight[N] = {0.2f, 1, 2, 0.5f, 3, 1, 0.7f};
static const float adjust[N] = {1, 0.5f, 0, -0.2f, -1, 0.3f, -2};
static const float margin[N] = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.4f, 0.3f};

static void cross_entropy_values_and_gradients(void **state)
{
    (void)state;
    const an_cross_entropy_args variants[] = {
        {.scale = 1},
        {.weight = weight, .scale = 1},
        {.scale = 1, .focal = 2},
        {.scale = 1, .focal = 0.5},
        {.scale = 1, .smoothing = 0.1},
        {.adjust = adjust, .scale = 1},
        {.margin = margin, .scale = 3},
        {weight, adjust, margin, 1.5, 1.5, 0.2},
    };
    float x[ROWS * N], row[ROWS];
    double at[ROWS * N];
    an_fill_normal(x, ROWS * N, 5, 2, 0);
    for (int i = 0; i < ROWS * N; i++)
        at[i] = x[i];
    for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
        float dx[ROWS * N];
        for (int i = 0; i < ROWS * N; i++)
            dx[i] = 1;
        assert_near(an_k_cross_entropy_forward(row, x, labels, ROWS, N, &variants[v]),
                    cross_entropy(at, labels, &variants[v]), 1e-6);
        an_k_cross_entropy_backward(dx, 2.5, x, labels, ROWS, N, &variants[v]);
        for (int i = 0; i < ROWS * N; i++) {
            double keep = at[i], h = 1e-5;
            at[i] = keep + h;
            double up = cross_entropy(at, labels, &variants[v]);
            at[i] = keep - h;
            double down = cross_entropy(at, labels, &variants[v]);
            at[i] = keep;
            assert_near(dx[i], 1 + 2.5 * (up - down) / (2 * h), 1e-6);
        }
    }
}

static void cross_entropy_is_stable(void **state)
{
    (void)state;
    const int64_t label[] = {0, 1};
    const float x[] = {80, -80, 80, -80}; /* one confident and right, one confident and wrong */
    const an_cross_entropy_args focal = {.scale = 10, .focal = 0.5};
    float row[2], dx[4] = {0};
    assert_near(an_k_cross_entropy_forward(row, x, label, 2, 2, &focal), 800, 1e-3);
    assert_true(row[0] == 0);
    an_k_cross_entropy_backward(dx, 1, x, label, 2, 2, &focal);
    assert_near(dx[0], 0, 0);
    assert_near(dx[1], 0, 0);
    assert_near(dx[2], 5, 1e-6); /* scale/2 */
    assert_near(dx[3], -5, 1e-6);
    const float never[] = {0, -INFINITY}; /* the log prior of a class without images */
    const an_cross_entropy_args adjusted = {.adjust = never, .scale = 1};
    assert_near(an_k_cross_entropy_forward(row, x, (int64_t[]){0, 0}, 2, 2, &adjusted), 0, 0);
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    enum { B = 3000, K = 9 };
    static float x[B * K], row[B], dx[2][B * K];
    static int64_t y[B];
    double loss[2];
    an_fill_normal(x, B * K, 7, 7, 0);
    for (int b = 0; b < B; b++)
        y[b] = b % K;
    for (int run = 0; run < 2; run++) {
        an_set_threads(run ? 3 : 1);
        an_cross_entropy_args args = {.scale = 1, .focal = 1};
        loss[run] = an_k_cross_entropy_forward(row, x, y, B, K, &args);
        an_k_cross_entropy_backward(dx[run], 1, x, y, B, K, &args);
    }
    assert_memory_equal(&loss[0], &loss[1], sizeof loss[0]);
    assert_memory_equal(dx[0], dx[1], sizeof dx[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_against_reference),
        cmocka_unit_test(large_and_infinite_entries),
        cmocka_unit_test(cross_entropy_values_and_gradients),
        cmocka_unit_test(cross_entropy_is_stable),
        cmocka_unit_test(threads_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
