/* rules_map: elementwise operations, broadcasting and sums, with their gradients.
 * Operations that only change the shape or order are in rules_shape.c. */
#include <string.h>

#include "grad/ops.h"
#include "grad/tape.h"
#include "kernel/pointwise/broadcast.h"
#include "kernel/pointwise/reduce.h"
#include "tensor/scope.h"

static an_code float_only(const an_tensor *x, const char *what)
{
    return x->dtype == AN_F32
               ? AN_OK
               : an_fail(AN_EINVAL, "%s: requires float32, got int64 %s", what, an_shape_text(x));
}

/* ── a ∘ b ──────────────────────────────────────────────────────────────────── */

static an_code joint_shape(const an_tensor *a, const an_tensor *b, int *ndim, int64_t *shape)
{
    *ndim = a->ndim > b->ndim ? a->ndim : b->ndim;
    for (int d = 0; d < *ndim; d++) {
        int da = d - (*ndim - a->ndim), db = d - (*ndim - b->ndim);
        int64_t na = da < 0 ? 1 : a->shape[da], nb = db < 0 ? 1 : b->shape[db];
        if (na != nb && na != 1 && nb != 1)
            return an_fail(AN_EINVAL, "shapes %s and %s do not broadcast together",
                           an_shape_text(a), an_shape_text(b));
        shape[d] = na == 1 ? nb : na;
    }
    return AN_OK;
}

static void broadcast_strides(const an_tensor *x, int ndim, int64_t *stride)
{
    int64_t contiguous = 1;
    for (int d = ndim - 1, k = x->ndim - 1; d >= 0; d--, k--) {
        stride[d] = k < 0 || x->shape[k] == 1 ? 0 : contiguous;
        if (k >= 0)
            contiguous *= x->shape[k];
    }
}

static void geometry(an_broadcast *g, const an_tensor *y, const an_tensor *a, const an_tensor *b)
{
    g->ndim = y->ndim;
    memcpy(g->shape, y->shape, sizeof g->shape);
    broadcast_strides(a, y->ndim, g->sa);
    broadcast_strides(b, y->ndim, g->sb);
    an_k_broadcast_simplify(g);
}

/* The side whose gradient may reuse the buffer of dy comes last, because the other one also reads
 * dy. */
static an_code binary_backward(an_node *n)
{
    an_binary_kind kind = (an_binary_kind)n->i[0];
    const float *dy = an_grad_of(n);
    bool linear = kind == AN_ADD || kind == AN_SUB; /* reads no operand */
    const float *a = linear ? dy : an_f32(n->in[0]), *b = linear ? dy : an_f32(n->in[1]);
    int last = an_numel(n->in[0]) == an_numel(n->out) ? 0 : 1;
    an_broadcast g;
    geometry(&g, n->out, n->in[0], n->in[1]);
    for (int pass = 0; pass < 2; pass++) {
        int side = pass == 0 ? 1 - last : last;
        an_tensor *x = n->in[side];
        float beta = 1, *d;
        if (an_numel(x) != an_numel(n->out))
            d = an_grad_into(x);
        else
            d = pass == 1 ? an_grad_over(n, x, &beta) : an_grad_write(x, &beta);
        if (!d && x->requires_grad)
            return AN_ENOMEM;
        if (d)
            an_k_binary_backward(kind, side, d, beta, dy, a, b, &g);
    }
    return AN_OK;
}

static an_tensor *binary(an_binary_kind kind, an_tensor *a, an_tensor *b)
{
    a = an_contiguous(a);
    b = an_contiguous(b);
    int ndim;
    int64_t shape[AN_MAX_DIMS];
    if (!a || !b || float_only(a, "arithmetic") || float_only(b, "arithmetic") ||
        joint_shape(a, b, &ndim, shape))
        return NULL;
    an_tensor *y = an_tensor_new(AN_F32, ndim, shape);
    if (!y)
        return NULL;
    an_broadcast g;
    geometry(&g, y, a, b);
    an_k_binary_forward(kind, an_f32(y), an_f32(a), an_f32(b), &g);
    if (an_requires_grad(a) || an_requires_grad(b)) {
        an_node *node = an_record(y, binary_backward, 2, (an_tensor *[]){a, b});
        if (!node)
            return NULL;
        node->i[0] = kind;
        bool linear = kind == AN_ADD || kind == AN_SUB;
        an_unread(node, AN_OUT | (linear ? AN_IN(0) | AN_IN(1) : 0));
    }
    return y;
}

an_tensor *an_add(an_tensor *a, an_tensor *b)
{
    return binary(AN_ADD, a, b);
}

an_tensor *an_sub(an_tensor *a, an_tensor *b)
{
    return binary(AN_SUB, a, b);
}

an_tensor *an_mul(an_tensor *a, an_tensor *b)
{
    return binary(AN_MUL, a, b);
}

an_tensor *an_div(an_tensor *a, an_tensor *b)
{
    return binary(AN_DIV, a, b);
}

/* ── one operand ────────────────────────────────────────────────────────────── */

static an_code affine_backward(an_node *n)
{
    const float *dy = an_grad_of(n);
    float beta, *dx = an_grad_over(n, n->in[0], &beta);
    if (!dx)
        return AN_ENOMEM;
    an_k_accumulate(dx, dy, an_numel(n->out), n->f[0], beta);
    return AN_OK;
}

an_tensor *an_affine(an_tensor *x, double scale, double shift)
{
    x = an_contiguous(x);
    an_tensor *y = x && !float_only(x, "arithmetic") ? an_tensor_like(x) : NULL;
    if (!y)
        return NULL;
    an_k_affine(an_f32(y), an_f32(x), an_numel(x), scale, shift);
    if (an_requires_grad(x)) {
        an_node *node = an_record(y, affine_backward, 1, &x);
        if (!node)
            return NULL;
        node->f[0] = scale;
        an_unread(node, AN_IN(0) | AN_OUT);
    }
    return y;
}

static an_code map_backward(an_node *n)
{
    const float *dy = an_grad_of(n);
    float beta, *dx = an_grad_over(n, n->in[0], &beta);
    if (!dx)
        return AN_ENOMEM;
    an_k_map_backward((int)n->i[0], dx, beta, dy, an_f32(n->in[0]), an_f32(n->out),
                      an_numel(n->out));
    return AN_OK;
}

an_tensor *an_map(an_tensor *x, an_map_kind kind)
{
    x = an_contiguous(x);
    an_tensor *y = x && !float_only(x, "map") ? an_tensor_like(x) : NULL;
    if (!y)
        return NULL;
    an_k_map_forward(kind, an_f32(y), an_f32(x), an_numel(x));
    if (an_requires_grad(x)) {
        an_node *node = an_record(y, map_backward, 1, &x);
        if (!node)
            return NULL;
        node->i[0] = kind;
    }
    return y;
}

/* ── sums ───────────────────────────────────────────────────────────────────── */

static an_code sum_backward(an_node *n)
{
    float beta, *dx = an_grad_write(n->in[0], &beta);
    if (!dx)
        return AN_ENOMEM;
    an_k_sum_backward(dx, an_grad_of(n), n->i[0], n->i[1], n->i[2], n->f[0], beta);
    return AN_OK;
}

static an_tensor *reduce(an_tensor *x, int dim, bool keep, bool mean)
{
    x = an_contiguous(x);
    if (!x || float_only(x, "sum"))
        return NULL;
    int64_t outer = 1, n = 1, inner = 1, shape[AN_MAX_DIMS];
    int ndim = 0;
    bool all = dim == AN_ALL;
    if (dim < 0)
        dim += x->ndim;
    if (!all && (dim < 0 || dim >= x->ndim))
        return an_fail(AN_EINVAL, "sum: %s has no dimension %d", an_shape_text(x), dim), NULL;
    for (int d = 0; d < x->ndim; d++) {
        bool summed = all || d == dim;
        *(summed ? &n : d < dim ? &outer : &inner) *= x->shape[d];
        if (!summed || keep)
            shape[ndim++] = summed ? 1 : x->shape[d];
    }
    an_tensor *y = an_tensor_new(AN_F32, ndim, shape);
    if (!y)
        return NULL;
    double scale = mean ? 1.0 / (double)n : 1.0;
    an_k_sum_forward(an_f32(y), an_f32(x), outer, n, inner, scale);
    if (an_requires_grad(x)) {
        an_node *node = an_record(y, sum_backward, 1, &x);
        if (!node)
            return NULL;
        node->i[0] = outer, node->i[1] = n, node->i[2] = inner;
        node->f[0] = scale;
        an_unread(node, AN_IN(0) | AN_OUT);
    }
    return y;
}

an_tensor *an_sum(an_tensor *x, int dim, bool keep)
{
    return reduce(x, dim, keep, false);
}

an_tensor *an_mean(an_tensor *x, int dim, bool keep)
{
    return reduce(x, dim, keep, true);
}
