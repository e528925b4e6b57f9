/* linear against plain loops: one to three layers side by side, sizes on both sides of each
 * threshold, gradients that are overwritten, added to or not wanted, and the same bits on one
 * thread and on two. */
#include "arrays.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/linear.h"

typedef struct {
    int n;
    int64_t rows, out, in;
} sizes;

/* Forward panels from 16 of each on; backward slices from 1,024 rows on, if 16 columns are
 * written, a multiple of 16 is read and rows are more than both. */
static const sizes cases[] = {
    {1, 1, 1, 1},      {3, 5, 2, 3},      {1, 15, 16, 16},   {2, 16, 15, 16},  {1, 16, 16, 15},
    {3, 16, 16, 16},   {2, 65, 33, 47},   {1, 1023, 16, 16}, {1, 1024, 16, 16}, {2, 1024, 8, 16},
    {1, 1024, 15, 16}, {1, 1024, 16, 15}, {3, 1030, 20, 48}, {2, 2500, 70, 32}, {1, 3000, 1, 128},
    {1, 1024, 1024, 16}, {1, 1025, 1024, 16},
};

/* Everything that a case needs, from the same random numbers each time. */
typedef struct {
    sizes s;
    an_layers l;
    an_layers_grads d;
    float *x, *dy, *y;
} problem;

static problem begin(sizes s, float beta, bool biased)
{
    problem p = {.s = s, .l = {.n = s.n, .out = s.out, .in = s.in}};
    p.x = normals(s.rows * s.in, 1);
    p.dy = normals(s.rows * s.n * s.out, 2);
    p.y = normals(s.rows * s.n * s.out, 3);
    p.d.dx = normals(s.rows * s.in, 4);
    p.d.beta_x = beta;
    for (int i = 0; i < s.n; i++) {
        p.l.w[i] = normals(s.out * s.in, (uint64_t)(10 + i));
        p.l.b[i] = biased ? normals(s.out, (uint64_t)(20 + i)) : NULL;
        p.d.dw[i] = normals(s.out * s.in, (uint64_t)(30 + i));
        p.d.beta_w[i] = beta;
        p.d.db[i] = biased ? normals(s.out, (uint64_t)(40 + i)) : NULL;
    }
    if (beta == 0) { /* must not be read */
        p.d.dx[0] = NAN;
        p.d.dw[0][s.out * s.in - 1] = NAN;
    }
    return p;
}

static void end(problem *p)
{
    an_free(p->x), an_free(p->dy), an_free(p->y), an_free(p->d.dx);
    for (int i = 0; i < p->s.n; i++) {
        an_free((float *)p->l.w[i]), an_free((float *)p->l.b[i]);
        an_free(p->d.dw[i]), an_free(p->d.db[i]);
    }
}

/* ── the definition ───────────────────────────────────────────────────────────────── */

static float sum_and(double sum, float beta, float was)
{
    return (float)(sum + (beta == 0 ? 0 : (double)was));
}

static void plain_forward(problem *p)
{
    sizes s = p->s;
    for (int64_t r = 0; r < s.rows; r++)
        for (int64_t c = 0; c < s.n * s.out; c++) {
            int64_t i = c / s.out, o = c % s.out;
            double sum = p->l.b[i] ? (double)p->l.b[i][o] : 0;
            for (int64_t k = 0; k < s.in; k++)
                sum += (double)p->x[r * s.in + k] * (double)p->l.w[i][o * s.in + k];
            p->y[r * s.n * s.out + c] = (float)sum;
        }
}

static void plain_rows(problem *p)
{
    sizes s = p->s;
    for (int64_t r = 0; r < s.rows; r++)
        for (int64_t k = 0; k < s.in; k++) {
            double sum = 0;
            for (int64_t c = 0; c < s.n * s.out; c++)
                sum += (double)p->dy[r * s.n * s.out + c]
                     * (double)p->l.w[c / s.out][c % s.out * s.in + k];
            float *to = p->d.dx + r * s.in + k;
            *to = sum_and(sum, p->d.beta_x, *to);
        }
}

static void plain_parameters(problem *p)
{
    sizes s = p->s;
    double *sums = calloc((size_t)s.in + 1, sizeof *sums);
    for (int64_t c = 0; c < s.n * s.out; c++) {
        int64_t i = c / s.out, o = c % s.out;
        memset(sums, 0, ((size_t)s.in + 1) * sizeof *sums);
        for (int64_t r = 0; r < s.rows; r++) {
            double dy = p->dy[r * s.n * s.out + c];
            for (int64_t k = 0; k < s.in; k++)
                sums[k] += dy * (double)p->x[r * s.in + k];
            sums[s.in] += dy;
        }
        for (int64_t k = 0; k < s.in; k++) {
            float *to = p->d.dw[i] + o * s.in + k;
            *to = sum_and(sums[k], p->d.beta_w[i], *to);
        }
        if (p->d.db[i])
            p->d.db[i][o] += (float)sums[s.in];
    }
    free(sums);
}

/* ── comparing ────────────────────────────────────────────────────────────────────── */

static void assert_same(const problem *got, const problem *want, const char *what)
{
    sizes s = got->s;
    char text[128];
    snprintf(text, sizeof text, "%s, %d × (%lld, %lld) of %lld rows", what, s.n, (long long)s.out,
             (long long)s.in, (long long)s.rows);
    double rows = 2e-6 * sqrt((double)s.rows + 10), cols = 2e-6 * sqrt((double)(s.n * s.out) + 10);
    assert_close(got->y, want->y, s.rows * s.n * s.out, 2e-6 * sqrt((double)s.in + 10), text);
    assert_close(got->d.dx, want->d.dx, s.rows * s.in, cols, text);
    for (int i = 0; i < s.n; i++) {
        assert_close(got->d.dw[i], want->d.dw[i], s.out * s.in, rows, text);
        if (got->d.db[i])
            assert_close(got->d.db[i], want->d.db[i], s.out, rows, text);
    }
}

static void run(problem *p)
{
    assert_int_equal(AN_OK, an_k_layers_forward(p->y, p->x, &p->l, p->s.rows));
    assert_int_equal(AN_OK, an_k_layers_backward(&p->d, p->dy, p->x, &p->l, p->s.rows));
}

static void equals_the_definition(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT(cases); i++)
        for (int kind = 0; kind < 4; kind++) {
            problem got = begin(cases[i], (float)(kind & 1), kind & 2);
            problem want = begin(cases[i], (float)(kind & 1), kind & 2);
            run(&got);
            plain_forward(&want);
            plain_rows(&want);
            plain_parameters(&want);
            assert_same(&got, &want, kind & 1 ? "added to" : "overwritten");
            end(&got), end(&want);
        }
}

/* The gradients of `part` that are not NULL are those of `all`. */
static void assert_part(const an_layers_grads *part, const problem *all)
{
    sizes s = all->s;
    if (part->dx)
        assert_memory_equal(part->dx, all->d.dx, sizeof(float) * (size_t)(s.rows * s.in));
    for (int i = 0; i < s.n; i++) {
        if (part->dw[i])
            assert_memory_equal(part->dw[i], all->d.dw[i], sizeof(float) * (size_t)(s.out * s.in));
        if (part->db[i])
            assert_memory_equal(part->db[i], all->d.db[i], sizeof(float) * (size_t)s.out);
    }
}

static void only_what_is_wanted(void **state)
{
    (void)state;
    const int64_t rows[] = {65, 1100};
    for (int i = 0; i < COUNT(rows); i++)
        for (int without = 0; without < 4; without++) {
            sizes s = {3, rows[i], 20, 32};
            problem all = begin(s, 0, true), some = begin(s, 0, true);
            an_layers_grads d = some.d;
            if (without == 0)
                d.dx = NULL;
            if (without == 1)
                d.dw[0] = d.dw[2] = NULL;
            if (without == 2)
                d.db[1] = d.dw[1] = NULL;
            for (int k = 0; k < 3 && without == 3; k++)
                d.db[k] = d.dw[k] = NULL;
            assert_int_equal(AN_OK, an_k_layers_backward(&all.d, all.dy, all.x, &all.l, s.rows));
            assert_int_equal(AN_OK, an_k_layers_backward(&d, some.dy, some.x, &some.l, s.rows));
            assert_part(&d, &all);
            end(&all), end(&some);
        }
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT(cases); i++) {
        sizes s = cases[i];
        problem one = begin(s, 1, true), two = begin(s, 1, true);
        an_set_threads(1);
        run(&one);
        an_set_threads(2);
        run(&two);
        an_set_threads(0);
        size_t y = sizeof(float) * (size_t)(s.rows * s.n * s.out);
        size_t w = sizeof(float) * (size_t)(s.out * s.in);
        assert_memory_equal(one.y, two.y, y);
        assert_memory_equal(one.d.dx, two.d.dx, sizeof(float) * (size_t)(s.rows * s.in));
        for (int k = 0; k < s.n; k++) {
            assert_memory_equal(one.d.dw[k], two.d.dw[k], w);
            assert_memory_equal(one.d.db[k], two.d.db[k], sizeof(float) * (size_t)s.out);
        }
        end(&one), end(&two);
    }
}

static void out_of_memory_is_reported(void **state)
{
    (void)state;
    problem p = begin((sizes){2, 1100, 16, 16}, 1, true);
    int64_t live = an_mem_live();
    an_mem_fail_at(1);
    assert_int_equal(AN_ENOMEM, an_k_layers_forward(p.y, p.x, &p.l, p.s.rows));
    an_mem_fail_at(1);
    assert_int_equal(AN_ENOMEM, an_k_layers_backward(&p.d, p.dy, p.x, &p.l, p.s.rows));
    an_mem_fail_at(0);
    assert_int_equal(live, an_mem_live());
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_definition),
        cmocka_unit_test(only_what_is_wanted),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
