/* winograd against the definition in double: whole and partial tiles, every padding, more than
 * one block and chunk, the documented error bounds, the same bits on one thread and on three. */
#include <stdio.h>

#include "convolution.h"

#include "base/simd.h"
#include "kernel/conv/winograd.h"

static conv_problem make_problem(int64_t B, int64_t H, int64_t W, int64_t C, int64_t O, int64_t pad)
{
    return conv_problem_of(an_k_conv_shape(B, H, W, C, O, 3, 3, 1, pad));
}

/* y += the convolution of p with its kernels, read as (C,O,3,3) and rotated by 180°. */
static void add_flipped(double *y, const conv_problem *p)
{
    int64_t C = p->s.C, O = p->s.O;
    conv_problem plain = *p;
    plain.w = normals(p->nw, 0);
    for (int64_t i = 0; i < p->nw; i++) {
        int64_t k = i % 9, c = i / 9 % C, o = i / 9 / C;
        plain.w[i] = p->w[(c * O + o) * 9 + 8 - k];
    }
    conv_definition(y, NULL, NULL, &plain);
    an_free(plain.w);
}

static void check_width(int64_t B, int64_t H, int64_t W, int64_t C, int64_t O, int64_t pad)
{
    conv_problem p = make_problem(B, H, W, C, O, pad);
    double *expected = an_alloc(sizeof *expected * (size_t)p.ny);
    float *y = normals(p.ny, 5);
    for (int kind = 0; kind < 4; kind++) { /* plain, biased, accumulated, flipped */
        for (int64_t i = 0; i < p.ny; i++)
            expected[i] = kind == 1 ? (double)p.b[i % O] : kind == 2 ? (double)y[i] : 0;
        if (kind == 3)
            add_flipped(expected, &p);
        else
            conv_definition(expected, NULL, NULL, &p);
        assert_int_equal(AN_OK, an_k_winograd_forward(y, p.x, p.w, kind == 3,
                                                      kind == 1 ? p.b : NULL, kind == 2, &p.s));
        assert_within(y, expected, p.ny, 1e-5);
    }
    float *dw = normals(p.nw, 6);
    double *expected_dw = an_alloc(sizeof *expected_dw * (size_t)p.nw);
    for (int64_t i = 0; i < p.nw; i++)
        expected_dw[i] = (double)dw[i];
    conv_definition(NULL, NULL, expected_dw, &p);
    assert_int_equal(AN_OK, an_k_winograd_weight(dw, p.dy, p.x, &p.s));
    assert_within(dw, expected_dw, p.nw, 2e-5);
    an_free(expected), an_free(y), an_free(dw), an_free(expected_dw);
    conv_problem_free(&p);
}

/* Once for each vector width of this CPU. */
static void check(int64_t B, int64_t H, int64_t W, int64_t C, int64_t O, int64_t pad)
{
    for (int most = AN_SIMD_BASELINE; most <= AN_SIMD_AVX512; most++)
        if (an_simd_limit((an_simd)most) == (an_simd)most)
            check_width(B, H, W, C, O, pad);
}

static void every_size_and_padding(void **state)
{
    (void)state;
    for (int64_t size = 3; size <= 9; size++)
        for (int64_t pad = 0; pad <= 2; pad++)
            check(2, size, 12 - size, 16, 32, pad);
    check(1, 1, 1, 16, 16, 1);
}

static void many_blocks_and_chunks(void **state)
{
    (void)state;
    check(19, 32, 29, 32, 16, 1);
    check(5, 12, 12, 128, 128, 1);
    check(40, 12, 12, 96, 112, 1);
    check(9, 4, 4, 80, 112, 1); /* by channels */
}

static void suitable_sizes(void **state)
{
    (void)state;
    struct {
        an_conv_shape s;
        bool fits;
    } cases[] = {
        {an_k_conv_shape(128, 32, 32, 32, 32, 3, 3, 1, 1), true},
        {an_k_conv_shape(8, 16, 16, 64, 64, 3, 3, 1, 1), true},
        {an_k_conv_shape(128, 32, 32, 3, 32, 3, 3, 1, 1), false},
        {an_k_conv_shape(128, 32, 32, 32, 64, 3, 3, 2, 1), false},
        {an_k_conv_shape(128, 32, 32, 32, 32, 1, 1, 1, 0), false},
        {an_k_conv_shape(32, 4, 4, 256, 256, 3, 3, 1, 1), true},
        {an_k_conv_shape(16, 14, 14, 256, 256, 3, 3, 1, 1), true}, /* computes 16×16 */
        {an_k_conv_shape(16, 7, 7, 512, 512, 3, 3, 1, 1), true},
        {an_k_conv_shape(1, 8, 8, 64, 64, 3, 3, 1, 1), false},   /* too few tiles */
        {an_k_conv_shape(128, 5, 5, 64, 64, 3, 3, 1, 1), false}, /* mostly waste  */
    };
    for (int i = 0; i < COUNT(cases); i++)
        assert_int_equal(cases[i].fits, an_k_winograd_fits(&cases[i].s));
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    conv_problem cases[] = {make_problem(21, 16, 18, 32, 48, 1), make_problem(9, 4, 4, 80, 112, 1)};
    for (int i = 0; i < COUNT(cases); i++) {
        conv_problem p = cases[i];
        float *y[2], *dw[2];
        for (int run = 0; run < 2; run++) {
            an_set_threads(run == 0 ? 1 : 3);
            y[run] = normals(p.ny, 5), dw[run] = normals(p.nw, 6);
            assert_int_equal(AN_OK,
                             an_k_winograd_forward(y[run], p.x, p.w, false, p.b, false, &p.s));
            assert_int_equal(AN_OK, an_k_winograd_weight(dw[run], p.dy, p.x, &p.s));
        }
        an_set_threads(0);
        assert_memory_equal(y[0], y[1], sizeof(float) * (size_t)p.ny);
        assert_memory_equal(dw[0], dw[1], sizeof(float) * (size_t)p.nw);
        for (int run = 0; run < 2; run++)
            an_free(y[run]), an_free(dw[run]);
        conv_problem_free(&p);
    }
}

static void out_of_memory_is_reported(void **state)
{
    (void)state;
    conv_problem cases[] = {make_problem(2, 8, 8, 16, 16, 1), make_problem(9, 4, 4, 80, 112, 1)};
    for (int i = 0; i < COUNT(cases); i++) {
        conv_problem p = cases[i];
        float *y = normals(p.ny, 5);
        an_mem_fail_at(1);
        assert_int_equal(AN_ENOMEM, an_k_winograd_forward(y, p.x, p.w, false, NULL, false, &p.s));
        an_mem_fail_at(1);
        assert_int_equal(AN_ENOMEM, an_k_winograd_weight(p.w, p.dy, p.x, &p.s));
        an_mem_fail_at(0);
        an_free(y);
        conv_problem_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_and_padding),
        cmocka_unit_test(many_blocks_and_chunks),
        cmocka_unit_test(suitable_sizes),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
