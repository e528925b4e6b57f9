/* norm: batch and layer normalisation against the formulas in double, forward and backward,
 * with residual, ReLU and constant moments, and the same bits on one thread and on three.
 * (test_rules_linear.c checks the formulas themselves with finite differences.) */
#include "arrays.h"

#include "kernel/norm/batch_norm.h"
#include "kernel/norm/layer_norm.h"

enum { MAX_FEATURES = 40 }; /* features */

typedef struct {
    int64_t N, C;
    float *x, *residual, *dy, *gamma, *beta;
} problem;

static problem make_problem(int64_t N, int64_t C)
{
    problem p = {N,
                 C,
                 normals(N * C, 1),
                 normals(N * C, 2),
                 normals(N * C, 3),
                 normals(C, 4),
                 normals(C, 5)};
    assert_true(C <= MAX_FEATURES);
    for (int64_t k = 0; k < N * C; k++)
        p.x[k] = 3 * p.x[k] + (float)(k % C); /* means and deviations far from 0 and 1 */
    return p;
}

static void free_problem(problem *p)
{
    an_free(p->x), an_free(p->residual), an_free(p->dy), an_free(p->gamma), an_free(p->beta);
}

static void moments_of(double *mean, double *var, const float *x, int64_t n, int64_t step)
{
    *mean = *var = 0;
    for (int64_t k = 0; k < n; k++)
        *mean += (double)x[k * step] / (double)n;
    for (int64_t k = 0; k < n; k++)
        *var += ((double)x[k * step] - *mean) * ((double)x[k * step] - *mean) / (double)n;
}

/* dx of n values, `step` apart, of one normalised group; g is the gradient of x̂. */
static void add_closed_form(float *dx, const double *g, const float *x, double mean, double rstd,
                            int64_t n, int64_t step)
{
    double plain = 0, product = 0;
    for (int64_t k = 0; k < n; k++) {
        plain += g[k] / (double)n;
        product += g[k] * ((double)x[k * step] - mean) * rstd / (double)n;
    }
    for (int64_t k = 0; k < n; k++) {
        double normalised = ((double)x[k * step] - mean) * rstd;
        dx[k * step] += (float)(rstd * (g[k] - plain - normalised * product));
    }
}

static const int64_t sizes[][2] = {{2, 1}, {5, 3}, {257, 17}, {3000, 33}, {4096, 16}, {1030, 7}};

static void batch_moments(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT(sizes); i++) {
        problem p = make_problem(sizes[i][0], sizes[i][1]);
        double mean[MAX_FEATURES], var[MAX_FEATURES];
        assert_int_equal(AN_OK, an_k_batch_moments(mean, var, p.x, false, p.N, p.C, NULL));
        for (int64_t c = 0; c < p.C; c++) {
            double m, v;
            moments_of(&m, &v, p.x + c, p.N, p.C);
            assert_true(fabs(mean[c] - m) < 1e-9 && fabs(var[c] - v) < 1e-9);
        }
        free_problem(&p);
    }
}

/* A large mean must not cause cancellation in the variance. */
static void moments_far_from_zero(void **state)
{
    (void)state;
    float x[] = {10000.0f, 10000.25f, 10000.5f, 10000.75f};
    double mean, var;
    assert_int_equal(AN_OK, an_k_batch_moments(&mean, &var, x, false, 4, 1, NULL));
    assert_true(fabs(mean - 10000.375) < 1e-9 && fabs(var - 0.078125) < 1e-7);
}

/* dx or dresidual may share memory with dy: the result has the bits of the plain call. */
static void check_in_place(const problem *p, const an_batch_norm_saved *saved, bool added)
{
    int64_t n = p->N * p->C;
    size_t bytes = sizeof(float) * (size_t)n;
    float *dx = an_calloc((size_t)n, sizeof *dx), *dres = an_calloc((size_t)n, sizeof *dres);
    float *dy = an_alloc(bytes), *other = an_alloc(bytes);
    an_batch_norm_grads plain = {dx, added ? dres : NULL, 1, 1, NULL, NULL};
    assert_int_equal(AN_OK, an_k_batch_norm_backward(plain, p->dy, p->x, saved, p->N, p->C));
    for (int turn = 0; turn < (added ? 2 : 1); turn++) {
        memcpy(dy, p->dy, bytes);
        for (int64_t k = 0; k < n; k++)
            other[k] = NAN;
        an_batch_norm_grads d = {
            turn ? other : dy, turn ? dy : added ? other : NULL, 0, 0, NULL, NULL};
        assert_int_equal(AN_OK, an_k_batch_norm_backward(d, dy, p->x, saved, p->N, p->C));
        assert_close(d.dx, dx, n, 0, "batch norm in place, dx");
        if (added)
            assert_close(d.dresidual, dres, n, 0, "batch norm in place, dresidual");
    }
    an_free(dx), an_free(dres), an_free(dy), an_free(other);
}

static void check_batch_norm(int64_t N, int64_t C, bool added, bool relu, bool train)
{
    problem p = make_problem(N, C);
    float mean[MAX_FEATURES], rstd[MAX_FEATURES], dgamma[MAX_FEATURES] = {1},
                                                  dbeta[MAX_FEATURES] = {2};
    float expected_dgamma[MAX_FEATURES] = {1}, expected_dbeta[MAX_FEATURES] = {2};
    float *y = normals(N * C, 6), *expected = normals(N * C, 6);
    float *dx = normals(N * C, 7), *expected_dx = normals(N * C, 7);
    float *dres = normals(N * C, 8), *expected_dres = normals(N * C, 8);
    double *g = an_alloc(sizeof(double) * (size_t)N);
    for (int64_t c = 0; c < C; c++) {
        double m, v;
        moments_of(&m, &v, p.x + c, N, C);
        double r = 1 / sqrt(v + 1e-5);
        mean[c] = (float)m, rstd[c] = (float)r;
        for (int64_t k = 0; k < N; k++) {
            int64_t e = k * C + c;
            double normalised = ((double)p.x[e] - m) * r;
            double value = (double)p.gamma[c] * normalised + (double)p.beta[c] +
                           (added ? (double)p.residual[e] : 0);
            bool active = !relu || value > 0;
            double dy = active ? (double)p.dy[e] : 0;
            expected[e] = active ? (float)value : 0;
            expected_dgamma[c] += (float)(dy * normalised);
            expected_dbeta[c] += (float)dy;
            expected_dres[e] += (float)dy;
            g[k] = dy * (double)p.gamma[c];
            if (!train)
                expected_dx[e] += (float)(g[k] * r);
        }
        if (train)
            add_closed_form(expected_dx + c, g, p.x + c, m, r, N, C);
    }
    assert_int_equal(AN_OK, an_k_batch_norm_forward(y, p.x, added ? p.residual : NULL, false, mean,
                                                    rstd, p.gamma, p.beta, relu, N, C));
    assert_close(y, expected, N * C, 1e-5, "batch norm");
    an_batch_norm_grads d = {dx, added ? dres : NULL, 1, 1, dgamma, dbeta};
    an_batch_norm_saved saved = {mean, rstd,  p.gamma, p.beta, added ? y : NULL,
                                 relu, false, train,   NULL};
    assert_int_equal(AN_OK, an_k_batch_norm_backward(d, p.dy, p.x, &saved, N, C));
    assert_close(dx, expected_dx, N * C, 1e-4, "batch norm, dx");
    assert_close(dgamma, expected_dgamma, C, 1e-4, "batch norm, dgamma");
    assert_close(dbeta, expected_dbeta, C, 1e-4, "batch norm, dbeta");
    if (added)
        assert_close(dres, expected_dres, N * C, 1e-6, "batch norm, dresidual");
    assert_int_equal(AN_OK,
                     an_k_batch_norm_backward((an_batch_norm_grads){0}, p.dy, p.x, &saved, N, C));
    check_in_place(&p, &saved, added);
    an_free(y), an_free(expected), an_free(dx), an_free(expected_dx), an_free(dres),
        an_free(expected_dres);
    an_free(g);
    free_problem(&p);
}

static void batch_norm(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT(sizes); i++)
        for (int kind = 0; kind < 8; kind++)
            check_batch_norm(sizes[i][0], sizes[i][1], kind & 1, kind & 2, kind & 4);
}

static void check_layer_norm(int64_t N, int64_t C, bool scaled)
{
    problem p = make_problem(N, C);
    const float *gamma = scaled ? p.gamma : NULL, *beta = scaled ? p.beta : NULL;
    float dgamma[MAX_FEATURES] = {1}, dbeta[MAX_FEATURES] = {2},
          expected_dgamma[MAX_FEATURES] = {1}, expected_dbeta[MAX_FEATURES] = {2};
    float *y = normals(N * C, 6), *expected = normals(N * C, 6), *mean = normals(N, 9);
    float *dx = normals(N * C, 7), *expected_dx = normals(N * C, 7), *rstd = normals(N, 9);
    for (int64_t r = 0; r < N; r++) {
        const float *x = p.x + r * C;
        double m, v, g[MAX_FEATURES];
        moments_of(&m, &v, x, C, 1);
        double s = 1 / sqrt(v + 1e-5);
        for (int64_t c = 0; c < C; c++) {
            double normalised = ((double)x[c] - m) * s, dy = (double)p.dy[r * C + c];
            g[c] = dy * (gamma ? (double)gamma[c] : 1);
            expected[r * C + c] =
                (float)(normalised * (gamma ? (double)gamma[c] : 1) + (beta ? (double)beta[c] : 0));
            expected_dgamma[c] += (float)(dy * normalised);
            expected_dbeta[c] += (float)dy;
        }
        add_closed_form(expected_dx + r * C, g, x, m, s, C, 1);
    }
    an_k_layer_norm_forward(y, mean, rstd, p.x, gamma, beta, 1e-5, N, C);
    assert_close(y, expected, N * C, 1e-5, "layer norm");
    assert_int_equal(
        AN_OK, an_k_layer_norm_backward(dx, 1, dgamma, dbeta, p.dy, p.x, mean, rstd, gamma, N, C));
    assert_close(dx, expected_dx, N * C, 1e-4, "layer norm, dx");
    float *change = normals(N * C, 7), again[MAX_FEATURES] = {1};
    for (int64_t i = 0; i < N * C; i++)
        change[i] = dx[i] - change[i];
    assert_int_equal(AN_OK, an_k_layer_norm_backward(p.dy, 0, scaled ? again : NULL, NULL, p.dy,
                                                     p.x, mean, rstd, gamma, N, C));
    assert_close(p.dy, change, N * C, 1e-4, "layer norm, dx in place");
    if (scaled)
        assert_memory_equal(again, dgamma, sizeof(float) * (size_t)C);
    an_free(change);
    assert_close(dgamma, expected_dgamma, C, 2e-4, "layer norm, dgamma");
    assert_close(dbeta, expected_dbeta, C, 2e-4, "layer norm, dbeta");
    an_free(y), an_free(expected), an_free(mean), an_free(dx), an_free(expected_dx), an_free(rstd);
    free_problem(&p);
}

static void layer_norm(void **state)
{
    (void)state;
    const int64_t cases[][2] = {{1, 1}, {3, 2}, {7, 15}, {7, 16}, {2001, 33}};
    for (int i = 0; i < COUNT(cases); i++)
        for (int scaled = 0; scaled < 2; scaled++)
            check_layer_norm(cases[i][0], cases[i][1], scaled);
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    problem p = make_problem(6000, 33);
    double mean[2][MAX_FEATURES] = {{0}}, var[2][MAX_FEATURES] = {{0}};
    float at[MAX_FEATURES] = {0}, dgamma[2][MAX_FEATURES] = {{0}}, dbeta[2][MAX_FEATURES] = {{0}},
          *dx[2];
    float *row_mean = normals(p.N, 9), *row_rstd = normals(p.N, 10);
    for (int run = 0; run < 2; run++) {
        an_set_threads(run == 0 ? 1 : 3);
        dx[run] = normals(p.N * p.C, 7);
        an_batch_norm_grads d = {dx[run], NULL, 1, 1, dgamma[run], dbeta[run]};
        an_batch_norm_saved saved = {at, p.gamma, p.gamma, p.beta, NULL, true, false, true, NULL};
        an_k_batch_moments(mean[run], var[run], p.x, false, p.N, p.C, NULL);
        an_k_batch_norm_backward(d, p.dy, p.x, &saved, p.N, p.C);
        an_k_layer_norm_backward(dx[run], 1, dgamma[run], dbeta[run], p.dy, p.x, row_mean, row_rstd,
                                 p.gamma, p.N, p.C);
    }
    an_set_threads(0);
    assert_memory_equal(mean[0], mean[1], sizeof mean[0]);
    assert_memory_equal(var[0], var[1], sizeof var[0]);
    assert_memory_equal(dgamma[0], dgamma[1], sizeof dgamma[0]);
    assert_memory_equal(dbeta[0], dbeta[1], sizeof dbeta[0]);
    assert_memory_equal(dx[0], dx[1], sizeof(float) * (size_t)(p.N * p.C));
    an_free(dx[0]), an_free(dx[1]), an_free(row_mean), an_free(row_rstd);
    free_problem(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_moments),
        cmocka_unit_test(moments_far_from_zero),
        cmocka_unit_test(batch_norm),
        cmocka_unit_test(layer_norm),
        cmocka_unit_test(bits_do_not_depend_on_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
