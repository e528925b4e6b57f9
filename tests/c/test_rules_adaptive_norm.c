/* rules_adaptive_norm: adaptive norm and gated join by finite differences and against the
 * operations that they replace, in shapes with and without whole vectors; threads, errors and
 * memory. */
#include "rules.h"

#include "grad/ops.h"
#include "grad/tape.h"
#include "tensor/scope.h"

static const double EPS = 1e-5;

static an_tensor *param(uint64_t stream, int ndim, const int64_t *shape)
{
    an_tensor *x = an_tensor_new(AN_F32, ndim, shape);
    assert_non_null(x);
    an_fill_normal(an_f32(x), an_numel(x), 17, stream, 0);
    x->requires_grad = true;
    return x;
}

/* Two sub-layers: x and v are read twice, so their gradients are written, then accumulated. */
static an_tensor *modulate(an_tensor **in, void *ctx)
{
    int64_t at = *(int64_t *)ctx;
    return an_mul(an_adaptive_norm(in[0], in[1], at, EPS), an_adaptive_norm(in[0], in[1], 0, EPS));
}

static an_tensor *join(an_tensor **in, void *ctx)
{
    int64_t at = *(int64_t *)ctx;
    an_tensor *z = an_gated_join(in[0], in[1], in[2], at);
    return an_gated_join(z, in[1], in[2], 0);
}

static void rules(void **state)
{
    (void)state;
    const int64_t widths[] = {5, 16, 19};
    for (int i = 0; i < COUNT(widths); i++) {
        int64_t C = widths[i], at = C;
        an_tensor *x = param(1, SHAPE(4, 3, C)), *y = param(2, SHAPE(4, 3, C));
        for (int64_t groups = 1; groups <= 4; groups *= 2) {
            an_tensor *v = param(3, SHAPE(groups, 3 * C));
            check_gradients(modulate, (an_tensor *[]){x, v}, 2, &at);
            check_gradients(join, (an_tensor *[]){x, y, v}, 3, &at);
        }
    }
}

static void one_input_with_a_gradient(void **state)
{
    (void)state;
    int64_t at = 6;
    an_tensor *x = param(1, SHAPE(4, 6)), *y = param(2, SHAPE(4, 6)), *v = param(3, SHAPE(2, 18));
    x->requires_grad = false;
    check_gradients(modulate, (an_tensor *[]){x, v}, 2, &at);
    check_gradients(join, (an_tensor *[]){x, y, v}, 3, &at);
    x->requires_grad = true;
    v->requires_grad = false;
    check_gradients(modulate, (an_tensor *[]){x, v}, 2, &at);
    check_gradients(join, (an_tensor *[]){x, y, v}, 3, &at);
    y->requires_grad = false;
    check_gradients(join, (an_tensor *[]){x, y, v}, 3, &at);
    check_gradients(join, (an_tensor *[]){x, x, v}, 3, &at);
}

/* Column block i of v (G, W), to broadcast over the rows of a group. */
static an_tensor *piece(an_tensor *v, int64_t i, int64_t C)
{
    return an_reshape(an_narrow(v, 1, i * C, C), SHAPE(v->shape[0], 1, C));
}

static void fused_rules_equal_the_separate_operations(void **state)
{
    (void)state;
    enum { G = 6, ROWS = 7, C = 40 };
    an_tensor *x = param(1, SHAPE(G, ROWS, C)), *y = param(2, SHAPE(G, ROWS, C));
    an_tensor *v = param(3, SHAPE(G, 4 * C));
    an_tensor *slope = an_affine(piece(v, 2, C), 1, 1), *gate = an_affine(piece(v, 3, C), 1, 1);
    an_tensor *expected = an_add(an_mul(an_layer_norm(x, NULL, NULL, EPS), slope), piece(v, 1, C));
    assert_close(an_f32(an_adaptive_norm(x, v, C, EPS)), an_f32(expected), G * ROWS * C, 2e-6,
                 "modulate");
    expected = an_add(x, an_mul(y, gate));
    assert_close(an_f32(an_gated_join(x, y, v, 3 * C)), an_f32(expected), G * ROWS * C, 1e-6,
                 "join");
}

/* The loss's gradients with `threads` threads, copied into got (x, y, v). */
static void gradients(float *got, int threads)
{
    enum { G = 300, ROWS = 7, C = 48 };
    an_set_threads(threads);
    an_tensor *in[] = {param(1, SHAPE(G, ROWS, C)), param(2, SHAPE(G, ROWS, C)),
                       param(3, SHAPE(G, 3 * C))};
    an_tensor *z = an_gated_join(in[0], in[1], in[2], 2 * C),
              *u = an_adaptive_norm(z, in[2], 0, EPS);
    assert_int_equal(AN_OK, an_backward(an_sum(an_mul(u, u), AN_ALL, false)));
    an_set_threads(0);
    for (int i = 0; i < 3; i++) {
        memcpy(got, an_f32(in[i]->grad), sizeof *got * (size_t)an_numel(in[i]));
        got += an_numel(in[i]);
        an_release(in[i]->grad);
        in[i]->grad = NULL;
    }
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    enum { ALL = 300 * 48 * (7 + 7 + 3) };
    static float got[2][ALL];
    gradients(got[0], 1);
    gradients(got[1], 3);
    assert_memory_equal(got[0], got[1], sizeof got[0]);
}

static void errors(void **state)
{
    (void)state;
    an_tensor *x = param(1, SHAPE(4, 3, 5)), *v = param(2, SHAPE(4, 10));
    assert_error(an_adaptive_norm(x, v, 1, EPS), "columns 1 to 11");
    assert_error(an_adaptive_norm(x, param(3, SHAPE(5, 10)), 0, EPS), "5 conditions");
    assert_error(an_adaptive_norm(x, x, 0, EPS), "(4, 3, 5)");
    assert_error(an_gated_join(x, param(3, SHAPE(4, 5)), v, 0), "(4, 5)");
    assert_error(an_gated_join(x, x, v, 6), "columns 6 to 11");
    assert_null(an_adaptive_norm(NULL, v, 0, EPS));
    assert_null(an_gated_join(x, NULL, v, 0));
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    an_tensor *in[] = {param(1, SHAPE(4, 6)), param(2, SHAPE(4, 6)), param(3, SHAPE(2, 18))};
    int failures = 0;
    for (int nth = 1; nth < 200; nth++) {
        size_t mark = an_scope_begin();
        an_err_clear();
        an_mem_fail_at(nth);
        an_tensor *u = an_adaptive_norm(an_gated_join(in[0], in[1], in[2], 12), in[2], 0, EPS);
        an_tensor *loss = an_sum(an_mul(u, u), AN_ALL, false);
        an_code code = loss ? an_backward(loss) : an_err_code();
        an_mem_fail_at(0);
        an_tape_clear();
        for (int i = 0; i < 3; i++) {
            an_release(in[i]->grad);
            in[i]->grad = NULL;
        }
        an_scope_end(mark, NULL);
        if (code == AN_OK)
            break;
        assert_int_equal(code, AN_ENOMEM);
        failures++;
    }
    assert_true(failures > 10 && failures < 199);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rules, setup, teardown),
        cmocka_unit_test_setup_teardown(one_input_with_a_gradient, setup, teardown),
        cmocka_unit_test_setup_teardown(fused_rules_equal_the_separate_operations, setup, teardown),
        cmocka_unit_test_setup_teardown(bits_do_not_depend_on_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(errors, setup, teardown),
        cmocka_unit_test_setup_teardown(every_allocation_may_fail, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
