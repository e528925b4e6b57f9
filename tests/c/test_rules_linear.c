/* rules_linear, rules_pool and rules_norm: every rule by finite differences, strided inputs,
 * running moments, errors, memory, and the gradient checker itself. */
#include "rules.h"

#include "grad/ops.h"
#include "grad/tape.h"
#include "tensor/scope.h"

static an_tensor *param(uint64_t stream, int ndim, const int64_t *shape)
{
    an_tensor *x = an_tensor_new(AN_F32, ndim, shape);
    assert_non_null(x);
    an_fill_normal(an_f32(x), an_numel(x), 11, stream, 0);
    x->requires_grad = true;
    return x;
}

#define PARAM(stream, ...)                                                                         \
    param(stream, COUNT(((int64_t[]){__VA_ARGS__})), (int64_t[]){__VA_ARGS__})

/* ── the checker ──────────────────────────────────────────────────────────────────── */

static an_code half_of_the_gradient(an_node *n)
{
    const float *dy = an_grad_of(n);
    float *dx = an_grad_into(n->in[0]);
    for (int64_t i = 0; i < an_numel(n->in[0]); i++)
        dx[i] += 0.5f * dy[i];
    return AN_OK;
}

static an_tensor *identity_with_a_wrong_rule(an_tensor **in, void *ctx)
{
    (void)ctx;
    an_tensor *y = an_tensor_like(in[0]);
    if (an_copy(y, in[0]) == AN_OK && an_requires_grad(in[0]))
        an_record(y, half_of_the_gradient, 1, in);
    return y;
}

static an_tensor *square(an_tensor **in, void *ctx)
{
    (void)ctx;
    return an_mul(in[0], in[0]);
}

static void the_checker_detects_a_wrong_rule(void **state)
{
    (void)state;
    an_tensor *x = PARAM(1, 3, 100), *constant = PARAM(2, 3);
    check_gradients(square, &x, 1, NULL);
    assert_null(x->grad);
    assert_int_equal(AN_EINVAL, an_gradcheck(identity_with_a_wrong_rule, &x, 1, NULL, 1e-2, 5e-3));
    assert_non_null(strstr(an_err_message(), "input 0 (3, 100), element "));
    constant->requires_grad = false;
    assert_int_equal(AN_EINVAL, an_gradcheck(square, &constant, 1, NULL, 1e-2, 5e-3));
}

/* ── products ─────────────────────────────────────────────────────────────────────── */

static an_tensor *matmul(an_tensor **in, void *ctx)
{
    const int *transposed = ctx;
    return an_matmul(in[0], in[1], transposed[0], transposed[1]);
}

static void matmul_rule(void **state)
{
    (void)state;
    for (int t = 0; t < 4; t++) {
        int transposed[] = {t & 1, t >> 1};
        int64_t a[] = {2, 3, 5}, b[] = {2, 5, 4};
        if (transposed[0])
            a[1] = 5, a[2] = 3;
        if (transposed[1])
            b[1] = 4, b[2] = 5;
        check_gradients(matmul, (an_tensor *[]){param(1, 3, a), param(2, 3, b)}, 2, transposed);
        check_gradients(matmul, (an_tensor *[]){param(1, 2, a + 1), param(2, 2, b + 1)}, 2,
                        transposed);
    }
    an_tensor *x = PARAM(3, 4, 4);
    check_gradients(matmul, (an_tensor *[]){x, x}, 2, (int[]){0, 1});
}

static void matmul_values(void **state)
{
    (void)state;
    an_tensor *a = an_tensor_from((float[]){1, 2, 3, 4, 5, 6}, 2, (int64_t[]){2, 3});
    an_tensor *at = an_view_transpose(a, (int[]){1, 0});
    an_tensor *c = an_matmul(a, at, false, false), *d = an_matmul(a, a, false, true);
    assert_memory_equal(an_f32(c), ((float[]){14, 32, 32, 77}), 4 * sizeof(float));
    assert_memory_equal(an_f32(d), an_f32(c), 4 * sizeof(float));
    assert_error(an_matmul(a, a, false, false), "inner sizes of (2, 3) and (2, 3)");
    assert_error(an_matmul(a, PARAM(1, 1, 3, 2), false, false), "(1, 3, 2)");
    assert_null(an_matmul(NULL, a, false, false));
}

static an_tensor *linear(an_tensor **in, void *ctx)
{
    (void)ctx;
    return an_linear(in[0], in[1], in[2]);
}

static void linear_rule(void **state)
{
    (void)state;
    an_tensor *w = PARAM(2, 3, 5), *b = PARAM(3, 3);
    check_gradients(linear, (an_tensor *[]){PARAM(1, 7, 5), w, b}, 3, NULL);
    check_gradients(linear, (an_tensor *[]){PARAM(1, 2, 3, 4, 5), w, NULL}, 3, NULL);
    check_gradients(linear, (an_tensor *[]){PARAM(1, 5), w, b}, 3, NULL);
    an_tensor *fixed = PARAM(1, 7, 5);
    fixed->requires_grad = false;
    check_gradients(linear, (an_tensor *[]){fixed, w, b}, 3, NULL);
    assert_error(an_linear(PARAM(1, 7, 4), w, b),
                 "x (7, 4) does not end in the 5 inputs of w (3, 5)");
    assert_error(an_linear(PARAM(1, 7, 5), w, PARAM(1, 4)), "b (4,)");
}

/* ── convolution and pooling ──────────────────────────────────────────────────────── */

static an_tensor *conv(an_tensor **in, void *ctx)
{
    const int *window = ctx;
    return an_conv2d(in[0], in[1], in[2], window[0], window[1]);
}

static void conv_rule(void **state)
{
    (void)state;
    const int windows[][2] = {{1, 0}, {1, 1}, {2, 1}, {2, 0}};
    for (int i = 0; i < COUNT(windows); i++) {
        an_tensor *x = PARAM(1, 2, 6, 5, 3), *w = PARAM(2, 4, 3, 3, 3), *b = PARAM(3, 4);
        check_gradients(conv, (an_tensor *[]){x, w, b}, 3, (void *)windows[i]);
        check_gradients(conv, (an_tensor *[]){x, PARAM(4, 4, 3, 1, 1), NULL}, 3,
                        (void *)windows[i]);
    }
}

static void conv_errors(void **state)
{
    (void)state;
    an_tensor *x = PARAM(1, 2, 6, 5, 3), *w = PARAM(2, 4, 3, 3, 3);
    assert_error(an_conv2d(x, PARAM(3, 4, 2, 3, 3), NULL, 1, 1), "conv2d: x (2, 6, 5, 3)");
    assert_error(an_conv2d(x, PARAM(3, 4, 3, 7, 7), NULL, 1, 0), "larger than x (2, 6, 5, 3)");
    assert_error(an_conv2d(x, w, PARAM(3, 5), 1, 1), "conv2d: b (5,)");
    assert_error(an_conv2d(x, w, NULL, 0, 1), "stride 0");
    assert_error(an_conv2d(PARAM(1, 6, 5, 3), w, NULL, 1, 1), "4 dimensions");
}

static an_tensor *pool(an_tensor **in, void *ctx)
{
    switch (*(char *)ctx) {
    case 'm':
        return an_max_pool2d(in[0], 3, 2, 1);
    case 'a':
        return an_avg_pool2d(in[0], 2, 2);
    case 'o':
        return an_avg_pool2d(in[0], 3, 1);
    case 'g':
        return an_global_avg_pool(in[0]);
    default:
        return an_top_pool(in[0], 20);
    }
}

/* Values ≥ 0.1 apart, shuffled, so that a step of 0.01 changes no maximum. */
static an_tensor *distinct_values(int ndim, const int64_t *shape)
{
    an_tensor *x = param(1, ndim, shape);
    int64_t order[512], n = an_numel(x);
    assert_true(n <= COUNT(order));
    an_permutation(order, n, 11, 2);
    for (int64_t i = 0; i < n; i++)
        an_f32(x)[i] = 0.1f * (float)(order[i] - n / 2);
    return x;
}

static void pool_rules(void **state)
{
    (void)state;
    an_tensor *x = distinct_values(4, (int64_t[]){2, 6, 5, 3});
    for (const char *kind = "maogt"; *kind; kind++)
        check_gradients(pool, &x, 1, (void *)kind);
}

static void top_pool_counts_positions(void **state)
{
    (void)state;
    an_tensor *x = an_tensor_from((float[]){1, 7, 3, 5}, 4, (int64_t[]){1, 2, 2, 1});
    const double percents[] = {0.1, 37, 38, 75, 100}, expected[] = {7, 7, 6, 5, 4};
    for (int i = 0; i < COUNT(percents); i++)
        assert_true(an_f32(an_top_pool(x, percents[i]))[0] == expected[i]);
    assert_error(an_top_pool(x, 0), "(0, 100]");
    assert_error(an_top_pool(x, 100.5), "(0, 100]");
}

static void pool_errors(void **state)
{
    (void)state;
    an_tensor *x = PARAM(1, 2, 6, 5, 3);
    assert_error(an_max_pool2d(x, 3, 2, 2), "half the size");
    assert_error(an_max_pool2d(x, 9, 2, 1), "max_pool2d: a window of 9");
    assert_error(an_avg_pool2d(x, 0, 1), "avg_pool2d: size 0");
    assert_error(an_global_avg_pool(PARAM(1, 6, 5, 3)), "global_avg_pool");
}

/* ── normalisation ────────────────────────────────────────────────────────────────── */

typedef struct {
    an_tensor *mean, *var;
    bool train, relu;
} moments;

static an_tensor *batch_norm(an_tensor **in, void *ctx)
{
    const moments *m = ctx;
    return an_batch_norm(in[0], in[1],
                         &(an_batch_norm_args){.gamma = in[2],
                                               .beta = in[3],
                                               .running_mean = m->mean,
                                               .running_var = m->var,
                                               .train = m->train,
                                               .relu = m->relu,
                                               .momentum = 0,
                                               .eps = 1e-5});
}

/* Momentum 0 keeps the running moments, and so the function, constant. */
static void batch_norm_rule(void **state)
{
    (void)state;
    for (int kind = 0; kind < 8; kind++) {
        moments m = {PARAM(5, 3), PARAM(6, 3), kind & 1, kind & 2};
        m.mean->requires_grad = m.var->requires_grad = false;
        for (int c = 0; c < 3; c++)
            an_f32(m.var)[c] = 1 + (float)c;
        an_tensor *x = PARAM(1, 2, 3, 4, 3), *gamma = PARAM(3, 3), *beta = PARAM(4, 3);
        an_tensor *residual = kind & 4 ? PARAM(2, 2, 3, 4, 3) : NULL;
        if (m.relu && residual) /* far from the kink on either side */
            for (int64_t i = 0; i < an_numel(residual); i++)
                an_f32(residual)[i] = i % 3 ? 9 : -9;
        else if (m.relu)
            an_fill(beta, 9);
        check_gradients(batch_norm, (an_tensor *[]){x, residual, gamma, beta}, 4, &m);
    }
}

static void running_moments_are_updated(void **state)
{
    (void)state;
    an_tensor *x = an_tensor_from((float[]){1, 10, 2, 20, 3, 30}, 2, (int64_t[]){3, 2});
    int64_t C = 2;
    an_batch_norm_args args = {.gamma = PARAM(1, 2),
                               .beta = PARAM(2, 2),
                               .running_mean = an_tensor_zeros(AN_F32, 1, &C),
                               .running_var = an_tensor_zeros(AN_F32, 1, &C),
                               .train = true,
                               .momentum = 0.1,
                               .eps = 1e-9};
    an_fill(args.running_var, 1);
    assert_non_null(an_batch_norm(x, NULL, &args));
    assert_close(an_f32(args.running_mean), (float[]){0.2f, 2}, 2, 1e-6, "running mean");
    assert_close(an_f32(args.running_var), (float[]){1, 10.9f}, 2, 1e-6, "running variance");
    args.train = false;
    an_fill(args.gamma, 2);
    an_fill(args.beta, 1);
    an_tensor *y = an_batch_norm(x, NULL, &args);
    assert_close(an_f32(y), (float[]){2.6f, 1 + 16 / sqrtf(10.9f)}, 2, 1e-6, "constant moments");
    assert_close(an_f32(args.running_mean), (float[]){0.2f, 2}, 2, 1e-6, "running mean, kept");
}

static void batch_norm_errors(void **state)
{
    (void)state;
    moments m = {PARAM(5, 3), PARAM(6, 3), true, false};
    an_tensor *x = PARAM(1, 4, 3), *gamma = PARAM(3, 3), *beta = PARAM(4, 3);
    assert_error(batch_norm((an_tensor *[]){x, PARAM(2, 3, 3), gamma, beta}, &m),
                 "residual (3, 3)");
    assert_error(batch_norm((an_tensor *[]){x, NULL, PARAM(3, 2), beta}, &m),
                 "gamma: expected (3)");
    assert_error(batch_norm((an_tensor *[]){PARAM(1, 1, 3), NULL, gamma, beta}, &m),
                 "larger batch");
    assert_error(batch_norm((an_tensor *[]){PARAM(1, 3), NULL, gamma, beta}, &m), "2 dimensions");
}

static an_tensor *layer_norm(an_tensor **in, void *ctx)
{
    (void)ctx;
    return an_layer_norm(in[0], in[1], in[2], 1e-5);
}

static void layer_norm_rule(void **state)
{
    (void)state;
    an_tensor *x = PARAM(1, 2, 5, 19), *gamma = PARAM(2, 19), *beta = PARAM(3, 19);
    check_gradients(layer_norm, (an_tensor *[]){x, gamma, beta}, 3, NULL);
    check_gradients(layer_norm, (an_tensor *[]){x, NULL, NULL}, 3, NULL);
    check_gradients(layer_norm, (an_tensor *[]){x, gamma, NULL}, 3, NULL);
    assert_error(an_layer_norm(x, PARAM(2, 18), beta, 1e-5), "gamma: expected (19), got (18,)");
}

/* ── views and memory ─────────────────────────────────────────────────────────────── */

static void strided_inputs_give_the_same_result(void **state)
{
    (void)state;
    an_tensor *x = PARAM(1, 3, 5, 6, 2), *w = PARAM(2, 4, 3, 3, 3);
    x->requires_grad = w->requires_grad = false;
    an_tensor *view = an_view_transpose(x, (int[]){3, 1, 2, 0}), *copy = an_tensor_like(view);
    assert_false(an_is_contiguous(view));
    assert_int_equal(AN_OK, an_copy(copy, view));
    an_tensor *a = an_conv2d(view, w, NULL, 2, 1), *b = an_conv2d(copy, w, NULL, 2, 1);
    assert_memory_equal(an_f32(a), an_f32(b), sizeof(float) * (size_t)an_numel(a));
    a = an_top_pool(view, 30), b = an_top_pool(copy, 30);
    assert_memory_equal(an_f32(a), an_f32(b), sizeof(float) * (size_t)an_numel(a));
    a = an_layer_norm(view, NULL, NULL, 1e-5), b = an_layer_norm(copy, NULL, NULL, 1e-5);
    assert_memory_equal(an_f32(a), an_f32(b), sizeof(float) * (size_t)an_numel(a));
}

/* A step of a small network that uses every rule. Counts the allocations after those of the
 * parameters; allocation number `fail_at` fails. */
static an_code small_network(int64_t *allocations, int64_t fail_at)
{
    an_err_clear();
    an_tensor_trim();
    size_t mark = an_scope_begin();
    int64_t C = 4;
    an_tensor *x = PARAM(1, 2, 6, 6, 3), *w = PARAM(2, 4, 3, 3, 3), *w2 = PARAM(3, 4, 4, 3, 3);
    an_tensor *b = PARAM(4, 4), *gamma = PARAM(5, 4), *beta = PARAM(6, 4), *v = PARAM(7, 5, 4);
    an_batch_norm_args args = {.gamma = gamma,
                               .beta = beta,
                               .train = true,
                               .relu = true,
                               .running_mean = an_tensor_zeros(AN_F32, 1, &C),
                               .running_var = an_tensor_zeros(AN_F32, 1, &C),
                               .momentum = 0.1,
                               .eps = 1e-5};
    int64_t before = an_mem_allocs();
    an_mem_fail_at(fail_at);
    an_tensor *h = an_conv2d(x, w, b, 1, 1);
    h = an_batch_norm(h, h, &args);
    h = an_max_pool2d(an_conv2d(h, w2, NULL, 2, 1), 2, 1, 0);
    an_tensor *g = an_add(an_top_pool(h, 50), an_global_avg_pool(an_avg_pool2d(h, 2, 1)));
    g = an_linear(an_layer_norm(g, gamma, beta, 1e-5), v, NULL);
    an_tensor *loss = an_sum(an_matmul(g, g, false, true), AN_ALL, false);
    an_code code = loss ? an_backward(loss) : an_err_code();
    an_mem_fail_at(0);
    *allocations = an_mem_allocs() - before;
    an_tape_clear();
    an_scope_end(mark, NULL);
    return code;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    int64_t allocations, ignored;
    assert_int_equal(AN_OK, small_network(&allocations, 0));
    assert_true(allocations > 50);
    for (int64_t nth = 1; nth <= allocations; nth++)
        if (small_network(&ignored, nth) != AN_ENOMEM)
            fail_msg("allocation %lld failed without a message", (long long)nth);
    assert_int_equal(AN_OK, small_network(&ignored, 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_checker_detects_a_wrong_rule),
        TEST(matmul_rule),
        TEST(matmul_values),
        TEST(linear_rule),
        TEST(conv_rule),
        TEST(conv_errors),
        TEST(pool_rules),
        TEST(top_pool_counts_positions),
        TEST(pool_errors),
        TEST(batch_norm_rule),
        TEST(running_moments_are_updated),
        TEST(batch_norm_errors),
        TEST(layer_norm_rule),
        TEST(strided_inputs_give_the_same_result),
        TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
