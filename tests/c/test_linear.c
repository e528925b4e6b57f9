/* linear against plain loops: sizes on both sides of each threshold, gradients that are
 * overwritten, accumulated or NULL, and the same bits on one thread and on two. */
#include "arrays.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/matmul/linear.h"

/* rows, out, in: forward panels from 16 of each on; backward slices from 1,024 rows on, if 16
 * columns are written, a multiple of 16 is read and rows are more than both. */
static const an_linear_shape cases[] = {
    {1, 1, 1},        {5, 2, 3},        {15, 16, 16},   {16, 15, 16},   {16, 16, 15},
    {16, 16, 16},     {65, 33, 47},     {1023, 16, 16}, {1024, 16, 16}, {1024, 15, 16},
    {1024, 16, 15},   {1030, 20, 48},   {2500, 70, 32}, {3000, 1, 128}, {1024, 3, 1024},
    {1024, 1024, 16}, {1025, 1024, 16},
};

/* The arrays of a case; their random numbers are the same in every run. */
typedef struct {
    an_linear_shape s;
    an_linear_grads d;
    float *x, *w, *b, *y, *dy;
} problem;

static problem make_problem(an_linear_shape s, float beta, bool biased)
{
    problem p = {.s = s};
    p.x = normals(s.rows * s.in, 1);
    p.w = normals(s.out * s.in, 2);
    p.b = biased ? normals(s.out, 3) : NULL;
    p.y = normals(s.rows * s.out, 4);
    p.dy = normals(s.rows * s.out, 5);
    p.d = (an_linear_grads){normals(s.rows * s.in, 6), beta, normals(s.out * s.in, 7), beta,
                            biased ? normals(s.out, 8) : NULL};
    if (beta == 0) /* must not be read */
        p.d.dx[0] = p.d.dw[s.out * s.in - 1] = NAN;
    return p;
}

static void free_problem(problem *p)
{
    an_free(p->x), an_free(p->w), an_free(p->b), an_free(p->y), an_free(p->dy);
    an_free(p->d.dx), an_free(p->d.dw), an_free(p->d.db);
}

static void run(problem *p)
{
    assert_int_equal(AN_OK, an_k_linear_forward(p->y, p->x, p->w, p->b, &p->s));
    assert_int_equal(AN_OK, an_k_linear_backward(&p->d, p->dy, p->x, p->w, &p->s));
}

/* ── the definition ───────────────────────────────────────────────────────────────── */

static void store_sum(float *to, float beta, double sum)
{
    *to = (float)(sum + (beta == 0 ? 0 : (double)*to));
}

static void reference_rows(problem *p)
{
    an_linear_shape s = p->s;
    for (int64_t r = 0; r < s.rows; r++) {
        for (int64_t o = 0; o < s.out; o++) {
            double sum = p->b ? (double)p->b[o] : 0;
            for (int64_t i = 0; i < s.in; i++)
                sum += (double)p->x[r * s.in + i] * (double)p->w[o * s.in + i];
            p->y[r * s.out + o] = (float)sum;
        }
        for (int64_t i = 0; i < s.in; i++) {
            double sum = 0;
            for (int64_t o = 0; o < s.out; o++)
                sum += (double)p->dy[r * s.out + o] * (double)p->w[o * s.in + i];
            store_sum(&p->d.dx[r * s.in + i], p->d.beta_x, sum);
        }
    }
}

static void reference_parameters(problem *p)
{
    an_linear_shape s = p->s;
    double *sums = calloc((size_t)s.in + 1, sizeof *sums);
    for (int64_t o = 0; o < s.out; o++) {
        memset(sums, 0, ((size_t)s.in + 1) * sizeof *sums);
        for (int64_t r = 0; r < s.rows; r++) {
            double dy = p->dy[r * s.out + o];
            for (int64_t i = 0; i < s.in; i++)
                sums[i] += dy * (double)p->x[r * s.in + i];
            sums[s.in] += dy;
        }
        for (int64_t i = 0; i < s.in; i++)
            store_sum(&p->d.dw[o * s.in + i], p->d.beta_w, sums[i]);
        if (p->d.db)
            store_sum(&p->d.db[o], 1, sums[s.in]);
    }
    free(sums);
}

static void assert_near(const problem *got, const problem *expected)
{
    an_linear_shape s = got->s;
    char text[96];
    snprintf(text, sizeof text, "%lld rows, (%lld, %lld), beta %g", (long long)s.rows,
             (long long)s.out, (long long)s.in, (double)got->d.beta_x);
    assert_close(got->y, expected->y, s.rows * s.out, 2e-6 * sqrt((double)s.in + 10), text);
    assert_close(got->d.dx, expected->d.dx, s.rows * s.in, 2e-6 * sqrt((double)s.out + 10), text);
    double tolerance = 2e-6 * sqrt((double)s.rows + 10);
    assert_close(got->d.dw, expected->d.dw, s.out * s.in, tolerance, text);
    if (got->d.db)
        assert_close(got->d.db, expected->d.db, s.out, tolerance, text);
}

static void matches_the_definition(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT(cases); i++)
        for (int kind = 0; kind < 4; kind++) {
            problem got = make_problem(cases[i], (float)(kind & 1), kind & 2);
            problem expected = make_problem(cases[i], (float)(kind & 1), kind & 2);
            run(&got);
            reference_rows(&expected);
            reference_parameters(&expected);
            assert_near(&got, &expected);
            free_problem(&got), free_problem(&expected);
        }
}

/* ── bits ─────────────────────────────────────────────────────────────────────────── */

static void assert_bits(const float *a, const float *b, int64_t n)
{
    assert_memory_equal(a, b, sizeof *a * (size_t)n);
}

/* A gradient that is NULL does not change the others. */
static void absent_gradients_are_skipped(void **state)
{
    (void)state;
    const int64_t rows[] = {65, 1100};
    for (int i = 0; i < COUNT(rows); i++)
        for (int requested = 0; requested < 8; requested++) {
            an_linear_shape s = {rows[i], 20, 32};
            problem all = make_problem(s, 0, true), some = make_problem(s, 0, true);
            an_linear_grads d = some.d;
            d.dx = requested & 1 ? d.dx : NULL;
            d.dw = requested & 2 ? d.dw : NULL;
            d.db = requested & 4 ? d.db : NULL;
            run(&all);
            assert_int_equal(AN_OK, an_k_linear_backward(&d, some.dy, some.x, some.w, &s));
            if (d.dx)
                assert_bits(d.dx, all.d.dx, s.rows * s.in);
            if (d.dw)
                assert_bits(d.dw, all.d.dw, s.out * s.in);
            if (d.db)
                assert_bits(d.db, all.d.db, s.out);
            free_problem(&all), free_problem(&some);
        }
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT(cases); i++) {
        an_linear_shape s = cases[i];
        problem one = make_problem(s, 1, true), two = make_problem(s, 1, true);
        an_set_threads(1);
        run(&one);
        an_set_threads(2);
        run(&two);
        an_set_threads(0);
        assert_bits(one.y, two.y, s.rows * s.out);
        assert_bits(one.d.dx, two.d.dx, s.rows * s.in);
        assert_bits(one.d.dw, two.d.dw, s.out * s.in);
        assert_bits(one.d.db, two.d.db, s.out);
        free_problem(&one), free_problem(&two);
    }
}

static void out_of_memory_is_reported(void **state)
{
    (void)state;
    problem p = make_problem((an_linear_shape){1100, 16, 16}, 1, true);
    int64_t live = an_mem_live();
    an_mem_fail_at(1);
    assert_int_equal(AN_ENOMEM, an_k_linear_forward(p.y, p.x, p.w, p.b, &p.s));
    an_mem_fail_at(1);
    assert_int_equal(AN_ENOMEM, an_k_linear_backward(&p.d, p.dy, p.x, p.w, &p.s));
    an_mem_fail_at(0);
    assert_int_equal(live, an_mem_live());
    free_problem(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_the_definition),
        cmocka_unit_test(absent_gradients_are_skipped),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
