/* Dense layers in bf16 against the definition in double on factors that are rounded before, on each
 * unit of this CPU; the same bits on one thread and on three; and what selects them. */
#include <math.h>
#include <stdio.h>

#include "convolution.h"

#include "base/narrow_float.h"
#include "base/precision.h"
#include "kernel/matmul/linear.h"
#include "kernel/matmul/linear_bf16.h"

typedef struct {
    an_linear_shape s;
    float *x, *w, *b, *dy;
} layer;

static float *rounded_normals(int64_t n, uint64_t stream)
{
    float *x = normals(n, stream);
    for (int64_t i = 0; i < n; i++)
        x[i] = an_from_bf16(an_to_bf16(x[i]));
    return x;
}

static layer make_layer(int64_t rows, int64_t out, int64_t in)
{
    return (layer){{rows, out, in},
                   rounded_normals(rows * in, 1),
                   rounded_normals(out * in, 2),
                   normals(out, 3),
                   rounded_normals(rows * out, 4)};
}

static void free_layer(layer *l)
{
    an_free(l->x), an_free(l->w), an_free(l->b), an_free(l->dy);
}

static void check_forward(const layer *l, bool biased)
{
    int64_t rows = l->s.rows, out = l->s.out, in = l->s.in;
    float *y = normals(rows * out, 5);
    double *expected = an_alloc(sizeof(double) * (size_t)(rows * out));
    for (int64_t i = 0; i < rows * out; i++) {
        expected[i] = biased ? (double)l->b[i % out] : 0;
        for (int64_t k = 0; k < in; k++)
            expected[i] += (double)l->x[i / out * in + k] * (double)l->w[i % out * in + k];
        y[i] = NAN;
    }
    assert_int_equal(AN_OK, an_k_linear_bf16_forward(y, l->x, l->w, biased ? l->b : NULL, &l->s));
    assert_within(y, expected, rows * out, 1e-6);
    an_free(y), an_free(expected);
}

static void check_backward(const layer *l, float beta)
{
    int64_t rows = l->s.rows, out = l->s.out, in = l->s.in;
    float *dx = normals(rows * in, 6), *dw = normals(out * in, 7);
    double *expected_dx = an_alloc(sizeof(double) * (size_t)(rows * in));
    double *expected_dw = an_alloc(sizeof(double) * (size_t)(out * in));
    for (int64_t i = 0; i < rows * in; i++) {
        expected_dx[i] = beta == 1 ? (double)dx[i] : 0;
        for (int64_t o = 0; o < out; o++)
            expected_dx[i] += (double)l->dy[i / in * out + o] * (double)l->w[o * in + i % in];
        dx[i] = beta == 1 ? dx[i] : NAN;
    }
    for (int64_t i = 0; i < out * in; i++) {
        expected_dw[i] = beta == 1 ? (double)dw[i] : 0;
        for (int64_t r = 0; r < rows; r++)
            expected_dw[i] += (double)l->dy[r * out + i / in] * (double)l->x[r * in + i % in];
        dw[i] = beta == 1 ? dw[i] : NAN;
    }
    an_linear_grads d = {.dx = dx, .beta_x = beta, .dw = dw, .beta_w = beta};
    assert_int_equal(AN_OK, an_k_linear_bf16_backward(&d, l->dy, l->x, l->w, &l->s));
    assert_within(dx, expected_dx, rows * in, 1e-6);
    assert_within(dw, expected_dw, out * in, 4e-6);
    an_free(dx), an_free(dw), an_free(expected_dx), an_free(expected_dw);
}

static void every_size_on_every_unit(void **state)
{
    (void)state;
    const int64_t sizes[][3] = {{1, 16, 16},   {2, 32, 48},   {31, 48, 16},  {33, 64, 32},
                                {127, 16, 80}, {130, 96, 64}, {600, 32, 32}, {4200, 16, 32}};
    for (int i = 0; i < COUNT(sizes); i++) {
        layer l = make_layer(sizes[i][0], sizes[i][1], sizes[i][2]);
        for (int most = AN_BF16_EMULATED; most <= AN_BF16_AMX; most++)
            if (an_bf16_limit((an_bf16_unit)most) == (an_bf16_unit)most)
                for (int flag = 0; flag <= 1; flag++) {
                    check_forward(&l, flag == 1);
                    check_backward(&l, (float)flag);
                }
        an_bf16_limit(AN_BF16_AMX);
        free_layer(&l);
    }
}

static void no_row(void **state)
{
    (void)state;
    layer l = make_layer(0, 16, 32);
    float none, *dw = normals(16 * 32, 7);
    assert_int_equal(AN_OK, an_k_linear_bf16_forward(&none, &none, l.w, l.b, &l.s));
    an_linear_grads d = {.dw = dw, .beta_w = 0};
    assert_int_equal(AN_OK, an_k_linear_bf16_backward(&d, &none, &none, l.w, &l.s));
    for (int i = 0; i < 16 * 32; i++)
        assert_true(dw[i] == 0);
    an_free(dw);
    free_layer(&l);
}

static void same_bits_on_any_number_of_threads(void **state)
{
    (void)state;
    layer l = make_layer(5000, 48, 64);
    float *y[2], *dx[2], *dw[2];
    for (int run = 0; run < 2; run++) {
        an_set_threads(run == 0 ? 1 : 3);
        y[run] = normals(5000 * 48, 5), dx[run] = normals(5000 * 64, 5),
        dw[run] = normals(48 * 64, 5);
        assert_int_equal(AN_OK, an_k_linear_bf16_forward(y[run], l.x, l.w, l.b, &l.s));
        an_linear_grads d = {.dx = dx[run], .dw = dw[run], .beta_w = 1};
        assert_int_equal(AN_OK, an_k_linear_bf16_backward(&d, l.dy, l.x, l.w, &l.s));
    }
    an_set_threads(0);
    assert_memory_equal(y[0], y[1], sizeof(float) * 5000 * 48);
    assert_memory_equal(dx[0], dx[1], sizeof(float) * 5000 * 64);
    assert_memory_equal(dw[0], dw[1], sizeof(float) * 48 * 64);
    for (int run = 0; run < 2; run++)
        an_free(y[run]), an_free(dx[run]), an_free(dw[run]);
    free_layer(&l);
}

/* The setting decides; sizes that are no multiples of 16 stay float32. */
static void the_setting_selects(void **state)
{
    (void)state;
    layer l = make_layer(40, 32, 48), odd = make_layer(40, 32, 47);
    float *wide = normals(40 * 32, 5), *narrow = normals(40 * 32, 5), *other = normals(40 * 32, 5);
    for (int i = 0; i < 40 * 48; i++)
        l.x[i] *= 1.001f; /* no longer of bf16 */
    for (int i = 0; i < 40 * 47; i++)
        odd.x[i] *= 1.001f;
    assert_int_equal(AN_PRECISION_FP32, an_precision_now());
    assert_int_equal(AN_OK, an_k_linear_forward(wide, l.x, l.w, l.b, &l.s));
    an_set_precision(AN_PRECISION_BF16);
    assert_int_equal(AN_OK, an_k_linear_forward(narrow, l.x, l.w, l.b, &l.s));
    assert_int_equal(AN_OK, an_k_linear_forward(other, odd.x, odd.w, odd.b, &odd.s));
    an_set_precision(AN_PRECISION_FP32);
    assert_memory_not_equal(wide, narrow, sizeof(float) * 40 * 32);
    assert_int_equal(AN_OK, an_k_linear_forward(wide, odd.x, odd.w, odd.b, &odd.s));
    assert_memory_equal(wide, other, sizeof(float) * 40 * 32);
    an_free(wide), an_free(narrow), an_free(other);
    free_layer(&l), free_layer(&odd);
}

static void out_of_memory_is_reported(void **state)
{
    (void)state;
    layer l = make_layer(40, 32, 48);
    float *y = normals(40 * 48, 5), *dw = normals(32 * 48, 6);
    an_linear_grads dx_only = {.dx = y}, dw_only = {.dw = dw};
    an_mem_fail_at(1);
    assert_int_equal(AN_ENOMEM, an_k_linear_bf16_forward(y, l.x, l.w, l.b, &l.s));
    an_mem_fail_at(1);
    assert_int_equal(AN_ENOMEM, an_k_linear_bf16_backward(&dx_only, l.dy, l.x, l.w, &l.s));
    an_mem_fail_at(1);
    assert_int_equal(AN_ENOMEM, an_k_linear_bf16_backward(&dw_only, l.dy, l.x, l.w, &l.s));
    an_mem_fail_at(0);
    an_free(y), an_free(dw);
    free_layer(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(out_of_memory_is_reported),
        cmocka_unit_test(every_size_on_every_unit),
        cmocka_unit_test(no_row),
        cmocka_unit_test(same_bits_on_any_number_of_threads),
        cmocka_unit_test(the_setting_selects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
