/* optimizer_step: optimiser steps against scalar references in double over several steps. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/par.h"
#include "base/rng.h"
#include "kernel/pointwise/optimizer_step.h"

enum { N = 40000, STEPS = 5 };

static float p[N], g[N], m[N], v[N];

static void assert_near(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance * fmax(1, fabs(expected))))
        fail_msg("got %.9g, expected %.9g", got, expected);
}

static void start(void)
{
    an_fill_normal(p, N, 1, 1, 0);
    memset(m, 0, sizeof m);
    memset(v, 0, sizeof v);
}

static void gradient_of_step(int t)
{
    an_fill_normal(g, N, 1, 100, (uint64_t)t * N);
}

static double gradient_at(int t, int i)
{
    float value;
    an_fill_normal(&value, 1, 1, 100, (uint64_t)t * N + (uint64_t)i);
    return value;
}

/* The formula of torch.optim.AdamW. */
static double adamw_reference(double x, int i, const an_adamw_args *a)
{
    double m1 = 0, m2 = 0;
    for (int t = 1; t <= STEPS; t++) {
        double d = gradient_at(t, i);
        x *= 1 - a->lr * a->decay;
        m1 = a->beta1 * m1 + (1 - a->beta1) * d;
        m2 = a->beta2 * m2 + (1 - a->beta2) * d * d;
        double root = sqrt(m2) / sqrt(1 - pow(a->beta2, t)) + a->eps;
        x -= a->lr / (1 - pow(a->beta1, t)) * m1 / root;
    }
    return x;
}

static void adamw_is_the_formula(void **state)
{
    (void)state;
    an_adamw_args args = {.lr = 0.1,
                          .beta1 = 0.9,
                          .beta2 = 0.99,
                          .eps = 1e-3,
                          .decay = 0.2,
                          .with = {.gradient_scale = 1}};
    start();
    double before[3] = {p[0], p[123], p[N - 1]};
    for (args.t = 1; args.t <= STEPS; args.t++) {
        gradient_of_step((int)args.t);
        an_k_adamw(p, g, m, v, N, &args);
    }
    assert_near(p[0], adamw_reference(before[0], 0, &args), 1e-5);
    assert_near(p[123], adamw_reference(before[1], 123, &args), 1e-5);
    assert_near(p[N - 1], adamw_reference(before[2], N - 1, &args), 1e-5);
}

/* The formula of torch.optim.SGD. */
static double sgd_reference(double x, int i, const an_sgd_args *a)
{
    double buf = 0;
    for (int t = 1; t <= STEPS; t++) {
        double d = gradient_at(t, i) + a->decay * x;
        if (a->momentum != 0) {
            buf = t == 1 ? d : a->momentum * buf + d;
            d = a->nesterov ? d + a->momentum * buf : buf;
        }
        x -= a->lr * d;
    }
    return x;
}

static void sgd_is_the_formula(void **state)
{
    (void)state;
    const an_sgd_args variants[] = {
        {.lr = 0.1},
        {.lr = 0.1, .decay = 0.05},
        {.lr = 0.1, .momentum = 0.9, .decay = 0.05},
        {.lr = 0.1, .momentum = 0.9, .decay = 0.05, .nesterov = true},
    };
    for (size_t n = 0; n < sizeof variants / sizeof *variants; n++) {
        an_sgd_args args = variants[n];
        args.with.gradient_scale = 1;
        start();
        m[7] = NAN; /* the first step must not read the buffer */
        double before[2] = {p[7], p[N - 1]};
        for (int t = 1; t <= STEPS; t++) {
            args.first = t == 1;
            gradient_of_step(t);
            an_k_sgd(p, g, n < 2 ? NULL : m, N, &args);
        }
        assert_near(p[7], sgd_reference(before[0], 7, &args), 1e-5);
        assert_near(p[N - 1], sgd_reference(before[1], N - 1, &args), 1e-5);
    }
}

static void ema_norm_and_scale(void **state)
{
    (void)state;
    start();
    an_fill_normal(g, N, 1, 9, 0);
    double squares = 0, average = 0.75 * g[N - 1] + 0.25 * p[N - 1];
    for (int i = 0; i < N; i++)
        squares += (double)g[i] * g[i];
    assert_near(an_k_sum_squares(g, N), squares, 1e-12);
    assert_near(an_k_sum_squares(g, 3),
                (double)g[0] * g[0] + (double)g[1] * g[1] + (double)g[2] * g[2], 1e-12);
    assert_true(an_k_sum_squares(g, 0) == 0);
    an_k_ema(g, p, 0.75, N);
    assert_near(g[N - 1], average, 1e-6);
    float last = p[N - 1];
    an_k_scale(p, -0.5, N);
    assert_true(p[N - 1] == -0.5f * last);
}

/* Gradient scaling and EMA fused into the step equal separate calls. */
static void fused_scaling_and_ema_equal_separate_calls(void **state)
{
    (void)state;
    static float average[N], separate[N], after[N];
    for (int kind = 0; kind < 2; kind++) {
        for (int run = 0; run < 2; run++) {
            start();
            gradient_of_step(1);
            memcpy(run ? separate : average, g, sizeof g);
            an_step_extras with = {
                .gradient_scale = run ? 1 : 0.5, .ema = run ? NULL : average, .ema_decay = 0.75};
            if (run)
                an_k_scale(g, 0.5, N);
            if (kind)
                an_k_sgd(p, g, m, N, &(an_sgd_args){.lr = 0.1, .momentum = 0.5, .with = with});
            else
                an_k_adamw(
                    p, g, m, v, N,
                    &(an_adamw_args){
                        .lr = 0.1, .beta1 = 0.9, .beta2 = 0.9, .eps = 1e-8, .t = 1, .with = with});
            if (run)
                an_k_ema(separate, p, 0.75, N);
            else
                memcpy(after, p, sizeof p);
        }
        assert_memory_equal(after, p, sizeof p);
        assert_memory_equal(average, separate, sizeof separate);
    }
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    static float first[N];
    double norm[2];
    an_adamw_args args = {
        .lr = 0.1, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .t = 1, .with = {.gradient_scale = 1}};
    for (int run = 0; run < 2; run++) {
        an_set_threads(run ? 3 : 1);
        start();
        gradient_of_step(1);
        an_k_adamw(p, g, m, v, N, &args);
        norm[run] = an_k_sum_squares(p, N);
        if (run == 0)
            memcpy(first, p, sizeof p);
    }
    assert_memory_equal(first, p, sizeof p);
    assert_memory_equal(&norm[0], &norm[1], sizeof norm[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adamw_is_the_formula),
        cmocka_unit_test(sgd_is_the_formula),
        cmocka_unit_test(ema_norm_and_scale),
        cmocka_unit_test(fused_scaling_and_ema_equal_separate_calls),
        cmocka_unit_test(threads_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
