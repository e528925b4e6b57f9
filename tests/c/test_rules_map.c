/* rules_map, rules_shape and the tape: every rule by finite differences, broadcasting in
 * all directions, reuse of one tensor, and errors. */
#include "rules.h"

#include "grad/ops.h"
#include "grad/tape.h"
#include "tensor/scope.h"

/* Standard normals moved to |x| ≥ 0.5, away from kinks and poles. */
static an_tensor *param(uint64_t stream, int ndim, const int64_t *shape)
{
    an_tensor *x = an_tensor_new(AN_F32, ndim, shape);
    an_fill_normal(an_f32(x), an_numel(x), 21, stream, 0);
    for (int64_t i = 0; i < an_numel(x); i++)
        an_f32(x)[i] += an_f32(x)[i] < 0 ? -0.5f : 0.5f;
    x->requires_grad = true;
    return x;
}

typedef an_tensor *(*binary_fn)(an_tensor *, an_tensor *);

static an_tensor *call_binary(an_tensor **in, void *ctx)
{
    return ((binary_fn *)ctx)[0](in[0], in[1]);
}

static void arithmetic_broadcasts(void **state)
{
    (void)state;
    static const struct {
        int na, nb;
        int64_t a[4], b[4];
    } cases[] = {
        {2, 2, {3, 4}, {3, 4}},
        {2, 1, {3, 4}, {4}},
        {2, 2, {3, 4}, {3, 1}},
        {3, 3, {2, 3, 4}, {2, 1, 4}},
        {3, 3, {2, 1, 4}, {1, 3, 1}},
        {0, 2, {0}, {3, 4}},
        {2, 0, {3, 4}, {0}},
        {4, 3, {2, 3, 1, 5}, {1, 4, 1}},
        {1, 1, {1}, {7}},
    };
    binary_fn ops[] = {an_add, an_sub, an_mul, an_div};
    for (int c = 0; c < COUNT(cases); c++)
        for (int k = 0; k < 4; k++) {
            an_tensor *in[] = {param(1, cases[c].na, cases[c].a),
                               param(2, cases[c].nb, cases[c].b)};
            check_gradients(call_binary, in, 2, &ops[k]);
        }
}

static void broadcasting_gives_the_right_values(void **state)
{
    (void)state;
    an_tensor *a = an_tensor_from((float[]){1, 2, 3, 4, 5, 6}, SHAPE(2, 3));
    an_tensor *b = an_tensor_from((float[]){10, 20}, SHAPE(2, 1));
    const float sum[] = {11, 12, 13, 24, 25, 26}, quotient[] = {10, 5, 10.0f / 3, 5, 4, 20.0f / 6};
    assert_close(an_f32(an_add(a, b)), sum, 6, 0, "a + b");
    assert_close(an_f32(an_div(b, a)), quotient, 6, 1e-6, "b / a");
}

/* Large enough to be split over threads. */
static void threads_do_not_change_bits(void **state)
{
    (void)state;
    float grads[2][64];
    for (int threads = 1; threads <= 2; threads++) {
        an_set_threads(threads);
        an_tensor *x = param(3, SHAPE(64, 40, 64)), *row = param(4, SHAPE(64));
        an_tensor *y = an_mul(an_add(x, row), row);
        assert_int_equal(an_backward(an_sum(y, AN_ALL, false)), AN_OK);
        memcpy(grads[threads - 1], an_f32(row->grad), sizeof grads[0]);
    }
    an_set_threads(0);
    assert_memory_equal(grads[0], grads[1], sizeof grads[0]);
}

static an_tensor *call_map(an_tensor **in, void *ctx)
{
    return an_map(in[0], *(an_map_kind *)ctx);
}

static void maps(void **state)
{
    (void)state;
    for (int kind = AN_RELU; kind <= AN_SQUARE; kind++) {
        an_tensor *x = param(5, SHAPE(4, 5));
        if (kind == AN_LOG || kind == AN_SQRT)
            for (int i = 0; i < 20; i++)
                an_f32(x)[i] = fabsf(an_f32(x)[i]);
        an_map_kind k = (an_map_kind)kind;
        check_gradients(call_map, &x, 1, &k);
    }
}

static an_tensor *call_affine(an_tensor **in, void *ctx)
{
    (void)ctx;
    return an_affine(in[0], -2.5, 0.75);
}

static an_tensor *call_sum(an_tensor **in, void *ctx)
{
    int dim = *(int *)ctx;
    return an_mul(an_sum(in[0], dim, true), an_mean(in[0], dim, true));
}

static void affine_and_sums(void **state)
{
    (void)state;
    an_tensor *x = param(6, SHAPE(3, 4, 5));
    check_gradients(call_affine, &x, 1, NULL);
    for (int dim = 0; dim < 4; dim++) {
        int d = dim == 3 ? AN_ALL : dim;
        check_gradients(call_sum, &x, 1, &d);
    }
    assert_null(an_sum(x, 3, false));
    assert_int_equal(an_sum(x, -1, false)->ndim, 2);
}

static an_tensor *call_shapes(an_tensor **in, void *ctx)
{
    switch (*(int *)ctx) {
    case 0:
        return an_reshape(in[0], SHAPE(4, -1));
    case 1:
        return an_permute(in[0], (int[]){2, 0, 1});
    case 2:
        return an_narrow(in[0], 1, 1, 2);
    case 3:
        return an_expand(an_reshape(in[0], SHAPE(2, 1, 3, 4)), SHAPE(2, 5, 3, 4));
    case 4:
        return an_repeat_rows(in[0], 3);
    case 5:
        return an_concat((an_tensor *[]){in[0], in[1], in[0]}, 3, 1);
    default:
        return an_concat((an_tensor *[]){in[0], in[1]}, 2, -2);
    }
}

static void shapes(void **state)
{
    (void)state;
    for (int k = 0; k < 7; k++) {
        an_tensor *in[] = {param(7, SHAPE(2, 3, 4)), param(8, SHAPE(2, 2, 4))};
        check_gradients(call_shapes, in, 2, &k);
    }
}

static void repeat_rows_makes_adjacent_copies(void **state)
{
    (void)state;
    an_tensor *x = an_tensor_from((float[]){1, 2, 3, 4}, SHAPE(2, 2));
    const float expected[] = {1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4};
    an_tensor *y = an_repeat_rows(x, 3);
    assert_int_equal(y->shape[0], 6);
    assert_close(an_f32(y), expected, 12, 0, "repeat_rows");
    assert_null(an_repeat_rows(x, 0));
}

static an_tensor *call_reuse(an_tensor **in, void *ctx)
{
    (void)ctx;
    an_tensor *y = an_mul(in[0], in[0]);
    return an_add(an_mul(y, in[0]), an_sub(y, in[0]));
}

static void one_tensor_used_many_times(void **state)
{
    (void)state;
    an_tensor *x = param(9, SHAPE(6));
    check_gradients(call_reuse, &x, 1, NULL);
}

static void a_detached_tensor_passes_no_gradient(void **state)
{
    (void)state;
    an_tensor *x = param(10, SHAPE(3)), *scalar = an_sum(x, AN_ALL, false);
    an_tape_clear();
    assert_int_equal(an_detach(scalar)->ndim, 0);
    assert_int_equal(an_backward(an_sum(an_mul(x, an_detach(x)), AN_ALL, false)), AN_OK);
    assert_close(an_f32(x->grad), an_f32(x), 3, 0, "only one of the two factors");
}

static void recording_can_be_disabled(void **state)
{
    (void)state;
    an_tensor *x = param(11, SHAPE(3));
    bool was = an_set_recording(false);
    an_tensor *y = an_sum(x, AN_ALL, false);
    an_set_recording(was);
    assert_int_equal(an_tape_length(), 0);
    assert_false(y->requires_grad);
    assert_int_equal(an_backward(y), AN_EINVAL);
}

static void errors_are_reported_and_leak_nothing(void **state)
{
    (void)state;
    an_tensor *x = param(12, SHAPE(3)), *y = param(13, SHAPE(4));
    assert_null(an_add(an_mul(x, x), y));
    assert_string_equal(an_err_message(), "shapes (3,) and (4,) do not broadcast together");
    assert_null(an_map(NULL, AN_RELU));                     /* an earlier failure propagates */
    assert_int_equal(an_backward(an_mul(x, x)), AN_EINVAL); /* not a scalar */
    assert_int_equal(an_tape_length(), 0);
}

static void out_of_memory_in_backward_is_reported(void **state)
{
    (void)state;
    int reported = 0;
    for (int nth = 1; nth < 40; nth++) {
        size_t mark = an_scope_begin();
        an_tensor *x = param(14, SHAPE(50));
        an_tensor *loss = an_sum(an_mul(an_affine(x, 2, 1), x), AN_ALL, false);
        an_tensor_trim();
        an_mem_fail_at(nth);
        an_code code = an_backward(loss);
        an_mem_fail_at(0);
        assert_true(code == AN_OK || code == AN_ENOMEM);
        assert_int_equal(an_tape_length(), 0);
        reported += code == AN_ENOMEM;
        an_scope_end(mark, NULL);
    }
    assert_true(reported > 3);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(arithmetic_broadcasts),
        TEST(broadcasting_gives_the_right_values),
        TEST(threads_do_not_change_bits),
        TEST(maps),
        TEST(affine_and_sums),
        TEST(shapes),
        TEST(repeat_rows_makes_adjacent_copies),
        TEST(one_tensor_used_many_times),
        TEST(a_detached_tensor_passes_no_gradient),
        TEST(recording_can_be_disabled),
        TEST(errors_are_reported_and_leak_nothing),
        TEST(out_of_memory_in_backward_is_reported),
    };
    return cmocka_run_group_tests_name("rules_map", tests, NULL, NULL);
}
