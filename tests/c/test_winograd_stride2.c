/* winograd_stride2 against the definition in double: whole and partial tiles, odd and even sizes,
 * more than one block, biased, plain and accumulated, the documented error bound, each vector width
 * of this CPU, and the same bits on one thread and on three. */
#include "convolution.h"

#include "base/simd.h"
#include "kernel/conv/winograd_stride2.h"

static conv_problem make_problem(int64_t B, int64_t H, int64_t W, int64_t C, int64_t O)
{
    return conv_problem_of(an_k_conv_shape(B, H, W, C, O, 3, 3, 2, 1));
}

static void check_width(const conv_problem *p, const double *y, const double *dx)
{
    const an_conv_shape *s = &p->s;
    float *got = normals(p->ny, 5), *got_dx = normals(p->nx, 6);
    double *expected = an_alloc(sizeof *expected * (size_t)(p->ny + p->nx)),
           *expected_dx = expected + p->ny;
    assert_non_null(expected);
    for (int more = 0; more < 2; more++) { /* plain and overwritten, then biased and accumulated */
        for (int64_t i = 0; i < p->ny; i++)
            expected[i] = y[i] + (more ? (double)p->b[i % s->O] : 0);
        for (int64_t i = 0; i < p->nx; i++)
            expected_dx[i] = dx[i] + (more ? (double)got_dx[i] : 0);
        assert_int_equal(AN_OK,
                         an_k_winograd_stride2_forward(got, p->x, p->w, more ? p->b : NULL, s));
        assert_within(got, expected, p->ny, 1e-5);
        assert_int_equal(AN_OK, an_k_winograd_stride2_data(got_dx, p->dy, p->w, more, s));
        assert_within(got_dx, expected_dx, p->nx, 1e-5);
    }
    an_free(got), an_free(got_dx), an_free(expected);
}

/* Once for each vector width of this CPU. */
static void check(int64_t B, int64_t H, int64_t W, int64_t C, int64_t O)
{
    conv_problem p = make_problem(B, H, W, C, O);
    double *y = an_calloc((size_t)(p.ny + p.nx), sizeof *y);
    assert_non_null(y);
    conv_definition(y, y + p.ny, NULL, &p);
    for (int most = AN_SIMD_BASELINE; most <= AN_SIMD_AVX512; most++)
        if (an_simd_limit((an_simd)most) == (an_simd)most)
            check_width(&p, y, y + p.ny);
    an_free(y);
    conv_problem_free(&p);
}

static void every_size(void **state)
{
    (void)state;
    for (int64_t size = 1; size <= 18; size++)
        check(2, size, 19 - size, 16, 32);
}

static void many_blocks(void **state)
{
    (void)state;
    check(19, 32, 29, 32, 16);
    check(20, 16, 16, 48, 112);
    check(9, 8, 16, 128, 128);
}

static void suitable_sizes(void **state)
{
    (void)state;
    struct {
        an_conv_shape s;
        bool fits;
    } cases[] = {
        {an_k_conv_shape(128, 32, 32, 32, 64, 3, 3, 2, 1), true},
        {an_k_conv_shape(128, 31, 32, 16, 16, 3, 3, 2, 1), true},
        {an_k_conv_shape(128, 32, 32, 32, 64, 3, 3, 1, 1), false},
        {an_k_conv_shape(128, 32, 32, 32, 64, 3, 3, 2, 0), false},
        {an_k_conv_shape(128, 32, 32, 32, 64, 1, 1, 2, 0), false},
        {an_k_conv_shape(128, 32, 32, 24, 64, 3, 3, 2, 1), false},
        {an_k_conv_shape(32, 8, 8, 128, 256, 3, 3, 2, 1), false},    /* too few tiles */
        {an_k_conv_shape(512, 4, 4, 64, 64, 3, 3, 2, 1), false},     /* mostly waste  */
        {an_k_conv_shape(128, 16, 16, 512, 512, 3, 3, 2, 1), false}, /* much memory  */
    };
    for (int i = 0; i < COUNT(cases); i++)
        assert_int_equal(cases[i].fits, an_k_winograd_stride2_fits(&cases[i].s));
}

static void conv_selects_it(void **state)
{
    (void)state;
    conv_problem p = make_problem(64, 7, 8, 16, 32);
    float *y[2] = {normals(p.ny, 5), normals(p.ny, 5)},
          *dx[2] = {normals(p.nx, 6), normals(p.nx, 6)};
    assert_true(an_k_winograd_stride2_fits(&p.s));
    assert_int_equal(AN_OK, an_k_conv_forward(y[0], p.x, p.w, p.b, &p.s));
    assert_int_equal(AN_OK, an_k_winograd_stride2_forward(y[1], p.x, p.w, p.b, &p.s));
    assert_int_equal(AN_OK, an_k_conv_backward_data(dx[0], p.dy, p.w, 1, &p.s));
    assert_int_equal(AN_OK, an_k_winograd_stride2_data(dx[1], p.dy, p.w, true, &p.s));
    assert_memory_equal(y[0], y[1], sizeof(float) * (size_t)p.ny);
    assert_memory_equal(dx[0], dx[1], sizeof(float) * (size_t)p.nx);
    for (int run = 0; run < 2; run++)
        an_free(y[run]), an_free(dx[run]);
    conv_problem_free(&p);
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    conv_problem p = make_problem(21, 32, 36, 32, 48);
    float *y[2], *dx[2];
    for (int run = 0; run < 2; run++) {
        an_set_threads(run == 0 ? 1 : 3);
        y[run] = normals(p.ny, 5), dx[run] = normals(p.nx, 6);
        assert_int_equal(AN_OK, an_k_winograd_stride2_forward(y[run], p.x, p.w, p.b, &p.s));
        assert_int_equal(AN_OK, an_k_winograd_stride2_data(dx[run], p.dy, p.w, true, &p.s));
    }
    an_set_threads(0);
    assert_memory_equal(y[0], y[1], sizeof(float) * (size_t)p.ny);
    assert_memory_equal(dx[0], dx[1], sizeof(float) * (size_t)p.nx);
    for (int run = 0; run < 2; run++)
        an_free(y[run]), an_free(dx[run]);
    conv_problem_free(&p);
}

static void out_of_memory_is_reported(void **state)
{
    (void)state;
    conv_problem p = make_problem(2, 8, 8, 16, 16);
    float *y = normals(p.ny, 5), *dx = normals(p.nx, 6);
    int64_t live = an_mem_live();
    an_mem_fail_at(1);
    assert_int_equal(AN_ENOMEM, an_k_winograd_stride2_forward(y, p.x, p.w, NULL, &p.s));
    an_mem_fail_at(1);
    assert_int_equal(AN_ENOMEM, an_k_winograd_stride2_data(dx, p.dy, p.w, false, &p.s));
    an_mem_fail_at(0);
    assert_int_equal(live, an_mem_live());
    an_free(y), an_free(dx);
    conv_problem_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size),
        cmocka_unit_test(many_blocks),
        cmocka_unit_test(suitable_sizes),
        cmocka_unit_test(conv_selects_it),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
