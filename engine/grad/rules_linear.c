/* rules_linear: matrix products, linear layers and convolution. Each operation checks its
 * shapes, calls one kernel, and records the rule above it. */
#include "base/integer.h"
#include "grad/cut_node.h"
#include "grad/ops.h"
#include "grad/tape.h"
#include "kernel/conv/conv.h"
#include "kernel/conv/conv_cut.h"
#include "kernel/matmul/gemm.h"
#include "kernel/matmul/linear.h"
#include "kernel/common/row_sums.h"

/* ── C = op(A)·op(B) ──────────────────────────────────────────────────────────────── */

/* dA = dC·op(B)ᵀ and dB = op(A)ᵀ·dC, each transposed where the operand was. */
static an_code matmul_backward(an_node *n)
{
    an_tensor *a = n->in[0], *b = n->in[1];
    bool ta = n->i[0], tb = n->i[1];
    int64_t G = n->i[2], M = n->i[3], N = n->i[4], K = n->i[5];
    const float *dC = an_grad_of(n), *A = an_f32(a), *B = an_f32(b);
    float beta_a, beta_b, *dA = an_grad_write(a, &beta_a), *dB = an_grad_write(b, &beta_b);
    if ((!dA && a->requires_grad) || (!dB && b->requires_grad))
        return AN_ENOMEM;
    an_code code = AN_OK;
    if (dA)
        code = ta ? an_k_gemm_batch(tb, true, G, K, M, N, B, dC, beta_a, dA)
                  : an_k_gemm_batch(false, !tb, G, M, K, N, dC, B, beta_a, dA);
    if (dB && code == AN_OK)
        code = tb ? an_k_gemm_batch(true, ta, G, N, K, M, dC, A, beta_b, dB)
                  : an_k_gemm_batch(!ta, false, G, K, N, M, A, dC, beta_b, dB);
    return code;
}

static an_code matmul_shapes(const an_tensor *a, const an_tensor *b, bool ta, bool tb)
{
    if (a->dtype != AN_F32 || b->dtype != AN_F32)
        return an_fail(AN_EINVAL, "matmul: requires float32 tensors");
    bool batched = a->ndim == 3 && b->ndim == 3 && a->shape[0] == b->shape[0];
    if (!batched && !(a->ndim == 2 && b->ndim == 2))
        return an_fail(AN_EINVAL,
                       "matmul: %s and %s are not two matrices, nor two batches of "
                       "as many matrices",
                       an_shape_text(a), an_shape_text(b));
    if (an_dim(a, ta ? -2 : -1) != an_dim(b, tb ? -1 : -2))
        return an_fail(AN_EINVAL, "matmul: the inner sizes of %s%s and %s%s differ",
                       an_shape_text(a), ta ? " transposed" : "", an_shape_text(b),
                       tb ? " transposed" : "");
    return AN_OK;
}

an_tensor *an_matmul(an_tensor *a, an_tensor *b, bool ta, bool tb)
{
    a = an_contiguous(a);
    b = an_contiguous(b);
    if (!a || !b || matmul_shapes(a, b, ta, tb))
        return NULL;
    int64_t G = a->ndim == 3 ? a->shape[0] : 1;
    int64_t M = an_dim(a, ta ? -1 : -2), K = an_dim(a, ta ? -2 : -1), N = an_dim(b, tb ? -2 : -1);
    an_tensor *c = a->ndim == 3 ? an_tensor_new(AN_F32, 3, (int64_t[]){G, M, N})
                                : an_tensor_new(AN_F32, 2, (int64_t[]){M, N});
    if (!c || an_k_gemm_batch(ta, tb, G, M, N, K, an_f32(a), an_f32(b), 0, an_f32(c)))
        return NULL;
    if (an_requires_grad(a) || an_requires_grad(b)) {
        an_node *n = an_record(c, matmul_backward, 2, (an_tensor *[]){a, b});
        if (!n)
            return NULL;
        int64_t sizes[] = {ta, tb, G, M, N, K};
        for (int i = 0; i < 6; i++)
            n->i[i] = sizes[i];
        an_unread(n, AN_OUT);
    }
    return c;
}

/* ── y = x·wᵀ + b ─────────────────────────────────────────────────────────────────── */

static an_code linear_backward(an_node *n)
{
    an_tensor *x = n->in[0], *w = n->in[1], *b = n->in[2];
    const float *dy = an_grad_of(n);
    an_linear_grads d;
    d.dx = an_grad_write(x, &d.beta_x);
    d.dw = an_grad_write(w, &d.beta_w);
    d.db = an_grad_into(b);
    if ((!d.dx && x->requires_grad) || (!d.dw && w->requires_grad) ||
        (!d.db && b && b->requires_grad))
        return AN_ENOMEM;
    an_linear_shape s = {n->i[0], w->shape[0], w->shape[1]};
    return an_k_linear_backward(&d, dy, an_f32(x), an_f32(w), &s);
}

static an_code linear_shapes(const an_tensor *x, const an_tensor *w, const an_tensor *b)
{
    if (an_expect(w, "linear: w", AN_F32, 2) || (b && an_expect(b, "linear: b", AN_F32, 1)))
        return AN_EINVAL;
    if (an_numel(w) < 1)
        return an_fail(AN_EINVAL, "linear: w %s has no element", an_shape_text(w));
    if (x->dtype != AN_F32 || x->ndim < 1 || an_dim(x, -1) != w->shape[1])
        return an_fail(AN_EINVAL, "linear: x %s does not end in the %lld inputs of w %s",
                       an_shape_text(x), (long long)w->shape[1], an_shape_text(w));
    if (b && b->shape[0] != w->shape[0])
        return an_fail(AN_EINVAL, "linear: b %s does not fit the outputs of w %s", an_shape_text(b),
                       an_shape_text(w));
    return AN_OK;
}

an_tensor *an_linear(an_tensor *x, an_tensor *w, an_tensor *b)
{
    bool biased = b != NULL;
    x = an_contiguous(x);
    w = an_contiguous(w);
    b = an_contiguous(b);
    if (!x || !w || (biased && !b) || linear_shapes(x, w, b))
        return NULL;
    int64_t out = w->shape[0], in = w->shape[1], shape[AN_MAX_DIMS], rows = 1;
    for (int d = 0; d < x->ndim - 1; d++) {
        shape[d] = x->shape[d];
        rows *= shape[d];
    }
    shape[x->ndim - 1] = out;
    an_tensor *y = an_tensor_new(AN_F32, x->ndim, shape);
    if (!y || an_k_linear_forward(an_f32(y), an_f32(x), an_f32(w), b ? an_f32(b) : NULL,
                                  &(an_linear_shape){rows, out, in}))
        return NULL;
    if (an_requires_grad(x) || an_requires_grad(w) || an_requires_grad(b)) {
        an_node *n = an_record(y, linear_backward, 3, (an_tensor *[]){x, w, b});
        if (!n)
            return NULL;
        n->i[0] = rows;
        an_unread(n, AN_IN(2) | AN_OUT);
    }
    return y;
}

/* ── convolution ──────────────────────────────────────────────────────────────────── */

static an_conv_shape conv_sizes(const an_tensor *x, const an_tensor *w, int64_t stride, int64_t pad,
                                const an_cut *cut)
{
    an_conv_shape s = an_k_conv_shape(x->shape[0], x->shape[1], x->shape[2], x->shape[3],
                                      w->shape[0], w->shape[2], w->shape[3], stride, pad);
    s.narrow = x->dtype == AN_BF16;
    if (cut->batch > 0)
        s.batch = cut->batch;
    return s;
}

static an_code conv_backward(an_node *n)
{
    an_tensor *x = n->in[0], *w = n->in[1], *b = n->in[2];
    an_cut cut = an_cut_recorded(n, 2);
    an_conv_shape s = conv_sizes(x, w, n->i[0], n->i[1], &cut);
    const void *dy = an_grad_of(n);
    void *dx;
    float beta, *dw = an_grad_into(w), *db = an_grad_into(b);
    dx = an_grad_write(x, &beta);
    if ((!dx && x->requires_grad) || (!dw && w->requires_grad) || (!db && b && b->requires_grad))
        return AN_ENOMEM;
    an_conv_cut sum;
    an_code code = dw && cut.grain ? an_k_conv_cut_start(&sum, dy, an_data(x), &s, &cut) : AN_OK;
    if (code)
        return code;
    if (dx)
        code = an_k_conv_backward_data(dx, dy, an_f32(w), beta, &s);
    if (dw && cut.grain)
        an_k_conv_cut_finish(&sum, dw);
    else if (dw && code == AN_OK)
        code = an_k_conv_backward_weight(dw, dy, an_data(x), &s);
    if (db && code == AN_OK)
        code = an_k_bias_backward(db, dy, s.B * s.Ho * s.Wo, s.O);
    return code;
}

static an_code conv_shapes(const an_tensor *x, const an_tensor *w, const an_tensor *b, int stride,
                           int pad)
{
    if (an_expect(x, "conv2d: x", x->dtype == AN_BF16 ? AN_BF16 : AN_F32, 4) ||
        an_expect(w, "conv2d: w", AN_F32, 4) || (b && an_expect(b, "conv2d: b", AN_F32, 1)))
        return AN_EINVAL;
    if (stride < 1 || pad < 0)
        return an_fail(AN_EINVAL, "conv2d: stride %d must be at least 1 and pad %d at least 0",
                       stride, pad);
    if (x->shape[3] != w->shape[1])
        return an_fail(AN_EINVAL, "conv2d: x %s (B,H,W,C) and w %s (O,C,kh,kw) differ in C",
                       an_shape_text(x), an_shape_text(w));
    if (b && b->shape[0] != w->shape[0])
        return an_fail(AN_EINVAL, "conv2d: b %s does not fit the outputs of w %s (O,C,kh,kw)",
                       an_shape_text(b), an_shape_text(w));
    const int64_t H = x->shape[1] + 2 * (int64_t)pad, W = x->shape[2] + 2 * (int64_t)pad;
    int64_t padded;
    if (!an_multiply(H, W, &padded) || !an_multiply(padded, an_max(x->shape[3], 1), &padded) ||
        padded > AN_COUNT_MAX)
        return an_fail(AN_EINVAL,
                       "conv2d: an image of x %s with pad %d has more than %lld elements",
                       an_shape_text(x), pad, (long long)AN_COUNT_MAX);
    an_conv_shape s = conv_sizes(x, w, stride, pad, &(an_cut){0});
    if (s.Ho < 1 || s.Wo < 1)
        return an_fail(AN_EINVAL, "conv2d: the kernels of w %s are larger than x %s with pad %d",
                       an_shape_text(w), an_shape_text(x), pad);
    if (s.narrow && (b || !an_k_conv_narrow_fits(&s, x->requires_grad)))
        return an_fail(AN_EINVAL,
                       "conv2d: bfloat16 requires multiples of 16 channels, a stride of at "
                       "most 4 and no b; x %s, w %s, stride %d",
                       an_shape_text(x), an_shape_text(w), stride);
    return AN_OK;
}

an_tensor *an_conv2d(an_tensor *x, an_tensor *w, an_tensor *b, int stride, int pad)
{
    bool biased = b != NULL;
    x = an_contiguous(x);
    w = an_contiguous(w);
    b = an_contiguous(b);
    if (!x || !w || (biased && !b) || conv_shapes(x, w, b, stride, pad))
        return NULL;
    an_cut cut = an_cut_now();
    an_conv_shape s = conv_sizes(x, w, stride, pad, &cut);
    an_tensor *y = an_tensor_new(x->dtype, 4, (int64_t[]){s.B, s.Ho, s.Wo, s.O});
    if (!y || an_k_conv_forward(an_data(y), an_data(x), an_f32(w), b ? an_f32(b) : NULL, &s))
        return NULL;
    if (an_requires_grad(x) || an_requires_grad(w) || an_requires_grad(b)) {
        an_node *n = an_record(y, conv_backward, 3, (an_tensor *[]){x, w, b});
        if (!n)
            return NULL;
        n->i[0] = stride;
        n->i[1] = pad;
        an_cut_record(n, 2);
        an_unread(n, AN_IN(2) | AN_OUT);
    }
    return y;
}
