/* tape: which buffers are freed, passed on and overwritten, without an effect on gradients; and the
 * contracts of a rule. (The rules' own gradients are checked by test_rules_*.c.) */
#include "aborts.h"
#include "rules.h"

#include "grad/ops.h"
#include "grad/tape.h"
#include "model/module.h"
#include "tensor/scope.h"

static an_tensor *leaf(int64_t rows, int64_t columns, uint64_t stream)
{
    an_tensor *x = an_tensor_new(AN_F32, 2, (int64_t[]){rows, columns});
    an_fill_normal(an_f32(x), rows * columns, 3, stream, 0);
    x->requires_grad = true;
    return x;
}

/* ── unread tensors are freed ──────────────────────────────────────────────────────── */

static void unread_elements_are_freed(void **state)
{
    (void)state;
    an_tensor *x = leaf(4, 5, 1), *w = leaf(3, 5, 2);
    size_t inner = an_scope_begin();
    an_tensor *sum = an_add(x, x), *product = an_linear(sum, w, NULL),
              *square = an_mul(product, product);
    an_retain(sum), an_retain(product), an_retain(square);
    an_tensor *loss = an_scope_end(inner, an_sum(square, AN_ALL, false));
    an_release(sum), an_release(product), an_release(square);
    assert_non_null(sum->storage);     /* the linear layer reads it                    */
    assert_non_null(product->storage); /* so does the product                          */
    assert_null(square->storage);      /* a sum reads no tensor, a product not its result */
    assert_int_equal(AN_OK, an_backward(loss));
    assert_non_null(an_grad(x));
}

static void a_scope_keeps_the_elements(void **state)
{
    (void)state;
    an_tensor *x = leaf(2, 2, 1), *y = an_affine(x, 2, 0), *loss = an_sum(y, AN_ALL, false);
    assert_int_equal(AN_OK, an_backward(loss)); /* the scope holds y */
    assert_true(an_f32(y)[3] == 2 * an_f32(x)[3]);
}

/* ── buffers are passed on ────────────────────────────────────────────────────────── */

static const float *buffer; /* where the gradient of the probe's output was */

static an_code probe_backward(an_node *n)
{
    buffer = an_grad_of(n);
    float beta, *dx = an_grad_over(n, n->in[0], &beta);
    assert_true(beta == 0 && dx == buffer);
    return AN_OK;
}

static void a_chain_of_elementwise_rules_uses_one_buffer(void **state)
{
    (void)state;
    an_tensor *x = leaf(3, 4, 1), *y = an_tensor_like(x);
    an_copy(y, x);
    assert_non_null(an_record(y, probe_backward, 1, &x));
    an_tensor *z = an_reshape(an_affine(an_add(y, leaf(3, 4, 2)), -2, 1), 1, (int64_t[]){12});
    assert_int_equal(AN_OK, an_backward(an_sum(z, AN_ALL, false)));
    assert_ptr_equal(buffer, an_f32(an_grad(x)));
    for (int i = 0; i < 12; i++)
        assert_true(an_f32(x->grad)[i] == -2);
}

/* Repeated inputs, several users of one tensor, and both operands of every operation. */
static an_tensor *shared_graph(an_tensor **in, void *ctx)
{
    (void)ctx;
    an_tensor *a = in[0], *b = in[1];
    an_tensor *s = an_add(an_add(a, a), an_sub(b, a)), *p = an_mul(an_mul(s, s), b);
    an_tensor *d = an_div(p, an_affine(an_mul(b, b), 1, 2));
    an_tensor *r = an_reshape(d, 3, (int64_t[]){2, 3, 4});
    an_tensor *t = an_permute(r, (int[]){2, 0, 1});
    an_tensor *u = an_add(an_reshape(r, 2, (int64_t[]){6, 4}), an_reshape(t, 2, (int64_t[]){6, 4}));
    an_tensor *both[] = {u, u, an_reshape(s, 2, (int64_t[]){6, 4})};
    return an_add(an_concat(both, 3, 0), an_mean(u, 0, true));
}

static void shared_buffers_give_the_same_gradients(void **state)
{
    (void)state;
    check_gradients(shared_graph, (an_tensor *[]){leaf(6, 4, 1), leaf(6, 4, 2)}, 2, NULL);
}

static an_tensor *normal_plus_itself(an_tensor **in, void *ctx)
{
    an_batch_norm_args args = *(an_batch_norm_args *)ctx;
    args.gamma = in[1], args.beta = in[2];
    return an_add(an_batch_norm(in[0], in[0], &args), in[0]);
}

static void batch_norm_of_its_own_residual(void **state)
{
    (void)state;
    int64_t C = 4;
    an_batch_norm_args args = {.train = true, .momentum = 0.1, .eps = 1e-5};
    args.running_mean = an_tensor_zeros(AN_F32, 1, &C);
    args.running_var = an_tensor_zeros(AN_F32, 1, &C);
    an_tensor *in[] = {leaf(6, C, 1), an_tensor_new(AN_F32, 1, &C), an_tensor_new(AN_F32, 1, &C)};
    an_fill(in[1], 1.5), an_fill(in[2], 0.25);
    in[1]->requires_grad = in[2]->requires_grad = true;
    check_gradients(normal_plus_itself, in, 3, &args);
}

/* ── cleared gradients ───────────────────────────────────────────────────────────── */

static void cleared_parameters_are_overwritten(void **state)
{
    (void)state;
    an_module *m = an_module_new(1);
    an_init one = an_init_constant(1);
    an_tensor *used = an_module_param(m, "used", one, 2, (int64_t[]){2, 3}, true);
    an_tensor *idle = an_module_param(m, "idle", one, 1, (int64_t[]){2}, true);
    assert_int_equal(AN_OK, an_module_seal(m));
    for (int step = 0; step < 2; step++) {
        an_fill(an_module_gradient(m), NAN); /* values that an earlier step may have left */
        assert_int_equal(AN_OK, an_module_zero_grad(m));
        an_tensor *y = an_linear(leaf(4, 3, 5), used, NULL);
        an_tensor *twice = an_add(y, an_linear(leaf(4, 3, 6), used, NULL));
        assert_int_equal(AN_OK, an_backward(an_sum(twice, AN_ALL, false)));
        const float *g = an_f32(an_module_gradient(m));
        for (int i = 0; i < 8; i++)
            assert_true(i < 6 ? isfinite(g[i]) && g[i] == g[i % 3] : g[i] == 0);
        assert_ptr_equal(an_f32(an_grad(idle)), g + 6);
    }
    assert_int_equal(AN_OK, an_module_zero_grad(m));
    const float *g = an_f32(an_module_gradient(m));
    for (int i = 0; i < 8; i++)
        assert_true(g[i] == 0);
    an_module_release(m);
}

/* ── contracts ────────────────────────────────────────────────────────────────────── */

static an_code recording_backward(an_node *n)
{
    return an_affine(n->in[0], 2, 0) ? AN_OK : an_err_code();
}

static void record_in_a_rule(void)
{
    an_tensor *x = leaf(2, 2, 1), *y = an_tensor_like(x);
    an_record(y, recording_backward, 1, &x);
    an_backward(an_sum(y, AN_ALL, false));
}

static void record_without_a_gradient(void)
{
    an_tensor *x = an_tensor_zeros(AN_F32, 1, (int64_t[]){2});
    an_record(an_tensor_like(x), recording_backward, 1, &x);
}

static void record_an_output_twice(void)
{
    an_tensor *x = leaf(2, 2, 1), *y = an_tensor_like(x);
    an_record(y, recording_backward, 1, &x);
    an_record(y, recording_backward, 1, &x);
}

static void save_in_one_slot_twice(void)
{
    an_tensor *x = leaf(2, 2, 1), *y = an_tensor_like(x);
    an_node *n = an_record(y, recording_backward, 1, &x);
    an_save(n, 0, x);
    an_save(n, 0, x);
}

static an_code reading_backward(an_node *n)
{
    return an_f32(n->in[0])[0] > 0 ? AN_OK : AN_EINVAL;
}

static void read_what_was_declared_unread(void)
{
    size_t inner = an_scope_begin();
    an_tensor *x = leaf(2, 2, 1), *y = an_tensor_like(x);
    an_unread(an_record(y, reading_backward, 1, &x), AN_IN(0));
    an_backward(an_scope_end(inner, an_sum(y, AN_ALL, false)));
}

static void gradient_outside_of_a_rule(void)
{
    an_grad_into(leaf(2, 2, 1));
}

static void violated_contracts_of_rules_are_asserted(void **state)
{
    (void)state;
    assert_true(aborts(record_in_a_rule));
    assert_true(aborts(record_without_a_gradient));
    assert_true(aborts(record_an_output_twice));
    assert_true(aborts(save_in_one_slot_twice));
    assert_true(aborts(read_what_was_declared_unread));
    assert_true(aborts(gradient_outside_of_a_rule));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(unread_elements_are_freed),
        TEST(a_scope_keeps_the_elements),
        TEST(a_chain_of_elementwise_rules_uses_one_buffer),
        TEST(shared_buffers_give_the_same_gradients),
        TEST(batch_norm_of_its_own_residual),
        TEST(cleared_parameters_are_overwritten),
        TEST(violated_contracts_of_rules_are_asserted),
    };
    return cmocka_run_group_tests_name("tape", tests, NULL, NULL);
}
