/* rules_cast: the conversion between float32 and the bf16 of a network's maps, with its
 * gradient. */
#include "grad/ops.h"
#include "grad/tape.h"
#include "kernel/pointwise/cast.h"

static an_code cast_backward(an_node *n)
{
    an_tensor *x = n->in[0];
    const void *dy = an_grad_of(n);
    float beta;
    void *dx = an_grad_write(x, &beta);
    if (!dx)
        return AN_ENOMEM;
    if (x->dtype == AN_BF16)
        an_k_narrow(dx, dy, beta, an_numel(x));
    else
        an_k_widen(dx, dy, beta, an_numel(x));
    return AN_OK;
}

an_tensor *an_cast(an_tensor *x, an_dtype dtype)
{
    if (!x || x->dtype == dtype)
        return x;
    if (x->dtype == AN_I64 || dtype == AN_I64)
        return an_fail(AN_EINVAL, "cast: int64 has no gradient"), NULL;
    x = an_contiguous(x);
    an_tensor *y = x ? an_tensor_new(dtype, x->ndim, x->shape) : NULL;
    if (!y)
        return NULL;
    if (dtype == AN_BF16)
        an_k_narrow(an_bf16(y), an_f32(x), 0, an_numel(x));
    else
        an_k_widen(an_f32(y), an_bf16(x), 0, an_numel(x));
    if (an_requires_grad(x)) {
        an_node *node = an_record(y, cast_backward, 1, &x);
        if (!node)
            return NULL;
        an_unread(node, AN_IN(0) | AN_OUT);
    }
    return y;
}
