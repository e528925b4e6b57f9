/* conv against the definition in double: odd kernels and sizes, strides
 * and paddings, one image and many, accumulated gradients, each vector width of
 * this CPU, and the same bits on one thread and on three. */
#include <stdio.h>

#include "convolution.h"

#include "base/simd.h"

typedef struct {
    int64_t B, H, W, C, O, kh, kw, stride, pad;
} layer;

/* to (n) += the sums of y, dx or dw. */
typedef enum { FORWARD, DATA, WEIGHT } direction;

static void add_definition(float *to, int64_t n, direction kind, const conv_problem *p)
{
    double *sum = an_calloc((size_t)n, sizeof *sum);
    assert_non_null(sum);
    conv_definition(kind == FORWARD ? sum : NULL, kind == DATA ? sum : NULL,
                    kind == WEIGHT ? sum : NULL, p);
    for (int64_t k = 0; k < n; k++)
        to[k] += (float)sum[k];
    an_free(sum);
}

static conv_problem make_problem(layer l)
{
    return conv_problem_of(an_k_conv_shape(l.B, l.H, l.W, l.C, l.O, l.kh, l.kw, l.stride, l.pad));
}

static void check(layer l)
{
    conv_problem p = make_problem(l);
    char what[128];
    snprintf(what, sizeof what, "B %d, %dx%d, %d to %d, kernel %dx%d, stride %d, pad %d", (int)l.B,
             (int)l.H, (int)l.W, (int)l.C, (int)l.O, (int)l.kh, (int)l.kw, (int)l.stride,
             (int)l.pad);
    float *got = normals(p.ny, 5), *expected = normals(p.ny, 5);
    for (int biased = 0; biased < 2; biased++) {
        for (int64_t k = 0; k < p.ny; k++)
            expected[k] = biased ? p.b[k % l.O] : 0;
        add_definition(expected, p.ny, FORWARD, &p);
        assert_int_equal(AN_OK, an_k_conv_forward(got, p.x, p.w, biased ? p.b : NULL, &p.s));
        assert_close(got, expected, p.ny, 1e-4, what);
    }
    float *dx = normals(p.nx, 6), *expected_dx = normals(p.nx, 6);
    add_definition(expected_dx, p.nx, DATA, &p);
    assert_int_equal(AN_OK, an_k_conv_backward_data(dx, p.dy, p.w, 1, &p.s));
    assert_close(dx, expected_dx, p.nx, 1e-4, what);
    for (int64_t k = 0; k < p.nx; k++)
        dx[k] = NAN, expected_dx[k] = 0;
    add_definition(expected_dx, p.nx, DATA, &p);
    assert_int_equal(AN_OK, an_k_conv_backward_data(dx, p.dy, p.w, 0, &p.s));
    assert_close(dx, expected_dx, p.nx, 1e-4, what); /* overwritten */
    float *dw = normals(p.nw, 7), *expected_dw = normals(p.nw, 7);
    add_definition(expected_dw, p.nw, WEIGHT, &p);
    assert_int_equal(AN_OK, an_k_conv_backward_weight(dw, p.dy, p.x, &p.s));
    assert_close(dw, expected_dw, p.nw, 3e-4, what);
    an_free(got), an_free(expected), an_free(dx), an_free(expected_dx), an_free(dw),
        an_free(expected_dw);
    conv_problem_free(&p);
}

/* Once for each vector width of this CPU. */
static void check_widths(layer l)
{
    for (int most = AN_SIMD_BASELINE; most <= AN_SIMD_AVX512; most++)
        if (an_simd_limit((an_simd)most) == (an_simd)most)
            check(l);
}

static void every_kernel_stride_and_pad(void **state)
{
    (void)state;
    for (int64_t k = 1; k <= 7; k += 2)
        for (int64_t stride = 1; stride <= 3; stride++)
            for (int64_t pad = 0; pad <= 3; pad++)
                check_widths((layer){3, 11, 9, 5, 7, k, k, stride, pad});
}

static void odd_shapes(void **state)
{
    (void)state;
    const layer cases[] = {
        {1, 1, 1, 1, 1, 1, 1, 1, 0},     {1, 1, 1, 3, 2, 3, 3, 1, 1},
        {1, 7, 5, 3, 4, 7, 5, 1, 0},     {17, 4, 6, 2, 3, 3, 3, 2, 1}, /* 9 chunks of 2 and 1 */
        {2, 5, 40, 3, 4, 1, 7, 1, 3},    {2, 40, 5, 3, 4, 5, 3, 2, 2},
        {2, 33, 37, 16, 9, 3, 3, 1, 1},  {1, 69, 67, 16, 3, 3, 3, 2, 1}, /* several tiles     */
        {1, 3, 3, 1500, 2, 3, 3, 1, 1},  {1, 3, 3, 1500, 2, 3, 3, 2, 1}, /* the smallest tile */
        {3, 4, 3, 90, 100, 3, 3, 1, 1},  {3, 4, 3, 90, 100, 3, 3, 2, 1}, /* many channels     */
        {11, 3, 4, 40, 48, 3, 3, 1, 1},  {11, 6, 5, 24, 33, 3, 3, 2, 1}, /* blocks by image    */
        {9, 13, 14, 3, 16, 3, 3, 1, 1},  {4, 15, 13, 3, 32, 7, 7, 2, 3}, /* patches            */
        {19, 33, 5, 4, 48, 3, 5, 1, 2},  {2, 12, 70, 1, 16, 5, 3, 3, 0},
        {1, 9, 9, 2, 16, 3, 3, 2, 4},    {3, 10, 10, 3, 16, 3, 3, 4, 1},
        {2, 8, 9, 3, 24, 3, 3, 1, 1},                                   /* no patches            */
        {9, 50, 51, 24, 80, 3, 3, 2, 1}, {2, 9, 9, 72, 40, 1, 1, 2, 0}, /* cut into chunks    */
        {2, 3, 3, 4, 3, 3, 3, 2, 5},     {1, 2, 9, 1, 1, 1, 3, 4, 1},   /* outputs of zeros   */
    };
    for (int i = 0; i < COUNT(cases); i++)
        check_widths(cases[i]);
}

static void kernels_larger_than_the_image(void **state)
{
    (void)state;
    an_conv_shape s = an_k_conv_shape(1, 4, 8, 3, 2, 7, 7, 1, 1);
    assert_true(s.Ho < 1 && s.Wo == 4);
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    const layer cases[] = {{20, 12, 12, 8, 12, 3, 3, 1, 1}, {20, 12, 12, 8, 12, 3, 3, 2, 1},
                           {5, 4, 4, 90, 100, 3, 3, 1, 1},  {9, 4, 4, 90, 100, 3, 3, 2, 1},
                           {9, 50, 51, 24, 80, 3, 3, 2, 1}, {9, 13, 14, 3, 16, 3, 3, 1, 1}};
    for (int i = 0; i < COUNT(cases); i++) {
        conv_problem p = make_problem(cases[i]);
        float *y[2], *dx[2], *dw[2];
        for (int run = 0; run < 2; run++) {
            an_set_threads(run == 0 ? 1 : 3);
            y[run] = normals(p.ny, 5), dx[run] = normals(p.nx, 6), dw[run] = normals(p.nw, 7);
            an_k_conv_forward(y[run], p.x, p.w, p.b, &p.s);
            an_k_conv_backward_data(dx[run], p.dy, p.w, 1, &p.s);
            an_k_conv_backward_weight(dw[run], p.dy, p.x, &p.s);
        }
        an_set_threads(0);
        assert_memory_equal(y[0], y[1], sizeof(float) * (size_t)p.ny);
        assert_memory_equal(dx[0], dx[1], sizeof(float) * (size_t)p.nx);
        assert_memory_equal(dw[0], dw[1], sizeof(float) * (size_t)p.nw);
        for (int run = 0; run < 2; run++)
            an_free(y[run]), an_free(dx[run]), an_free(dw[run]);
        conv_problem_free(&p);
    }
}

static void out_of_memory_is_reported(void **state)
{
    (void)state;
    const layer cases[] = {{2, 5, 5, 3, 4, 3, 3, 1, 1}, {3, 4, 3, 90, 100, 3, 3, 2, 1}};
    for (int i = 0; i < COUNT(cases); i++) {
        conv_problem p = make_problem(cases[i]);
        float *dx = normals(p.nx, 6), *dw = normals(p.nw, 7), *y = normals(p.ny, 5);
        int64_t live = an_mem_live();
        an_mem_fail_at(1);
        assert_int_equal(AN_ENOMEM, an_k_conv_forward(y, p.x, p.w, NULL, &p.s));
        an_mem_fail_at(1);
        assert_int_equal(AN_ENOMEM, an_k_conv_backward_data(dx, p.dy, p.w, 1, &p.s));
        an_mem_fail_at(1);
        assert_int_equal(AN_ENOMEM, an_k_conv_backward_weight(dw, p.dy, p.x, &p.s));
        an_mem_fail_at(0);
        assert_int_equal(live, an_mem_live());
        an_free(dx), an_free(dw), an_free(y);
        conv_problem_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_stride_and_pad),
        cmocka_unit_test(odd_shapes),
        cmocka_unit_test(kernels_larger_than_the_image),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
