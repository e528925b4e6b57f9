/* rules_pool: pooling of channels-last images. The selecting kinds save the chosen positions; the
 * averages need only the sizes. No rule reads what was pooled. */
#include <math.h>

#include "grad/ops.h"
#include "grad/tape.h"
#include "kernel/pointwise/pool.h"
#include "kernel/pointwise/pool_narrow.h"

/* ── windows: maximum and average ─────────────────────────────────────────────────── */

static an_pool_shape pool_sizes(const an_tensor *x, int64_t size, int64_t stride, int64_t pad)
{
    return an_k_pool_shape(x->shape[0], x->shape[1], x->shape[2], x->shape[3], size, stride, pad);
}

static an_code pool_shapes(const an_tensor *x, const char *what, an_dtype dtype, int size,
                           int stride, int pad)
{
    if (an_expect(x, what, dtype, 4))
        return AN_EINVAL;
    if (size < 1 || stride < 1 || pad < 0 || pad > size / 2)
        return an_fail(AN_EINVAL,
                       "%s: size %d and stride %d must be at least 1, and pad %d at "
                       "most half the size",
                       what, size, stride, pad);
    an_pool_shape s = pool_sizes(x, size, stride, pad);
    if (s.Ho < 1 || s.Wo < 1)
        return an_fail(AN_EINVAL, "%s: a window of %d is larger than x %s with pad %d", what, size,
                       an_shape_text(x), pad);
    return AN_OK;
}

static an_code keep_window(an_node *n, int size, int stride, int pad)
{
    if (!n)
        return AN_ENOMEM;
    n->i[0] = size;
    n->i[1] = stride;
    n->i[2] = pad;
    an_unread(n, AN_IN(0) | AN_OUT);
    return AN_OK;
}

static an_code max_pool_backward(an_node *n)
{
    an_pool_shape s = pool_sizes(n->in[0], n->i[0], n->i[1], n->i[2]);
    const uint8_t *at = (uint8_t *)an_i64(n->saved[0]);
    if (n->in[0]->dtype == AN_BF16) {
        float beta;
        uint16_t *narrow = an_grad_write(n->in[0], &beta);
        return narrow ? an_k_max_pool_narrow_backward(narrow, beta, an_grad_of(n), at, &s)
                      : AN_ENOMEM;
    }
    float *dx = an_grad_into(n->in[0]);
    if (!dx)
        return AN_ENOMEM;
    an_k_max_pool_backward(dx, an_grad_of(n), at, &s);
    return AN_OK;
}

an_tensor *an_max_pool2d(an_tensor *x, int size, int stride, int pad)
{
    x = an_contiguous(x);
    bool narrow = x && x->dtype == AN_BF16;
    if (!x || pool_shapes(x, "max_pool2d", narrow ? AN_BF16 : AN_F32, size, stride, pad))
        return NULL;
    if (size > AN_POOL_SIDE)
        return an_fail(AN_EINVAL, "max_pool2d: a window of %d; %d is the largest", size,
                       AN_POOL_SIDE),
               NULL;
    an_pool_shape s = pool_sizes(x, size, stride, pad);
    int64_t bytes = s.B * s.Ho * s.Wo * s.C,
            words = (bytes + 7) / 8; /* there is no tensor of bytes */
    an_tensor *y = an_tensor_new(x->dtype, 4, (int64_t[]){s.B, s.Ho, s.Wo, s.C});
    an_tensor *at = an_tensor_new(AN_I64, 1, &words);
    if (!y || !at)
        return NULL;
    if (narrow)
        an_k_max_pool_narrow_forward(an_bf16(y), (uint8_t *)an_i64(at), an_bf16(x), &s);
    else
        an_k_max_pool_forward(an_f32(y), (uint8_t *)an_i64(at), an_f32(x), &s);
    if (an_requires_grad(x)) {
        an_node *n = an_record(y, max_pool_backward, 1, &x);
        if (keep_window(n, size, stride, pad))
            return NULL;
        an_save(n, 0, at);
    }
    return y;
}

static an_code avg_pool_backward(an_node *n)
{
    an_pool_shape s = pool_sizes(n->in[0], n->i[0], n->i[1], n->i[2]);
    float *dx = an_grad_into(n->in[0]);
    if (!dx)
        return AN_ENOMEM;
    an_k_avg_pool_backward(dx, an_grad_of(n), &s);
    return AN_OK;
}

an_tensor *an_avg_pool2d(an_tensor *x, int size, int stride)
{
    x = an_contiguous(x);
    if (!x || pool_shapes(x, "avg_pool2d", AN_F32, size, stride, 0))
        return NULL;
    an_pool_shape s = pool_sizes(x, size, stride, 0);
    an_tensor *y = an_tensor_new(AN_F32, 4, (int64_t[]){s.B, s.Ho, s.Wo, s.C});
    if (!y)
        return NULL;
    an_k_avg_pool_forward(an_f32(y), an_f32(x), &s);
    if (an_requires_grad(x) && keep_window(an_record(y, avg_pool_backward, 1, &x), size, stride, 0))
        return NULL;
    return y;
}

/* ── whole images: mean, and mean of the top p % ──────────────────────────────────── */

static an_code whole_image(const an_tensor *x, const char *what)
{
    if (an_expect(x, what, AN_F32, 4))
        return AN_EINVAL;
    if (x->shape[1] < 1 || x->shape[2] < 1)
        return an_fail(AN_EINVAL, "%s: x %s has no positions", what, an_shape_text(x));
    return AN_OK;
}

static an_code global_pool_backward(an_node *n)
{
    const an_tensor *x = n->in[0];
    float beta, *dx = an_grad_write(n->in[0], &beta);
    if (!dx)
        return AN_ENOMEM;
    an_k_global_pool_backward(dx, an_grad_of(n), x->shape[0], x->shape[1] * x->shape[2],
                              x->shape[3], beta);
    return AN_OK;
}

an_tensor *an_global_avg_pool(an_tensor *x)
{
    x = an_contiguous(x);
    if (!x || whole_image(x, "global_avg_pool"))
        return NULL;
    int64_t B = x->shape[0], positions = x->shape[1] * x->shape[2], C = x->shape[3];
    an_tensor *y = an_tensor_new(AN_F32, 2, (int64_t[]){B, C});
    if (!y)
        return NULL;
    an_k_global_pool_forward(an_f32(y), an_f32(x), B, positions, C);
    if (an_requires_grad(x)) {
        an_node *n = an_record(y, global_pool_backward, 1, &x);
        if (!n)
            return NULL;
        an_unread(n, AN_IN(0) | AN_OUT);
    }
    return y;
}

static an_code top_pool_backward(an_node *n)
{
    const an_tensor *x = n->in[0], *at = n->saved[0];
    float *dx = an_grad_into(n->in[0]);
    if (!dx)
        return AN_ENOMEM;
    an_k_top_pool_backward(dx, an_grad_of(n), an_i64(at), x->shape[0], x->shape[1] * x->shape[2],
                           x->shape[3], at->shape[2]);
    return AN_OK;
}

an_tensor *an_top_pool(an_tensor *x, double percent)
{
    x = an_contiguous(x);
    if (!x || whole_image(x, "top_pool"))
        return NULL;
    if (!(percent > 0 && percent <= 100))
        return an_fail(AN_EINVAL, "top_pool: percent %g must be in (0, 100]", percent), NULL;
    int64_t B = x->shape[0], positions = x->shape[1] * x->shape[2], K = x->shape[3];
    int64_t top = (int64_t)llround(percent / 100 * (double)positions);
    top = top < 1 ? 1 : top;
    an_tensor *y = an_tensor_new(AN_F32, 2, (int64_t[]){B, K});
    an_tensor *at = an_tensor_new(AN_I64, 3, (int64_t[]){B, K, top});
    if (!y || !at)
        return NULL;
    an_k_top_pool_forward(an_f32(y), an_i64(at), an_f32(x), B, positions, K, top);
    if (an_requires_grad(x)) {
        an_node *n = an_record(y, top_pool_backward, 1, &x);
        if (!n)
            return NULL;
        an_unread(n, AN_IN(0) | AN_OUT);
        an_save(n, 0, at);
    }
    return y;
}
