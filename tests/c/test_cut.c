/* cut: sums by slices of a batch (engine/base/ranks/cut.h). Halves and quarters of a batch, as two
 * and four ranks have them, add up to the bits of the whole, and the whole agrees with the plain
 * sums. */
#include "convolution.h"

#include "kernel/conv/conv_cut.h"
#include "kernel/norm/batch_norm.h"
#include "kernel/common/row_sums.h"

static float *zeros(int64_t n)
{
    float *x = an_calloc((size_t)n, sizeof *x);
    assert_non_null(x);
    return x;
}

/* Images of part k of 1, 2 or 4 parts, and their cut as that of a rank that adds up alone. */
static an_cut part_of(int64_t *first, const an_cut *whole, int parts, int k)
{
    an_cut cut = *whole;
    int64_t each = AN_SLICES / parts * whole->grain;
    *first = k * each < whole->batch ? k * each : whole->batch;
    int64_t end = *first + each < whole->batch ? *first + each : whole->batch;
    cut.own = end - *first;
    cut.slices = AN_SLICES / parts;
    return cut;
}

static void slices_cover_the_batch_once(void **state)
{
    (void)state;
    for (int64_t B = 1; B < 40; B++) {
        an_cut cut = an_cut_of(B, true);
        int64_t lo, hi, next = 0;
        assert_int_equal(B, cut.own);
        assert_false(cut.shared);
        for (int64_t s = 0; s < cut.slices; s++) {
            an_cut_slice(&lo, &hi, &cut, s);
            assert_int_equal(next, lo);
            next = hi;
        }
        assert_int_equal(B, next);
    }
}

/* ── outputs of images ────────────────────────────────────────────────────────────────── */

/* y and dx of images first … of p, whose shape has the size of the whole batch. */
static void images_of(float *y, float *dx, const conv_problem *p, int64_t first, int64_t count)
{
    an_conv_shape s = p->s;
    int64_t out = s.Ho * s.Wo * s.O, in = s.H * s.W * s.C;
    s.B = count;
    assert_int_equal(AN_OK, an_k_conv_forward(y + first * out, p->x + first * in, p->w, p->b, &s));
    assert_int_equal(AN_OK,
                     an_k_conv_backward_data(dx + first * in, p->dy + first * out, p->w, 0, &s));
}

/* Winograd's algorithms are chosen by the number of tiles: the first two shapes have enough of them
 * in the whole batch alone, the third has few for its many channels. */
static void an_image_has_the_same_bits_in_each_part(void **state)
{
    (void)state;
    const an_conv_shape shapes[] = {an_k_conv_shape(8, 4, 4, 32, 32, 3, 3, 1, 1),
                                    an_k_conv_shape(8, 24, 24, 16, 32, 3, 3, 2, 1),
                                    an_k_conv_shape(40, 12, 12, 96, 96, 3, 3, 1, 1),
                                    an_k_conv_shape(12, 9, 9, 3, 16, 7, 7, 2, 3),
                                    an_k_conv_shape(10, 5, 5, 24, 40, 3, 3, 1, 1),
                                    an_k_conv_shape(9, 6, 6, 64, 32, 1, 1, 2, 0)};
    for (int k = 0; k < COUNT(shapes); k++) {
        conv_problem p = conv_problem_of(shapes[k]);
        float *y[2] = {zeros(p.ny), zeros(p.ny)}, *dx[2] = {zeros(p.nx), zeros(p.nx)};
        images_of(y[0], dx[0], &p, 0, p.s.B);
        for (int64_t first = 0, count; first < p.s.B; first += count) {
            count = first == 0 ? 1 : p.s.B - first < 4 ? p.s.B - first : 4;
            images_of(y[1], dx[1], &p, first, count);
        }
        assert_memory_equal(y[0], y[1], sizeof(float) * (size_t)p.ny);
        assert_memory_equal(dx[0], dx[1], sizeof(float) * (size_t)p.nx);
        an_free(y[0]), an_free(y[1]), an_free(dx[0]), an_free(dx[1]);
        conv_problem_free(&p);
    }
}

/* ── weight gradients ─────────────────────────────────────────────────────────────────── */

static void gradient(float *dw, const conv_problem *p, int64_t first, const an_cut *cut)
{
    an_conv_shape s = p->s;
    an_conv_cut sum;
    s.B = cut->own;
    assert_int_equal(AN_OK, an_k_conv_cut_start(&sum, p->dy + first * s.Ho * s.Wo * s.O,
                                                p->x + first * s.H * s.W * s.C, &s, cut));
    an_k_conv_cut_finish(&sum, dw);
}

/* to (n) ← the sum of `parts` arrays by a binary tree. */
static void add_up(float *to, int64_t n, int parts)
{
    for (int step = 1; step < parts; step *= 2)
        for (int k = 0; k < parts; k += 2 * step)
            for (int64_t i = 0; i < n; i++)
                to[k * n + i] += to[(k + step) * n + i];
}

static void weights_of_parts_add_up_to_the_whole(void **state)
{
    (void)state;
    const an_conv_shape shapes[] = {an_k_conv_shape(16, 16, 16, 32, 32, 3, 3, 1, 1),
                                    an_k_conv_shape(20, 9, 9, 3, 16, 3, 3, 1, 1),
                                    an_k_conv_shape(20, 8, 8, 16, 32, 3, 3, 2, 1),
                                    an_k_conv_shape(16, 4, 4, 64, 64, 1, 1, 2, 0)};
    for (int k = 0; k < COUNT(shapes); k++) {
        conv_problem p = conv_problem_of(shapes[k]);
        an_cut whole = an_cut_of(p.s.B, false);
        float *all = zeros(p.nw), *plain = zeros(p.nw), *some = zeros(4 * p.nw);
        gradient(all, &p, 0, &whole);
        assert_int_equal(AN_OK, an_k_conv_backward_weight(plain, p.dy, p.x, &p.s));
        for (int64_t i = 0; i < p.nw; i++)
            assert_float_equal(plain[i], all[i], 1e-3);
        for (int parts = 2; parts <= 4; parts *= 2) {
            memset(some, 0, sizeof *some * (size_t)(4 * p.nw));
            for (int part = 0; part < parts; part++) {
                int64_t first;
                an_cut cut = part_of(&first, &whole, parts, part);
                gradient(some + part * p.nw, &p, first, &cut);
            }
            add_up(some, p.nw, parts);
            assert_memory_equal(all, some, sizeof *all * (size_t)p.nw);
        }
        an_free(all), an_free(plain), an_free(some);
        conv_problem_free(&p);
    }
}

/* ── sums over rows ───────────────────────────────────────────────────────────────────── */

static void add_row(double *sums, const void *context, int64_t lo, int64_t hi)
{
    const float *x = context;
    for (int64_t r = lo; r < hi; r++)
        for (int64_t c = 0; c < 5; c++)
            sums[c] += (double)x[5 * r + c];
}

static void rows_of_parts_add_up_to_the_whole(void **state)
{
    (void)state;
    enum { B = 20, OF_IMAGE = 3000 };
    float *x = normals(B * OF_IMAGE * 5, 7);
    an_cut whole = an_cut_of(B, false);
    double all[5], plain[5], some[2][5];
    assert_int_equal(AN_OK, an_k_cut_row_sums(all, 5, add_row, x, B * OF_IMAGE, 5, &whole));
    assert_int_equal(AN_OK, an_k_row_sums(plain, 5, add_row, x, B * OF_IMAGE, 5));
    for (int part = 0; part < 2; part++) {
        int64_t first;
        an_cut cut = part_of(&first, &whole, 2, part);
        assert_int_equal(AN_OK, an_k_cut_row_sums(some[part], 5, add_row, x + first * OF_IMAGE * 5,
                                                  cut.own * OF_IMAGE, 5, &cut));
    }
    for (int c = 0; c < 5; c++) {
        assert_true(some[0][c] + some[1][c] == all[c]);
        assert_float_equal(plain[c], all[c], 1e-6);
    }
    an_free(x);
}

/* The gradients of batch norm with a cut are those without, up to rounding. */
static void batch_norm_with_a_cut_agrees(void **state)
{
    (void)state;
    enum { B = 12, C = 6, N = B * 25 };
    float *x = normals(N * C, 1), *dy = normals(N * C, 2), *dx[2];
    float gamma[C], beta[C], mean[C], rstd[C], dgamma[2][C] = {{0}}, dbeta[2][C] = {{0}};
    double m[C], v[C], plain_m[C], plain_v[C];
    an_cut cut = an_cut_of(B, false);
    assert_int_equal(AN_OK, an_k_batch_moments(m, v, x, false, N, C, &cut));
    assert_int_equal(AN_OK, an_k_batch_moments(plain_m, plain_v, x, false, N, C, NULL));
    for (int c = 0; c < C; c++) {
        assert_float_equal(plain_m[c], m[c], 1e-9);
        assert_float_equal(plain_v[c], v[c], 1e-9);
        gamma[c] = 1 + (float)c, beta[c] = 0.1f;
        mean[c] = (float)m[c], rstd[c] = (float)(1 / sqrt(v[c] + 1e-5));
    }
    for (int k = 0; k < 2; k++) {
        an_batch_norm_saved saved = {mean, rstd,  gamma, beta,           NULL,
                                     true, false, true,  k ? &cut : NULL};
        an_batch_norm_grads d = {
            .dx = dx[k] = zeros(N * C), .dgamma = dgamma[k], .dbeta = dbeta[k]};
        assert_int_equal(AN_OK, an_k_batch_norm_backward(d, dy, x, &saved, N, C));
    }
    for (int64_t i = 0; i < N * C; i++)
        assert_float_equal(dx[0][i], dx[1][i], 1e-4);
    for (int c = 0; c < C; c++) {
        assert_float_equal(dgamma[0][c], dgamma[1][c], 1e-3);
        assert_float_equal(dbeta[0][c], dbeta[1][c], 1e-3);
    }
    an_free(x), an_free(dy), an_free(dx[0]), an_free(dx[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_cover_the_batch_once),
        cmocka_unit_test(an_image_has_the_same_bits_in_each_part),
        cmocka_unit_test(weights_of_parts_add_up_to_the_whole),
        cmocka_unit_test(rows_of_parts_add_up_to_the_whole),
        cmocka_unit_test(batch_norm_with_a_cut_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
