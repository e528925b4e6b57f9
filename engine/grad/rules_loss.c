/* rules_loss: softmax, cross-entropy, squared error and MMD, with their gradients.
 * Attention and the embeddings are in rules_attention.c. */
#include <math.h>

#include "grad/ops.h"
#include "grad/tape.h"
#include "kernel/pointwise/reduce.h"
#include "kernel/attention/softmax.h"

/* ── softmax ────────────────────────────────────────────────────────────────── */

typedef void (*rows_forward)(float *y, const float *x, int64_t rows, int64_t n);
typedef void (*rows_backward)(float *dx, const float *dy, const float *y, int64_t rows, int64_t n);

static an_code over_rows(an_node *node, rows_backward backward)
{
    float *dx = an_grad_into(node->in[0]);
    if (!dx)
        return AN_ENOMEM;
    int64_t n = an_dim(node->out, -1);
    backward(dx, an_grad_of(node), an_f32(node->out), an_numel(node->out) / n, n);
    return AN_OK;
}

static an_code softmax_backward(an_node *node)
{
    return over_rows(node, an_k_softmax_backward);
}

static an_code log_softmax_backward(an_node *node)
{
    return over_rows(node, an_k_log_softmax_backward);
}

static an_tensor *row_wise(an_tensor *x, const char *what, rows_forward forward,
                           an_backward_fn backward)
{
    x = an_contiguous(x);
    if (!x)
        return NULL;
    if (x->dtype != AN_F32 || x->ndim < 1 || an_dim(x, -1) < 1)
        return an_fail(AN_EINVAL, "%s: requires float32 rows of at least one number, got %s %s",
                       what, x->dtype == AN_F32 ? "float32" : "int64", an_shape_text(x)),
               NULL;
    an_tensor *y = an_tensor_like(x);
    if (!y)
        return NULL;
    forward(an_f32(y), an_f32(x), an_numel(x) / an_dim(x, -1), an_dim(x, -1));
    if (an_requires_grad(x)) {
        an_node *node = an_record(y, backward, 1, &x);
        if (!node)
            return NULL;
        an_unread(node, AN_IN(0));
    }
    return y;
}

an_tensor *an_softmax(an_tensor *x)
{
    return row_wise(x, "softmax", an_k_softmax_forward, softmax_backward);
}

an_tensor *an_log_softmax(an_tensor *x)
{
    return row_wise(x, "log_softmax", an_k_log_softmax_forward, log_softmax_backward);
}

/* ── cross-entropy ──────────────────────────────────────────────────────────── */

enum { WEIGHT, ADJUST, MARGIN }; /* slots of an_node.saved */

static const float *saved_classes(const an_node *node, int slot)
{
    return node->saved[slot] ? an_f32(node->saved[slot]) : NULL;
}

static an_code cross_entropy_backward(an_node *node)
{
    an_tensor *logits = node->in[0], *labels = node->in[1];
    float *dlogits = an_grad_into(logits);
    if (!dlogits)
        return AN_ENOMEM;
    const float *dloss = an_grad_of(node);
    an_cross_entropy_args args = {.weight = saved_classes(node, WEIGHT),
                                  .adjust = saved_classes(node, ADJUST),
                                  .margin = saved_classes(node, MARGIN),
                                  .scale = node->f[0],
                                  .focal = node->f[1],
                                  .smoothing = node->f[2]};
    an_k_cross_entropy_backward(dlogits, *dloss, an_f32(logits), an_i64(labels), an_dim(logits, 0),
                                an_dim(logits, 1), &args);
    return AN_OK;
}

static an_code check_labels(const an_tensor *logits, const an_tensor *labels)
{
    an_code code = an_expect(logits, "cross_entropy: logits (B, K)", AN_F32, 2);
    if (!code)
        code = an_expect(labels, "cross_entropy: labels (B)", AN_I64, 1);
    if (code)
        return code;
    int64_t B = an_dim(logits, 0), K = an_dim(logits, 1);
    if (an_dim(labels, 0) != B || B < 1 || K < 1)
        return an_fail(AN_EINVAL,
                       "cross_entropy: logits %s and labels %s must have the same, positive "
                       "number of rows",
                       an_shape_text(logits), an_shape_text(labels));
    const int64_t *y = an_i64(labels);
    for (int64_t b = 0; b < B; b++)
        if (y[b] < 0 || y[b] >= K)
            return an_fail(AN_EINVAL, "cross_entropy: label %lld in row %lld is outside 0 … %lld",
                           (long long)y[b], (long long)b, (long long)(K - 1));
    return AN_OK;
}

/* The loss is a mean weighted by the weights of the labels: it is divided by their sum. */
static an_code check_weights(const an_tensor *labels, const float *weight)
{
    double total = weight ? 0 : 1;
    for (int64_t b = 0; weight && b < an_dim(labels, 0); b++)
        total += weight[an_i64(labels)[b]];
    return total > 0 ? AN_OK
                     : an_fail(AN_EINVAL,
                               "cross_entropy: the weights of the labels in this batch "
                               "add up to %g; they must be ≥ 0 and not all 0",
                               total);
}

static an_code check_cross_entropy_args(const an_cross_entropy_args *args)
{
    if (!isfinite(args->scale) || args->scale <= 0)
        return an_fail(AN_EINVAL, "cross_entropy: scale must be > 0, got %g", args->scale);
    if (!(args->focal >= 0) || isinf(args->focal))
        return an_fail(AN_EINVAL, "cross_entropy: focal must be ≥ 0, got %g", args->focal);
    if (!(args->smoothing >= 0 && args->smoothing < 1))
        return an_fail(AN_EINVAL, "cross_entropy: smoothing must be in [0, 1), got %g",
                       args->smoothing);
    return AN_OK;
}

/* Saves a copy of K numbers: the caller may change them before the backward pass. */
static an_code save_classes(an_node *node, int slot, const float *values, int64_t K)
{
    if (!values)
        return AN_OK;
    an_tensor *copy = an_tensor_from(values, 1, &K);
    if (!copy)
        return AN_ENOMEM;
    an_save(node, slot, copy);
    return AN_OK;
}

static an_code record_cross_entropy(an_tensor *loss, an_tensor *logits, an_tensor *labels,
                                    const an_cross_entropy_args *args)
{
    int64_t K = an_dim(logits, 1);
    an_tensor *in[] = {logits, labels};
    an_node *node = an_record(loss, cross_entropy_backward, 2, in);
    if (!node || save_classes(node, WEIGHT, args->weight, K) ||
        save_classes(node, ADJUST, args->adjust, K) || save_classes(node, MARGIN, args->margin, K))
        return AN_ENOMEM;
    node->f[0] = args->scale;
    node->f[1] = args->focal;
    node->f[2] = args->smoothing;
    return AN_OK;
}

an_tensor *an_cross_entropy(an_tensor *logits, an_tensor *labels, const an_cross_entropy_args *args)
{
    static const an_cross_entropy_args plain = {.scale = 1};
    args = args ? args : &plain;
    logits = an_contiguous(logits);
    labels = an_contiguous(labels);
    if (!logits || !labels || check_labels(logits, labels) || check_cross_entropy_args(args) ||
        check_weights(labels, args->weight))
        return NULL;
    int64_t B = an_dim(logits, 0);
    an_tensor *row = an_tensor_new(AN_F32, 1, &B), *loss = an_tensor_new(AN_F32, 0, NULL);
    if (!row || !loss)
        return NULL;
    double value = an_k_cross_entropy_forward(an_f32(row), an_f32(logits), an_i64(labels), B,
                                              an_dim(logits, 1), args);
    an_f32(loss)[0] = (float)value;
    if (an_requires_grad(logits) && record_cross_entropy(loss, logits, labels, args))
        return NULL;
    return loss;
}

/* ── squared error ──────────────────────────────────────────────────────────── */

/* The squares of each row times its weight. */
static an_tensor *weighted(an_tensor *squares, an_tensor *w)
{
    int64_t shape[AN_MAX_DIMS];
    for (int d = 0; d < squares->ndim; d++)
        shape[d] = d == 0 ? an_dim(squares, 0) : 1;
    if (an_expect(w, "mse: weights", AN_F32, 1))
        return NULL;
    if (squares->ndim < 1 || an_dim(w, 0) != an_dim(squares, 0))
        return an_fail(AN_EINVAL, "mse: %s weights for the rows of %s", an_shape_text(w),
                       an_shape_text(squares)),
               NULL;
    return an_mul(squares, an_reshape(w, squares->ndim, shape));
}

an_tensor *an_mse(an_tensor *a, an_tensor *b, an_tensor *w)
{
    if (!a || !b)
        return NULL;
    if (!an_same_shape(a, b))
        return an_fail(AN_EINVAL, "mse: %s and %s differ in shape", an_shape_text(a),
                       an_shape_text(b)),
               NULL;
    an_tensor *squares = an_map(an_sub(a, b), AN_SQUARE);
    return an_mean(w && squares ? weighted(squares, w) : squares, AN_ALL, false);
}

/* ── MMD² ───────────────────────────────────────────────────────────────────── */

/* The forward pass computed the gradients for dloss = 1 into saved[0] and saved[1]. */
static an_code mmd_backward(an_node *node)
{
    double dloss = *(const float *)an_grad_of(node);
    for (int side = 0; side < 2; side++) {
        an_tensor *x = node->in[side];
        float beta, *dx = an_grad_write(x, &beta);
        if (!dx && x->requires_grad)
            return AN_ENOMEM;
        if (dx)
            an_k_accumulate(dx, an_f32(node->saved[side]), an_numel(x), dloss, beta);
    }
    return AN_OK;
}

static an_code check_mmd(const an_tensor *a, const an_tensor *b, const an_mmd_args *args)
{
    an_code code = an_expect(a, "mmd: a (B, K)", AN_F32, 2);
    if (!code)
        code = an_expect(b, "mmd: b (B, K)", AN_F32, 2);
    if (code)
        return code;
    int64_t least = args->unbiased ? 2 : 1;
    if (!an_same_shape(a, b) || an_dim(a, 0) < least || an_dim(a, 1) < 1)
        return an_fail(AN_EINVAL,
                       "mmd: a %s and b %s must have the same shape, with at least %d "
                       "row%s",
                       an_shape_text(a), an_shape_text(b), (int)least,
                       least > 1 ? "s for the unbiased form" : "");
    if (args->n < 1 || args->n > AN_MMD_KERNELS)
        return an_fail(AN_EINVAL, "mmd: 1 … %d multipliers, got %d", AN_MMD_KERNELS, args->n);
    for (int i = 0; i < args->n; i++)
        if (!(args->multiplier[i] > 0) || isinf(args->multiplier[i]))
            return an_fail(AN_EINVAL, "mmd: multiplier %d must be > 0, got %g", i + 1,
                           args->multiplier[i]);
    return AN_OK;
}

an_tensor *an_mmd(an_tensor *a, an_tensor *b, const an_mmd_args *args)
{
    a = an_contiguous(a);
    b = an_contiguous(b);
    if (!a || !b || check_mmd(a, b, args))
        return NULL;
    an_tensor *ga = an_requires_grad(a) ? an_tensor_like(a) : NULL;
    an_tensor *gb = an_requires_grad(b) ? an_tensor_like(b) : NULL;
    an_tensor *loss = an_tensor_new(AN_F32, 0, NULL);
    if (!loss || (an_requires_grad(a) && !ga) || (an_requires_grad(b) && !gb))
        return NULL;
    double value;
    if (an_k_mmd(&value, ga ? an_f32(ga) : NULL, gb ? an_f32(gb) : NULL, an_f32(a), an_f32(b),
                 an_dim(a, 0), an_dim(a, 1), args))
        return NULL;
    an_f32(loss)[0] = (float)value;
    if (ga || gb) {
        an_tensor *in[] = {a, b};
        an_node *node = an_record(loss, mmd_backward, 2, in);
        if (!node)
            return NULL;
        an_unread(node, AN_IN(0) | AN_IN(1) | AN_OUT);
        if (ga)
            an_save(node, 0, ga);
        if (gb)
            an_save(node, 1, gb);
    }
    return loss;
}
