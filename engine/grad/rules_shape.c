/* rules_shape: the same numbers in another shape or order, with gradients.
 *
 * Each operation copies a view of its input; its rule adds the output's gradient through the same
 * view of the input's gradient. One rule serves them all: a node stores how to rebuild the view. A
 * reshape passes its gradient through. */
#include <string.h>

#include "base/integer.h"
#include "grad/ops.h"
#include "grad/tape.h"
#include "kernel/pointwise/reduce.h"
#include "tensor/scope.h"

/* Adds `from` (contiguous) to the strided view `to`; dimensions in order, so that elements which
 * `to` repeats (stride 0) are summed deterministically. */
static void add_into(an_tensor *to, const float *from)
{
    int64_t total = an_numel(to), at[AN_MAX_DIMS] = {0};
    int last = to->ndim - 1;
    int64_t n = to->ndim ? to->shape[last] : 1, stride = to->ndim ? to->stride[last] : 1;
    float *y = an_f32(to);
    for (int64_t done = 0; done < total; done += n, from += n) {
        if (stride == 1)
            an_k_accumulate(y, from, n, 1.0, 1);
        else
            for (int64_t i = 0; i < n; i++)
                y[i * stride] += from[i];
        for (int d = last - 1; d >= 0; d--) {
            y += to->stride[d];
            if (++at[d] < to->shape[d])
                break;
            y -= to->stride[d] * to->shape[d];
            at[d] = 0;
        }
    }
}

typedef enum { PERMUTE, NARROW, EXPAND, REPEAT } view_kind;

/* The view described by the node's integers i[0…]: its kind, then its arguments. */
static an_tensor *view_of(an_tensor *x, const int64_t *i)
{
    int order[AN_MAX_DIMS];
    switch ((view_kind)i[0]) {
    case NARROW:
        return an_view_narrow(x, (int)i[1], i[2], i[3]);
    case EXPAND:
        return an_view_expand(x, (int)i[1], i + 2);
    case PERMUTE:
        for (int d = 0; d < x->ndim; d++)
            order[d] = (int)i[1 + d];
        return an_view_transpose(x, order);
    case REPEAT: { /* (B, n) viewed as (B, times, n) with stride 0 in the middle */
        int64_t B = x->shape[0], n = B ? an_numel(x) / B : 0;
        an_tensor *v = an_view_reshape(x, 3, (int64_t[]){B, 1, n});
        return v ? an_view_expand(v, 3, (int64_t[]){B, i[1], n}) : NULL;
    }
    }
    return NULL;
}

static an_code view_backward(an_node *n)
{
    an_tensor *x = n->in[0], *grad = n->out->grad;
    bool whole = n->i[0] == PERMUTE; /* the view contains each element of x once */
    float beta = 1;
    if (!(whole ? an_grad_write(x, &beta) : an_grad_into(x)))
        return AN_ENOMEM;
    an_tensor *view = view_of(x->grad, n->i);
    if (!view)
        return an_err_code();
    if (beta == 0)
        return an_copy(view, grad);
    add_into(view, an_f32(grad));
    return AN_OK;
}

static an_code reshape_backward(an_node *n)
{
    const float *dy = an_grad_of(n);
    float beta, *dx = an_grad_over(n, n->in[0], &beta);
    if (!dx)
        return AN_ENOMEM;
    an_k_accumulate(dx, dy, an_numel(n->in[0]), 1, beta);
    return AN_OK;
}

/* Copies the view, under `shape` (NULL: the view's own), and records the copy. */
static an_tensor *copy_of_view(an_tensor *x, const int64_t *i, int count, int ndim,
                               const int64_t *shape)
{
    x = an_contiguous(x);
    size_t mark = an_scope_begin();
    an_tensor *view = x ? view_of(x, i) : NULL;
    an_tensor *y = view ? an_tensor_like(view) : NULL;
    if (y && an_copy(y, view))
        y = NULL;
    if (y && shape)
        y = an_view_reshape(y, ndim, shape);
    y = an_scope_end(mark, y);
    if (y && an_requires_grad(x)) {
        an_node *node = an_record(y, view_backward, 1, &x);
        if (!node)
            return NULL;
        memcpy(node->i, i, (size_t)count * sizeof *i);
        an_unread(node, AN_IN(0) | AN_OUT);
    }
    return y;
}

an_tensor *an_contiguous(an_tensor *x)
{
    if (!x || an_is_contiguous(x))
        return x;
    an_tensor *y = an_tensor_like(x); /* strided tensors are views without a gradient */
    return y && an_copy(y, x) == AN_OK ? y : NULL;
}

an_tensor *an_detach(an_tensor *x)
{
    x = an_contiguous(x);
    return x ? an_view_reshape(x, x->ndim, x->shape) : NULL;
}

/* A reshape shares storage: an operation's output is never written again. */
an_tensor *an_reshape(an_tensor *x, int ndim, const int64_t *shape)
{
    x = an_contiguous(x);
    an_tensor *y = x ? an_view_reshape(x, ndim, shape) : NULL;
    if (y && an_requires_grad(x)) {
        an_node *node = an_record(y, reshape_backward, 1, &x);
        if (!node)
            return NULL;
        an_unread(node, AN_IN(0) | AN_OUT);
    }
    return y;
}

an_tensor *an_permute(an_tensor *x, const int *order)
{
    int64_t i[1 + AN_MAX_DIMS] = {PERMUTE};
    for (int d = 0; x && d < x->ndim; d++)
        i[1 + d] = order[d];
    return copy_of_view(x, i, 1 + AN_MAX_DIMS, 0, NULL);
}

an_tensor *an_narrow(an_tensor *x, int dim, int64_t start, int64_t length)
{
    return copy_of_view(x, (int64_t[]){NARROW, dim, start, length}, 4, 0, NULL);
}

an_tensor *an_expand(an_tensor *x, int ndim, const int64_t *shape)
{
    int64_t i[2 + AN_MAX_DIMS] = {EXPAND, ndim};
    if (ndim < 0 || ndim > AN_MAX_DIMS)
        return an_fail(AN_EINVAL, "expand: at most %d dimensions", AN_MAX_DIMS), NULL;
    memcpy(i + 2, shape, (size_t)ndim * sizeof *shape);
    return copy_of_view(x, i, 2 + ndim, 0, NULL);
}

an_tensor *an_repeat_rows(an_tensor *x, int64_t times)
{
    if (!x)
        return NULL;
    if (x->ndim < 1 || times < 1)
        return an_fail(AN_EINVAL, "repeat_rows: needs rows and times >= 1, got %s and %lld",
                       an_shape_text(x), (long long)times),
               NULL;
    int64_t shape[AN_MAX_DIMS];
    memcpy(shape, x->shape, sizeof shape);
    if (!an_multiply(shape[0], times, &shape[0]))
        return an_fail(AN_EINVAL, "repeat_rows: %lld times the rows of %s are too many",
                       (long long)times, an_shape_text(x)),
               NULL;
    return copy_of_view(x, (int64_t[]){REPEAT, times}, 2, x->ndim, shape);
}

/* ── concat ─────────────────────────────────────────────────────────────────── */

static an_code concat_backward(an_node *n)
{
    int64_t at = 0;
    for (int k = 0; k < AN_NODE_INPUTS && n->in[k]; k++) {
        an_tensor *x = n->in[k];
        int64_t length = x->shape[n->i[0]];
        if (x->requires_grad) {
            float beta, *dx = an_grad_write(x, &beta);
            an_tensor *part = dx ? an_view_narrow(n->out->grad, (int)n->i[0], at, length) : NULL;
            if (part && beta == 0 && an_copy(x->grad, part))
                return an_err_code();
            if (part && beta != 0)
                part = an_contiguous(part);
            if (!part)
                return AN_ENOMEM;
            if (beta != 0)
                an_k_accumulate(dx, an_f32(part), an_numel(x), 1, 1);
        }
        at += length;
    }
    return AN_OK;
}

an_tensor *an_concat(an_tensor *const *xs, int n, int dim)
{
    if (n < 1 || n > AN_NODE_INPUTS)
        return an_fail(AN_EINVAL, "concat: takes 1 to %d tensors, got %d", AN_NODE_INPUTS, n), NULL;
    for (int k = 0; k < n; k++)
        if (!xs[k])
            return NULL;
    int64_t shape[AN_MAX_DIMS], total = 0;
    if (dim < 0)
        dim += xs[0]->ndim;
    memcpy(shape, xs[0]->shape, sizeof shape);
    bool recorded = false;
    for (int k = 0; k < n; k++) {
        bool fits = dim >= 0 && dim < xs[0]->ndim && xs[k]->ndim == xs[0]->ndim &&
                    xs[k]->dtype == xs[0]->dtype;
        for (int d = 0; fits && d < xs[0]->ndim; d++)
            fits = d == dim || xs[k]->shape[d] == shape[d];
        if (!fits)
            return an_fail(AN_EINVAL, "concat along dimension %d: %s does not fit %s", dim,
                           an_shape_text(xs[k]), an_shape_text(xs[0])),
                   NULL;
        total += xs[k]->shape[dim];
        recorded = recorded || an_requires_grad(xs[k]);
    }
    shape[dim] = total;
    an_tensor *y = an_tensor_new(xs[0]->dtype, xs[0]->ndim, shape);
    int64_t at = 0;
    for (int k = 0; y && k < n; k++) {
        an_tensor *part = an_view_narrow(y, dim, at, xs[k]->shape[dim]);
        if (!part || an_copy(part, xs[k]))
            return NULL;
        at += xs[k]->shape[dim];
    }
    if (y && recorded) {
        an_node *node = an_record(y, concat_backward, n, xs);
        if (!node)
            return NULL;
        node->i[0] = dim;
        unsigned inputs = AN_IN(n) - 1; /* all of them */
        an_unread(node, inputs | AN_OUT);
    }
    return y;
}
