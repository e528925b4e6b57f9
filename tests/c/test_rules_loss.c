/* rules_loss and rules_attention: every rule by finite differences, values where the rule
 * computes them, strided inputs, and errors. */
#include "rules.h"

#include "grad/ops.h"
#include "grad/tape.h"
#include "tensor/scope.h"

static an_tensor *randn(uint64_t stream, int ndim, const int64_t *shape)
{
    an_tensor *x = an_tensor_new(AN_F32, ndim, shape);
    an_fill_normal(an_f32(x), an_numel(x), 11, stream, 0);
    return x;
}

static an_tensor *param(uint64_t stream, int ndim, const int64_t *shape)
{
    an_tensor *x = randn(stream, ndim, shape);
    x->requires_grad = true;
    return x;
}

static an_tensor *integers(const int64_t *values, int ndim, const int64_t *shape)
{
    an_tensor *x = an_tensor_new(AN_I64, ndim, shape);
    memcpy(an_i64(x), values, (size_t)an_numel(x) * sizeof *values);
    return x;
}

static int open_scope(void **state)
{
    static size_t mark;
    mark = an_scope_begin();
    *state = &mark;
    return 0;
}

static int close_scope(void **state)
{
    an_tape_clear();
    an_scope_end(*(size_t *)*state, NULL);
    return 0;
}

/* ── softmax ────────────────────────────────────────────────────────────────── */

static an_tensor *run_softmax(an_tensor **in, void *ctx)
{
    (void)ctx;
    return an_softmax(in[0]);
}

static an_tensor *run_log_softmax(an_tensor **in, void *ctx)
{
    (void)ctx;
    return an_log_softmax(in[0]);
}

static void softmax_rules(void **state)
{
    (void)state;
    an_tensor *x = param(1, SHAPE(2, 3, 5));
    check_gradients(run_softmax, &x, 1, NULL);
    check_gradients(run_log_softmax, &x, 1, NULL);
    const int order[] = {2, 1, 0};
    an_tensor *strided = an_softmax(an_view_transpose(x, order));
    an_tensor *copied = an_softmax(an_permute(x, order));
    assert_memory_equal(an_f32(strided), an_f32(copied), 30 * sizeof(float));
    assert_error(an_softmax(an_tensor_zeros(AN_I64, SHAPE(2, 3))), "softmax");
    assert_error(an_log_softmax(an_tensor_zeros(AN_F32, 0, NULL)), "log_softmax");
    assert_null(an_softmax(NULL));
}

/* ── cross-entropy ──────────────────────────────────────────────────────────── */

typedef struct {
    an_tensor *labels;
    const an_cross_entropy_args *args;
} xent_context;

static an_tensor *run_cross_entropy(an_tensor **in, void *ctx)
{
    xent_context *c = ctx;
    return an_cross_entropy(in[0], c->labels, c->args);
}

static void cross_entropy_rule(void **state)
{
    (void)state;
    const float weight[] = {1, 2, 0.5f, 1}, adjust[] = {0.5f, 0, -1, 1};
    const float margin[] = {0.1f, 0.2f, 0.3f, 0};
    const an_cross_entropy_args variants[] = {
        {.scale = 1},
        {.weight = weight, .adjust = adjust, .margin = margin, .scale = 2},
        {.weight = weight, .scale = 1, .focal = 2, .smoothing = 0.1},
    };
    an_tensor *x = param(2, SHAPE(5, 4));
    an_tensor *labels = integers((int64_t[]){0, 3, 1, 1, 2}, SHAPE(5));
    xent_context c = {labels, NULL};
    check_gradients(run_cross_entropy, &x, 1, &c);
    for (int i = 0; i < 3; i++) {
        c.args = &variants[i];
        check_gradients(run_cross_entropy, &x, 1, &c);
    }
}

static void cross_entropy_copies_its_arguments(void **state)
{
    (void)state;
    float weight[] = {1, 2, 3}, expected[6];
    an_tensor *x = param(2, SHAPE(2, 3)), *labels = integers((int64_t[]){2, 0}, SHAPE(2));
    an_cross_entropy_args args = {.weight = weight, .scale = 1};
    assert_int_equal(an_backward(an_cross_entropy(x, labels, &args)), AN_OK);
    memcpy(expected, an_f32(x->grad), sizeof expected);
    an_fill(x->grad, 0);
    an_tensor *loss = an_cross_entropy(x, labels, &args);
    weight[0] = weight[2] = 100;
    args.scale = 9;
    assert_int_equal(an_backward(loss), AN_OK);
    assert_memory_equal(an_f32(x->grad), expected, sizeof expected);
}

static void cross_entropy_errors(void **state)
{
    (void)state;
    an_tensor *x = param(2, SHAPE(2, 3)), *good = integers((int64_t[]){2, 0}, SHAPE(2));
    assert_error(an_cross_entropy(x, integers((int64_t[]){0, 3}, SHAPE(2)), NULL), "label 3");
    assert_error(an_cross_entropy(x, integers((int64_t[]){-1, 0}, SHAPE(2)), NULL), "label -1");
    assert_error(an_cross_entropy(x, integers((int64_t[]){0}, SHAPE(1)), NULL), "(2, 3)");
    assert_error(an_cross_entropy(x, x, NULL), "labels");
    assert_error(an_cross_entropy(x, good, &(an_cross_entropy_args){.scale = 0}), "scale");
    assert_error(an_cross_entropy(x, good, &(an_cross_entropy_args){.scale = 1, .focal = -1}),
                 "focal");
    assert_error(an_cross_entropy(x, good, &(an_cross_entropy_args){.scale = 1, .smoothing = 1}),
                 "smoothing");
    const float none[] = {0, 1, 0};
    assert_error(an_cross_entropy(x, good, &(an_cross_entropy_args){.scale = 1, .weight = none}),
                 "weight");
    assert_int_equal(an_tape_length(), 0);
}

/* ── squared error, MMD ─────────────────────────────────────────────────────── */

static an_tensor *run_mse(an_tensor **in, void *ctx)
{
    (void)ctx;
    return an_mse(in[0], in[1], NULL);
}

static void mse_rule(void **state)
{
    (void)state;
    an_tensor *in[] = {param(3, SHAPE(4, 3)), param(4, SHAPE(4, 3))};
    check_gradients(run_mse, in, 2, NULL);
    an_tensor *zero = an_tensor_zeros(AN_F32, SHAPE(2)), *two = an_tensor_zeros(AN_F32, SHAPE(2));
    an_f32(two)[0] = 2;
    assert_true(an_f32(an_mse(zero, two, NULL))[0] == 2);
    assert_error(an_mse(zero, in[0], NULL), "(4, 3)");
    assert_null(an_mse(NULL, zero, NULL));
}

static an_tensor *run_mmd(an_tensor **in, void *ctx)
{
    return an_affine(an_mmd(in[0], in[1], ctx), 10, 0);
}

static void mmd_rule(void **state)
{
    (void)state;
    an_tensor *in[] = {param(5, SHAPE(6, 3)), param(6, SHAPE(6, 3))};
    an_mmd_args args = {.n = 2, .multiplier = {0.1, 0.5}};
    check_gradients(run_mmd, in, 2, &args);
    args.unbiased = true;
    check_gradients(run_mmd, in, 2, &args);
    in[1] = randn(7, SHAPE(6, 3)); /* only one side requires a gradient */
    check_gradients(run_mmd, in, 2, &args);
    assert_error(an_mmd(in[0], randn(8, SHAPE(5, 3)), &args), "(5, 3)");
    assert_error(an_mmd(randn(8, SHAPE(1, 3)), randn(9, SHAPE(1, 3)), &args), "unbiased");
    assert_error(an_mmd(in[0], in[1], &(an_mmd_args){.n = 9}), "got 9");
    assert_error(an_mmd(in[0], in[1], &(an_mmd_args){.n = 1, .multiplier = {-1}}), "multiplier 1");
}

/* ── attention ──────────────────────────────────────────────────────────────── */

static an_tensor *run_attention(an_tensor **in, void *ctx)
{
    return an_attention(in[0], in[1], in[2], *(int *)ctx, NULL);
}

static an_tensor *run_self_attention(an_tensor **in, void *ctx)
{
    return an_attention(in[0], in[0], in[0], *(int *)ctx, NULL);
}

static void attention_rule(void **state)
{
    (void)state;
    int heads = 2;
    an_tensor *shared[] = {param(1, SHAPE(4, 3, 6)), param(2, SHAPE(2, 5, 6)),
                           param(3, SHAPE(2, 5, 6))};
    check_gradients(run_attention, shared, 3, &heads);
    an_tensor *x = param(4, SHAPE(2, 3, 4)), *long_x = param(6, SHAPE(1, 66, 2));
    check_gradients(run_self_attention, &x, 1, &heads);
    check_gradients(run_self_attention, &long_x, 1, &heads); /* more than one chunk of queries */
    shared[1] = randn(5, SHAPE(2, 5, 6));                    /* keys without a gradient */
    check_gradients(run_attention, shared, 3, &heads);
}

static void attention_map_is_a_distribution(void **state)
{
    (void)state;
    an_tensor *map = NULL, *k = randn(2, SHAPE(1, 5, 4));
    assert_non_null(an_attention(randn(1, SHAPE(2, 3, 4)), k, k, 2, &map));
    assert_int_equal(map->ndim, 3);
    assert_int_equal(an_numel(map), 2 * 3 * 5);
    for (int r = 0; r < 6; r++) {
        double sum = 0;
        for (int j = 0; j < 5; j++)
            sum += an_f32(map)[r * 5 + j];
        assert_true(fabs(sum - 1) < 1e-6);
    }
}

static void attention_errors(void **state)
{
    (void)state;
    an_tensor *q = randn(1, SHAPE(3, 2, 6)), *k = randn(2, SHAPE(2, 4, 6));
    assert_error(an_attention(q, k, k, 2, NULL), "(3, 2, 6)"); /* 3 rows on 2 */
    assert_error(an_attention(k, k, randn(3, SHAPE(2, 5, 6)), 2, NULL), "(2, 5, 6)");
    assert_error(an_attention(k, k, k, 4, NULL), "4 heads");
    assert_error(an_attention(k, randn(3, SHAPE(2, 6)), k, 2, NULL), "attention: k");
}

/* ── embeddings ─────────────────────────────────────────────────────────────── */

static an_tensor *run_embedding(an_tensor **in, void *ctx)
{
    return an_embedding(in[0], ctx);
}

static void embedding_rule(void **state)
{
    (void)state;
    an_tensor *w = param(1, SHAPE(4, 3));
    an_tensor *index = integers((int64_t[]){0, 2, 2, 3, 0, 2}, SHAPE(2, 3));
    check_gradients(run_embedding, &w, 1, index);
    an_tensor *y = an_embedding(w, index);
    assert_true(y->ndim == 3 && an_dim(y, 0) == 2 && an_dim(y, 1) == 3 && an_dim(y, 2) == 3);
    assert_error(an_embedding(w, integers((int64_t[]){4}, SHAPE(1))), "index 4");
    assert_error(an_embedding(w, w), "int64");
}

static void timestep_embedding_has_no_gradient(void **state)
{
    (void)state;
    an_tensor *t = integers((int64_t[]){0, 10}, SHAPE(2)), *y = an_timestep_embedding(t, 4, 100);
    const double expected[] = {1, 1, 0, 0, cos(10), cos(1), sin(10), sin(1)};
    for (int i = 0; i < 8; i++)
        assert_true(fabs(an_f32(y)[i] - expected[i]) < 1e-6);
    assert_false(y->requires_grad);
    assert_error(an_timestep_embedding(t, 3, 100), "even");
}

/* Each allocation fails once: an error each time, and no leak. */
static void every_allocation_may_fail(void **state)
{
    (void)state;
    an_tensor *q = param(1, SHAPE(2, 3, 4)), *flat = param(2, SHAPE(6, 4));
    an_tensor *labels = integers((int64_t[]){0, 1, 2, 3, 0, 1}, SHAPE(6));
    const float weight[] = {1, 2, 3, 4};
    const an_cross_entropy_args cross_entropy = {.weight = weight, .scale = 1};
    const an_mmd_args mmd = {.n = 1, .multiplier = {1}};
    int64_t live = an_mem_live(), failures = 0;
    for (int nth = 1; nth < 200; nth++) {
        size_t mark = an_scope_begin();
        an_err_clear();
        an_mem_fail_at(nth);
        an_tensor *other = an_reshape(an_attention(q, q, q, 2, NULL), SHAPE(6, 4));
        an_tensor *loss = an_add(an_cross_entropy(an_softmax(flat), labels, &cross_entropy),
                                 an_mmd(flat, other, &mmd));
        an_code code = loss ? an_backward(loss) : an_err_code();
        an_mem_fail_at(0);
        an_tape_clear();
        an_release(q->grad);
        an_release(flat->grad);
        q->grad = flat->grad = NULL;
        an_scope_end(mark, NULL);
        if (code == AN_OK)
            break;
        assert_int_equal(code, AN_ENOMEM);
        failures++;
    }
    assert_true(failures > 20 && failures < 199);
    assert_true(an_mem_live() - live < 65536); /* the tape's and the scope's own arrays */
}

#define RULE(name) cmocka_unit_test_setup_teardown(name, open_scope, close_scope)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULE(softmax_rules),
        RULE(cross_entropy_rule),
        RULE(cross_entropy_copies_its_arguments),
        RULE(cross_entropy_errors),
        RULE(mse_rule),
        RULE(mmd_rule),
        RULE(attention_rule),
        RULE(attention_map_is_a_distribution),
        RULE(attention_errors),
        RULE(embedding_rule),
        RULE(timestep_embedding_has_no_gradient),
        RULE(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
