/* Maps stored as bf16. Inputs hold numbers that bf16 can represent, so the same operation on
 * float32 has the same sums, and a result in bf16 is the rounded one: bit by bit where the sums
 * have the same order, else within the error of a sum. Accumulation, masks, refusals, memory, and
 * the rules on the tape. */
#include <math.h>
#include <string.h>

#include "convolution.h"
#include "worse.h"

#include "base/narrow_float.h"
#include "base/precision.h"
#include "grad/ops.h"
#include "grad/tape.h"
#include "kernel/conv/conv.h"
#include "kernel/norm/batch_norm.h"
#include "kernel/pointwise/cast.h"
#include "kernel/pointwise/pool_narrow.h"
#include "tensor/scope.h"

/* Standard normal numbers of bf16, in both formats. */
typedef struct {
    float *wide;
    uint16_t *narrow;
    int64_t n;
} numbers;

static numbers numbers_of(int64_t n, uint64_t stream)
{
    numbers x = {normals(n, stream), an_alloc(sizeof(uint16_t) * (size_t)n + 2), n};
    assert_non_null(x.narrow);
    for (int64_t i = 0; i < n; i++) {
        x.narrow[i] = an_to_bf16(x.wide[i]);
        x.wide[i] = an_from_bf16(x.narrow[i]);
    }
    return x;
}

static void numbers_free(numbers *x)
{
    an_free(x->wide), an_free(x->narrow);
}

/* The narrow ones are the wide ones, rounded. */
static void assert_rounded(const numbers *x)
{
    for (int64_t i = 0; i < x->n; i++)
        assert_int_equal(x->narrow[i], an_to_bf16(x->wide[i]));
}

/* The same where the wide ones have an error of a sum, relative to the largest. */
static void assert_near(const numbers *x)
{
    double error = 0, largest = 0;
    for (int64_t i = 0; i < x->n; i++) {
        double got = (double)an_from_bf16(x->narrow[i]), expected = (double)x->wide[i];
        error = worse(error, fabs(got - expected) - fabs(expected) / 256);
        largest = worse(largest, fabs(expected));
    }
    assert_true(largest > 0.1 && error < 1e-5 * largest);
}

static void mark(numbers *x)
{
    for (int64_t i = 0; i < x->n; i++) {
        x->wide[i] = NAN;
        x->narrow[i] = 0x7fc0;
    }
}

/* ── casts ────────────────────────────────────────────────────────────────────────── */

static void casts(void **state)
{
    (void)state;
    for (int64_t n = 0; n < 3000; n += n < 70 ? 1 : 977) {
        numbers x = numbers_of(n, 1), y = numbers_of(n, 2);
        float *sum = an_alloc(sizeof(float) * (size_t)n + 4);
        for (int64_t i = 0; i < n; i++)
            sum[i] = x.wide[i] + y.wide[i];
        an_k_widen(x.wide, y.narrow, 1, n);
        an_k_narrow(x.narrow, y.wide, 1, n);
        assert_memory_equal(x.wide, sum, sizeof(float) * (size_t)n);
        assert_rounded(&x);
        mark(&x);
        an_k_widen(x.wide, y.narrow, 0, n);
        an_k_narrow(x.narrow, y.wide, 0, n);
        assert_memory_equal(x.wide, y.wide, sizeof(float) * (size_t)n);
        assert_rounded(&x);
        numbers_free(&x), numbers_free(&y), an_free(sum);
    }
}

/* ── convolution ──────────────────────────────────────────────────────────────────── */

static void convolve(const an_conv_shape *s, bool add)
{
    an_conv_shape narrow = *s;
    narrow.narrow = true;
    int64_t nw = s->O * s->C * s->kh * s->kw;
    numbers x = numbers_of(s->B * s->H * s->W * s->C, 1), dx = numbers_of(x.n, 2);
    numbers y = numbers_of(s->B * s->Ho * s->Wo * s->O, 3), dy = numbers_of(y.n, 4);
    float *w = normals(nw, 5), *dw = normals(nw, 6), *dw_narrow = normals(nw, 6);
    mark(&y);
    if (!add)
        mark(&dx);
    float *b = add ? dw : NULL; /* any O numbers */
    assert_int_equal(AN_OK, an_k_conv_forward(y.wide, x.wide, w, b, s));
    assert_int_equal(AN_OK, an_k_conv_forward(y.narrow, x.narrow, w, b, &narrow));
    assert_rounded(&y);
    if (an_k_conv_narrow_fits(s, true)) {
        assert_int_equal(AN_OK, an_k_conv_backward_data(dx.wide, dy.wide, w, add, s));
        assert_int_equal(AN_OK, an_k_conv_backward_data(dx.narrow, dy.narrow, w, add, &narrow));
        assert_rounded(&dx);
    }
    assert_int_equal(AN_OK, an_k_conv_backward_weight(dw, dy.wide, x.wide, s));
    assert_int_equal(AN_OK, an_k_conv_backward_weight(dw_narrow, dy.narrow, x.narrow, &narrow));
    assert_memory_equal(dw, dw_narrow, sizeof *dw * (size_t)nw);
    numbers_free(&x), numbers_free(&dx), numbers_free(&y), numbers_free(&dy);
    an_free(w), an_free(dw), an_free(dw_narrow);
}

/* Few channels, whose taps are folded; weights that are larger than the images; groups of images.
 */
static void convolutions(void **state)
{
    (void)state;
    const int64_t sizes[][7] = {
        /* B, H, W, C, O, kernel, stride */
        {2, 9, 7, 16, 32, 3, 1},   {3, 8, 8, 32, 48, 3, 2}, {2, 13, 11, 3, 16, 7, 2},
        {5, 6, 6, 3, 32, 3, 1},    {9, 2, 2, 64, 64, 3, 1}, {3, 5, 4, 48, 16, 1, 2},
        {2, 20, 20, 16, 16, 3, 1}, {9, 7, 7, 32, 48, 3, 1}, {9, 4, 4, 80, 112, 3, 1},
        {9, 1, 1, 32, 48, 3, 1},   {7, 4, 4, 32, 48, 3, 2}};
    an_set_precision(AN_PRECISION_BF16);
    for (int most = AN_BF16_EMULATED; most <= AN_BF16_AMX; most++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            const int64_t *n = sizes[k];
            an_conv_shape s =
                an_k_conv_shape(n[0], n[1], n[2], n[3], n[4], n[5], n[5], n[6], n[5] / 2);
            an_bf16_limit((an_bf16_unit)most);
            convolve(&s, k % 2 != 0);
            convolve(&s, k % 2 == 0);
        }
    an_bf16_limit(AN_BF16_AMX);
    an_set_precision(AN_PRECISION_FP32);
}

/* ── batch normalisation ──────────────────────────────────────────────────────────── */

enum { PLAIN, IN_PLACE, ADDED, OWN_RESIDUAL, FORMS };

/* How the gradients lie in memory, as the tape arranges them: dx over dy; dresidual over dy and dx
 * apart; both added to; x its own residual. */
static an_batch_norm_grads grads(int form, void *dx, void *dresidual, void *dy, float *vectors,
                                 int64_t C)
{
    an_batch_norm_grads d = {.dgamma = vectors, .dbeta = vectors + C};
    d.dx = form == PLAIN ? dy : dx;
    d.dresidual = form == PLAIN ? NULL : form == IN_PLACE ? dy : form == ADDED ? dresidual : dx;
    d.beta_x = form == ADDED || form == OWN_RESIDUAL;
    d.beta_residual = form == ADDED;
    return d;
}

static void normalise(int64_t N, int64_t C, int form, bool relu)
{
    numbers x = numbers_of(N * C, 1), residual = numbers_of(N * C, 2), y = numbers_of(N * C, 3);
    numbers dy = numbers_of(N * C, 4), dx = numbers_of(N * C, 5), dr = numbers_of(N * C, 6);
    double moments[2][4096];
    float *v = normals(8 * C, 7), *wide = v + 4 * C, *narrow = v + 6 * C;
    memset(wide, 0, sizeof *v * 4 * (size_t)C);
    an_batch_norm_saved saved = {v, v + C, v + 2 * C, v + 3 * C, NULL, relu, false, true, NULL};
    an_batch_norm_saved saved_narrow = saved;
    saved_narrow.narrow = true;
    for (int k = 0; k < 2; k++)
        assert_int_equal(AN_OK, an_k_batch_moments(moments[k], moments[k] + C,
                                                   k ? (void *)x.narrow : x.wide, k, N, C, NULL));
    assert_memory_equal(moments[0], moments[1], sizeof(double) * 2 * (size_t)C);
    mark(&y);
    bool added = form != PLAIN;
    assert_int_equal(AN_OK,
                     an_k_batch_norm_forward(y.wide, x.wide, added ? residual.wide : NULL, false, v,
                                             v + C, v + 2 * C, v + 3 * C, relu, N, C));
    assert_int_equal(AN_OK,
                     an_k_batch_norm_forward(y.narrow, x.narrow, added ? residual.narrow : NULL,
                                             true, v, v + C, v + 2 * C, v + 3 * C, relu, N, C));
    assert_rounded(&y);
    saved.y = added ? y.wide : NULL;
    saved_narrow.y = added ? y.narrow : NULL;
    assert_int_equal(AN_OK,
                     an_k_batch_norm_backward(grads(form, dx.wide, dr.wide, dy.wide, wide, C),
                                              dy.wide, x.wide, &saved, N, C));
    assert_int_equal(
        AN_OK, an_k_batch_norm_backward(grads(form, dx.narrow, dr.narrow, dy.narrow, narrow, C),
                                        dy.narrow, x.narrow, &saved_narrow, N, C));
    assert_near(form == PLAIN ? &dy : &dx);
    if (form == IN_PLACE)
        assert_rounded(&dy);
    if (form == ADDED)
        assert_rounded(&dr);
    for (int64_t c = 0; c < 2 * C; c++)
        assert_true(fabsf(wide[c] - narrow[c]) <= 1e-5f * (1 + fabsf(wide[c])));
    numbers_free(&x), numbers_free(&residual), numbers_free(&y);
    numbers_free(&dy), numbers_free(&dx), numbers_free(&dr), an_free(v);
}

static void batch_normalisation(void **state)
{
    (void)state;
    const int64_t C[] = {1, 16, 100, 512, AN_NORM_NARROW}, N[] = {400, 1031, 64, 30, 5};
    for (size_t k = 0; k < sizeof C / sizeof *C; k++)
        for (int form = PLAIN; form < FORMS; form++)
            for (int relu = 0; relu <= 1; relu++)
                normalise(N[k], C[k], form, relu);
}

/* ── maximum pool ─────────────────────────────────────────────────────────────────── */

static void pool(int64_t size, int64_t stride, int64_t pad, bool add)
{
    const int64_t B = 2, H = 11, W = 9, C = 5;
    an_pool_shape s = an_k_pool_shape(B, H, W, C, size, stride, pad);
    numbers x = numbers_of(B * H * W * C, 1), dx = numbers_of(x.n, 2);
    numbers y = numbers_of(B * s.Ho * s.Wo * C, 3), dy = numbers_of(y.n, 4);
    uint8_t *at = an_alloc((size_t)y.n), *at_narrow = an_alloc((size_t)y.n);
    x.wide[17] = NAN;
    x.narrow[17] = 0xffc0;
    an_k_max_pool_forward(y.wide, at, x.wide, &s);
    an_k_max_pool_narrow_forward(y.narrow, at_narrow, x.narrow, &s);
    for (int64_t i = 0; i < y.n; i++)
        assert_true(isnan(y.wide[i]) ? isnan(an_from_bf16(y.narrow[i]))
                                     : y.narrow[i] == an_to_bf16(y.wide[i]));
    assert_memory_equal(at, at_narrow, (size_t)y.n);
    if (!add)
        memset(dx.wide, 0, sizeof(float) * (size_t)dx.n);
    an_k_max_pool_backward(dx.wide, dy.wide, at, &s);
    assert_int_equal(AN_OK, an_k_max_pool_narrow_backward(dx.narrow, add, dy.narrow, at, &s));
    assert_rounded(&dx);
    numbers_free(&x), numbers_free(&dx), numbers_free(&y), numbers_free(&dy);
    an_free(at), an_free(at_narrow);
}

/* Windows that overlap, that touch, and with lines between them that none has. */
static void maximum_pool(void **state)
{
    (void)state;
    for (int64_t size = 1; size <= 4; size++)
        for (int64_t stride = 1; stride <= 6; stride++)
            for (int64_t pad = 0; pad <= size / 2; pad++)
                pool(size, stride, pad, stride % 2);
}

/* ── rules ────────────────────────────────────────────────────────────────────────── */

static an_tensor *normal_tensor(int ndim, const int64_t *shape, uint64_t stream, bool grad)
{
    an_tensor *x = an_tensor_new(AN_F32, ndim, shape);
    assert_non_null(x);
    an_fill_normal(an_f32(x), an_numel(x), 1, stream, 0);
    x->requires_grad = grad;
    return x;
}

#define NORMAL(stream, grad, ...)                                                                  \
    normal_tensor(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[]){__VA_ARGS__},    \
                  stream, grad)

static an_tensor *layer(an_tensor *x, an_tensor *w, an_tensor *const *v, an_tensor *residual)
{
    return an_batch_norm(an_conv2d(x, w, NULL, 1, 1), residual,
                         &(an_batch_norm_args){v[0], v[1], v[2], v[3], true, true, 0.1, 1e-5});
}

/* The gradient of a pool and a residual block in bf16 is close to that in float32: 8 % apart,
 * mostly for ReLUs and maxima that rounding decides otherwise. A wrong rule was 40 % apart. */
static void a_block(void **state)
{
    (void)state;
    float *of[2];
    int64_t n = 0;
    for (int narrow = 0; narrow < 2; narrow++) {
        size_t mark_of_scope = an_scope_begin();
        an_tensor *w = NORMAL(2, true, 16, 16, 3, 3), *first = NORMAL(3, true, 16, 3, 3, 3);
        an_tensor *v[] = {NORMAL(4, true, 16), NORMAL(5, true, 16),
                          an_tensor_zeros(AN_F32, 1, &(int64_t){16}),
                          an_tensor_zeros(AN_F32, 1, &(int64_t){16})};
        an_tensor *x = an_cast(NORMAL(6, false, 4, 10, 10, 3), narrow ? AN_BF16 : AN_F32);
        an_set_precision(AN_PRECISION_BF16);
        x = an_max_pool2d(layer(x, first, v, NULL), 3, 2, 1);
        x = layer(layer(x, w, v, NULL), w, v, x);
        assert_int_equal(x->dtype, narrow ? AN_BF16 : AN_F32);
        x = an_cast(x, AN_F32);
        an_tensor *loss = an_sum(an_mul(x, NORMAL(7, false, 4, 5, 5, 16)), AN_ALL, false);
        assert_int_equal(AN_OK, an_backward(loss));
        an_set_precision(AN_PRECISION_FP32);
        n = an_numel(first) + an_numel(w);
        of[narrow] = an_alloc(sizeof(float) * (size_t)n);
        memcpy(of[narrow], an_f32(an_grad(first)), sizeof(float) * (size_t)an_numel(first));
        memcpy(of[narrow] + an_numel(first), an_f32(an_grad(w)),
               sizeof(float) * (size_t)an_numel(w));
        an_scope_end(mark_of_scope, NULL);
    }
    double error = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) {
        error += pow((double)(of[0][i] - of[1][i]), 2);
        squares += pow((double)of[0][i], 2);
    }
    assert_true(error > 0 && sqrt(error / squares) < 0.12);
    an_free(of[0]), an_free(of[1]);
}

static void a_cast_adds_to_a_gradient(void **state)
{
    (void)state;
    an_tensor *x = NORMAL(1, true, 40);
    an_tensor *there = an_cast(x, AN_BF16), *back = an_cast(there, AN_F32);
    assert_ptr_equal(an_cast(there, AN_BF16), there);
    an_tensor *both = an_add(an_sum(back, AN_ALL, false), an_sum(an_cast(there, AN_F32), 0, false));
    assert_int_equal(AN_OK, an_backward(an_add(both, an_sum(x, AN_ALL, false))));
    for (int i = 0; i < 40; i++)
        assert_true(an_f32(an_grad(x))[i] == 3);
}

static void refusals(void **state)
{
    (void)state;
    an_tensor *x = an_cast(NORMAL(1, true, 1, 4, 4, 8), AN_BF16), *w = NORMAL(2, true, 16, 8, 3, 3);
    assert_null(an_conv2d(x, w, NULL, 1, 1)); /* a gradient to 8 channels */
    assert_non_null(strstr(an_err_message(), "bfloat16 requires multiples of 16 channels"));
    an_tensor *fixed = an_cast(NORMAL(1, false, 1, 4, 4, 8), AN_BF16);
    assert_non_null(an_conv2d(fixed, w, NULL, 1, 1));
    assert_null(an_conv2d(fixed, w, NORMAL(3, true, 16), 1, 1));
    assert_null(an_conv2d(fixed, NORMAL(2, true, 8, 8, 3, 3), NULL, 1, 1));
    assert_null(an_add(x, x));
    assert_null(an_avg_pool2d(x, 2, 2));
    assert_null(an_cast(an_tensor_zeros(AN_I64, 1, &(int64_t){3}), AN_BF16));
    assert_int_equal(AN_EINVAL, an_fill(an_detach(fixed), 1));
    an_tensor *wide = NORMAL(4, false, 2, AN_NORM_NARROW + 1), *v[4];
    for (int k = 0; k < 4; k++)
        v[k] = an_tensor_zeros(AN_F32, 1, &(int64_t){AN_NORM_NARROW + 1});
    const an_batch_norm_args args = {v[0], v[1], v[2], v[3], true, true, 0.1, 1e-5};
    assert_non_null(an_batch_norm(wide, NULL, &args));
    assert_null(an_batch_norm(an_cast(wide, AN_BF16), NULL, &args));
    assert_non_null(strstr(an_err_message(), "more than 2048 features"));
    assert_null(an_batch_norm(wide, an_cast(wide, AN_BF16), &args));
    an_tape_clear();
}

static int open_scope(void **state)
{
    *state = an_alloc(sizeof(size_t));
    *(size_t *)*state = an_scope_begin();
    return 0;
}

static int close_scope(void **state)
{
    an_scope_end(*(size_t *)*state, NULL);
    an_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(casts),
        cmocka_unit_test(convolutions),
        cmocka_unit_test(batch_normalisation),
        cmocka_unit_test(maximum_pool),
        cmocka_unit_test_setup_teardown(a_block, open_scope, close_scope),
        cmocka_unit_test_setup_teardown(a_cast_adds_to_a_gradient, open_scope, close_scope),
        cmocka_unit_test_setup_teardown(refusals, open_scope, close_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
