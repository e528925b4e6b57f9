/* Convolutions in bf16 against the definition in double on factors that are rounded before, so that
 * only the sums differ: every kernel, stride and padding, on each unit of this CPU; the same bits
 * on one thread and on three, and for an image alone and within a batch. */
#include <math.h>
#include <stdio.h>

#include "convolution.h"

#include "base/narrow_float.h"
#include "base/precision.h"
#include "kernel/common/bf16_round.h"
#include "kernel/conv/conv_bf16.h"

static void round_all(float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = an_from_bf16(an_to_bf16(x[i]));
}

static conv_problem rounded_problem(int64_t B, int64_t H, int64_t W, int64_t C, int64_t O,
                                    int64_t kernel, int64_t stride, int64_t pad)
{
    conv_problem p = conv_problem_of(an_k_conv_shape(B, H, W, C, O, kernel, kernel, stride, pad));
    round_all(p.x, p.nx), round_all(p.w, p.nw), round_all(p.dy, p.ny);
    return p;
}

/* Starting from standard normal numbers where the result is added to them, else from NaN. */
static void check_problem(const conv_problem *p, bool accumulate)
{
    float *y = normals(p->ny, 5), *dx = normals(p->nx, 6), *dw = normals(p->nw, 7);
    double *expected_y = an_alloc(sizeof(double) * (size_t)p->ny);
    double *expected_dx = an_alloc(sizeof(double) * (size_t)p->nx);
    double *expected_dw = an_alloc(sizeof(double) * (size_t)p->nw);
    for (int64_t i = 0; i < p->ny; i++) {
        expected_y[i] = accumulate ? (double)p->b[i % p->s.O] : 0;
        y[i] = NAN;
    }
    for (int64_t i = 0; i < p->nx; i++) {
        expected_dx[i] = accumulate ? (double)dx[i] : 0;
        dx[i] = accumulate ? dx[i] : NAN;
    }
    for (int64_t i = 0; i < p->nw; i++)
        expected_dw[i] = (double)dw[i];
    conv_definition(expected_y, expected_dx, expected_dw, p);
    assert_int_equal(AN_OK, an_k_conv_bf16_forward(y, p->x, p->w, accumulate ? p->b : NULL, &p->s));
    assert_within(y, expected_y, p->ny, 1e-6);
    if (an_k_conv_bf16_data_fits(&p->s)) {
        assert_int_equal(AN_OK, an_k_conv_bf16_data(dx, p->dy, p->w, accumulate, &p->s));
        assert_within(dx, expected_dx, p->nx, 1e-6);
    }
    assert_int_equal(AN_OK, an_k_conv_bf16_weight(dw, p->dy, p->x, &p->s));
    assert_within(dw, expected_dw, p->nw, 1e-6);
    an_free(y), an_free(dx), an_free(dw);
    an_free(expected_y), an_free(expected_dx), an_free(expected_dw);
}

static void check(int64_t B, int64_t H, int64_t W, int64_t C, int64_t O, int64_t kernel,
                  int64_t stride, int64_t pad)
{
    if (H + 2 * pad < kernel || W + 2 * pad < kernel)
        return;
    conv_problem p = rounded_problem(B, H, W, C, O, kernel, stride, pad);
    for (int most = AN_BF16_EMULATED; most <= AN_BF16_AMX; most++)
        if (an_bf16_limit((an_bf16_unit)most) == (an_bf16_unit)most)
            for (int accumulate = 0; accumulate <= 1; accumulate++)
                check_problem(&p, accumulate);
    an_bf16_limit(AN_BF16_AMX);
    conv_problem_free(&p);
}

static void every_kernel_stride_and_padding(void **state)
{
    (void)state;
    for (int64_t kernel = 1; kernel <= 4; kernel++)
        for (int64_t stride = 1; stride <= 3; stride++)
            for (int64_t pad = 0; pad <= 4; pad += pad < 2 ? 1 : 2)
                check(2, 7, 6, 16, 32, kernel, stride, pad);
}

static void every_size(void **state)
{
    (void)state;
    for (int64_t size = 1; size <= 9; size++)
        check(2, size, 10 - size, 32, 16, 3, 1, 1);
    check(1, 1, 1, 16, 16, 1, 1, 0);
    check(3, 14, 14, 48, 16, 3, 2, 1);
    check(3, 5, 40, 16, 48, 5, 2, 2);
}

static void many_groups_of_images(void **state)
{
    (void)state;
    check(19, 22, 25, 16, 16, 3, 1, 1);
    check(9, 22, 24, 16, 16, 3, 1,
          1); /* a last task of fewer images, lines without a spare position */
    check(21, 24, 24, 16, 48, 3, 2, 1);
    check(40, 8, 8, 48, 80, 1, 2, 0);
    check(9, 7, 7, 96, 80, 3, 1, 1);
}

/* A stem: few channels, whose gradient is not required. */
static void few_channels(void **state)
{
    (void)state;
    check(2, 24, 26, 3, 32, 7, 2, 3);
    check(3, 9, 9, 1, 16, 3, 1, 1);
    check(3, 9, 9, 17, 16, 3, 1, 1);
}

static void no_image(void **state)
{
    (void)state;
    conv_problem p = rounded_problem(0, 8, 8, 16, 16, 3, 1, 1);
    float *dw = normals(p.nw, 7), *same = normals(p.nw, 7), none;
    assert_int_equal(AN_OK, an_k_conv_bf16_forward(&none, &none, p.w, NULL, &p.s));
    assert_int_equal(AN_OK, an_k_conv_bf16_data(&none, &none, p.w, false, &p.s));
    assert_int_equal(AN_OK, an_k_conv_bf16_weight(dw, &none, &none, &p.s));
    assert_memory_equal(dw, same, sizeof(float) * (size_t)p.nw);
    an_free(dw), an_free(same);
    conv_problem_free(&p);
}

typedef struct {
    float *y, *dx, *dw;
} results;

static results computed(const conv_problem *p, int threads)
{
    results r = {normals(p->ny, 5), normals(p->nx, 5), normals(p->nw, 5)};
    an_set_threads(threads);
    assert_int_equal(AN_OK, an_k_conv_bf16_forward(r.y, p->x, p->w, p->b, &p->s));
    assert_int_equal(AN_OK, an_k_conv_bf16_data(r.dx, p->dy, p->w, true, &p->s));
    assert_int_equal(AN_OK, an_k_conv_bf16_weight(r.dw, p->dy, p->x, &p->s));
    an_set_threads(0);
    return r;
}

static void same_bits_on_any_number_of_threads(void **state)
{
    (void)state;
    conv_problem p = rounded_problem(21, 20, 20, 32, 48, 3, 2, 1);
    results one = computed(&p, 1), three = computed(&p, 3);
    assert_memory_equal(one.y, three.y, sizeof(float) * (size_t)p.ny);
    assert_memory_equal(one.dx, three.dx, sizeof(float) * (size_t)p.nx);
    assert_memory_equal(one.dw, three.dw, sizeof(float) * (size_t)p.nw);
    /* The last image alone. */
    conv_problem last = p;
    int64_t nx = p.nx / p.s.B, ny = p.ny / p.s.B;
    last.s.B = 1;
    last.nx = nx, last.ny = ny;
    last.x = p.x + p.nx - nx, last.dy = p.dy + p.ny - ny;
    float *y = normals(ny, 5);
    assert_int_equal(AN_OK, an_k_conv_bf16_forward(y, last.x, last.w, last.b, &last.s));
    assert_memory_equal(y, one.y + p.ny - ny, sizeof(float) * (size_t)ny);
    an_free(y);
    an_free(one.y), an_free(one.dx), an_free(one.dw);
    an_free(three.y), an_free(three.dx), an_free(three.dw);
    conv_problem_free(&p);
}

static void out_of_memory_is_reported(void **state)
{
    (void)state;
    conv_problem p = rounded_problem(2, 8, 8, 16, 16, 3, 1, 1);
    float *y = normals(p.ny, 5);
    an_mem_fail_at(1);
    assert_int_equal(AN_ENOMEM, an_k_conv_bf16_forward(y, p.x, p.w, NULL, &p.s));
    an_mem_fail_at(1);
    assert_int_equal(AN_ENOMEM, an_k_conv_bf16_data(y, p.dy, p.w, false, &p.s));
    an_mem_fail_at(1);
    assert_int_equal(AN_ENOMEM, an_k_conv_bf16_weight(p.w, p.dy, p.x, &p.s));
    an_mem_fail_at(0);
    an_free(y);
    conv_problem_free(&p);
}

/* What conv.h does at either setting: every shape is computed, whatever fits. */
static void the_setting_selects(void **state)
{
    (void)state;
    for (int64_t O = 16; O <= 17; O++) {
        conv_problem p = conv_problem_of(an_k_conv_shape(2, 9, 9, 16, O, 3, 3, 1, 1));
        float *wide = normals(p.ny, 5), *narrow = normals(p.ny, 5);
        assert_int_equal(AN_OK, an_k_conv_forward(wide, p.x, p.w, p.b, &p.s));
        an_set_precision(AN_PRECISION_BF16);
        assert_int_equal(AN_OK, an_k_conv_forward(narrow, p.x, p.w, p.b, &p.s));
        an_set_precision(AN_PRECISION_FP32);
        bool same = memcmp(wide, narrow, sizeof(float) * (size_t)p.ny) == 0;
        assert_int_equal(O == 17, same);
        an_free(wide), an_free(narrow);
        conv_problem_free(&p);
    }
}

/* Ties, NaN of either sign, the largest number. A subnormal number may become zero. */
static void rounds_as_one_number_does(void **state)
{
    (void)state;
    const uint32_t bits[] = {0x3f808000u, 0x3f818000u, 0xbf80c000u, 0x7fffffffu,
                             0xff800001u, 0x7f7fffffu, 0x80000000u, 0x7f800000u};
    enum { KINDS = 8, N = 45 };
    float x[N];
    uint16_t rounded[N + 1] = {0};
    for (int i = 0; i < N; i++)
        memcpy(x + i, bits + (i * 5 + i / KINDS) % KINDS, sizeof *x);
    for (int most = AN_BF16_EMULATED; most <= AN_BF16_AMX; most++) {
        an_bf16_limit((an_bf16_unit)most);
        for (int n = 0; n <= N; n++) {
            memset(rounded, 0, sizeof rounded);
            an_bf16_round(rounded, x, n);
            for (int i = 0; i < n; i++)
                assert_int_equal(an_to_bf16(x[i]), rounded[i]);
            assert_int_equal(0, rounded[n]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(out_of_memory_is_reported),
        cmocka_unit_test(the_setting_selects),
        cmocka_unit_test(rounds_as_one_number_does),
        cmocka_unit_test(every_kernel_stride_and_padding),
        cmocka_unit_test(every_size),
        cmocka_unit_test(many_groups_of_images),
        cmocka_unit_test(few_channels),
        cmocka_unit_test(no_image),
        cmocka_unit_test(same_bits_on_any_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
