/* rules_diffusion: the forward process and the reading of a prediction, with their gradients
 * (METHOD §1, §2). The formulas are those of kernel/pointwise/diffusion.h. The coefficients are
 * tensors of the rows' shape, as Schedule:gather() gives them, without gradient; a training step
 * makes them once and its three operations share them. */
#include "grad/ops.h"
#include "grad/tape.h"
#include "kernel/pointwise/diffusion.h"

enum { SIGNAL, NOISE }; /* slots of an_node.saved */

static an_diffusion_at coefficients_of(const an_node *node)
{
    return (an_diffusion_at){.a = an_f32(node->saved[SIGNAL]), .s = an_f32(node->saved[NOISE])};
}

/* AN_EINVAL unless x has the shape of `like` and no gradient runs into the coefficients. */
static an_code same_rows(const char *what, const an_tensor *x, const an_tensor *like)
{
    an_code code = an_expect(x, what, AN_F32, 2);
    if (code)
        return code;
    return an_same_shape(x, like) ? AN_OK
                                  : an_fail(AN_EINVAL, "%s: expected %s, got %s", what,
                                            an_shape_text(like), an_shape_text(x));
}

static an_code check_rows(an_tensor *const x[], const char *const names[], int n)
{
    for (int i = 0; i < n; i++) {
        an_code code = same_rows(names[i], x[i], x[0]);
        if (code)
            return code;
    }
    return AN_OK;
}

static an_node *record(an_tensor *out, an_backward_fn backward, int n, an_tensor *const in[],
                       an_tensor *signal, an_tensor *noise)
{
    an_node *node = an_record(out, backward, n, in);
    if (!node)
        return NULL;
    an_save(node, SIGNAL, signal);
    an_save(node, NOISE, noise);
    an_unread(node, AN_IN(0) | AN_IN(1) | AN_IN(2) | AN_OUT);
    return node;
}

/* The gradient buffers of a node's first n inputs; NULL for those that require none. */
static an_code gradients(an_node *node, float *d[], int n)
{
    for (int i = 0; i < n; i++) {
        d[i] = an_grad_into(node->in[i]);
        if (!d[i] && node->in[i]->requires_grad)
            return AN_ENOMEM;
    }
    return AN_OK;
}

/* ── y_t ────────────────────────────────────────────────────────────────────────── */

static an_code noised_backward(an_node *node)
{
    float *d[2];
    if (gradients(node, d, 2))
        return AN_ENOMEM;
    an_k_noised_backward(d[0], d[1], an_grad_of(node), coefficients_of(node), an_numel(node->out));
    return AN_OK;
}

an_tensor *an_noised(an_tensor *y0, an_tensor *m, an_tensor *epsilon, an_tensor *signal,
                     an_tensor *noise)
{
    an_tensor *in[] = {an_contiguous(y0), an_contiguous(m), an_contiguous(epsilon),
                       an_contiguous(signal), an_contiguous(noise)};
    static const char *const names[] = {"y0", "m", "eps", "signal", "noise"};
    if (!in[0] || !in[1] || !in[2] || !in[3] || !in[4] || check_rows(in, names, 5))
        return NULL;
    an_tensor *y = an_tensor_like(in[0]);
    if (!y)
        return NULL;
    an_k_noised_forward(an_f32(y), an_f32(in[0]), an_f32(in[2]),
                        (an_diffusion_at){an_f32(in[3]), an_f32(in[4]), an_f32(in[1])},
                        an_numel(y));
    if ((an_wants_grad(in[0]) || an_wants_grad(in[1])) &&
        !record(y, noised_backward, 2, in, in[3], in[4]))
        return NULL;
    return y;
}

/* ── the target ─────────────────────────────────────────────────────────────────── */

static an_code target_v_backward(an_node *node)
{
    float *d[2];
    if (gradients(node, d, 2))
        return AN_ENOMEM;
    an_k_target_v_backward(d[0], d[1], an_grad_of(node), coefficients_of(node),
                           an_numel(node->out));
    return AN_OK;
}

an_tensor *an_target(an_prediction prediction, an_tensor *y0, an_tensor *m, an_tensor *epsilon,
                     an_tensor *signal, an_tensor *noise)
{
    an_tensor *in[] = {an_contiguous(y0), an_contiguous(m), an_contiguous(epsilon),
                       an_contiguous(signal), an_contiguous(noise)};
    static const char *const names[] = {"y0", "m", "eps", "signal", "noise"};
    if (!in[0] || !in[1] || !in[2] || !in[3] || !in[4] || check_rows(in, names, 5))
        return NULL;
    if (prediction != AN_PREDICT_V)
        return prediction == AN_PREDICT_Y0 ? in[0] : in[2];
    an_tensor *x = an_tensor_like(in[0]);
    if (!x)
        return NULL;
    an_k_target_v_forward(an_f32(x), an_f32(in[0]), an_f32(in[2]),
                          (an_diffusion_at){an_f32(in[3]), an_f32(in[4]), an_f32(in[1])},
                          an_numel(x));
    if ((an_wants_grad(in[0]) || an_wants_grad(in[1])) &&
        !record(x, target_v_backward, 2, in, in[3], in[4]))
        return NULL;
    return x;
}

/* ── reading a prediction ───────────────────────────────────────────────────────── */

static an_code read_backward(an_node *node)
{
    float *d[3];
    if (gradients(node, d, 3))
        return AN_ENOMEM;
    an_k_read_backward((an_reading)node->i[0], (an_prediction)node->i[1], d[0], d[1], d[2],
                       an_grad_of(node), coefficients_of(node), an_numel(node->out));
    return AN_OK;
}

an_tensor *an_read(an_reading what, an_prediction prediction, an_tensor *y_t, an_tensor *m,
                   an_tensor *output, an_tensor *signal, an_tensor *noise)
{
    an_tensor *in[] = {an_contiguous(output), an_contiguous(y_t), an_contiguous(m),
                       an_contiguous(signal), an_contiguous(noise)};
    static const char *const names[] = {"output", "y", "m", "signal", "noise"};
    if (!in[0] || !in[1] || !in[2] || !in[3] || !in[4] || check_rows(in, names, 5))
        return NULL;
    if (what == AN_READ_EPSILON && prediction == AN_PREDICT_EPSILON)
        return in[0];
    an_tensor *r = an_tensor_like(in[0]);
    if (!r)
        return NULL;
    an_k_read_forward(what, prediction, an_f32(r), an_f32(in[1]), an_f32(in[0]),
                      (an_diffusion_at){an_f32(in[3]), an_f32(in[4]), an_f32(in[2])}, an_numel(r));
    if (an_wants_grad(in[0]) || an_wants_grad(in[1]) || an_wants_grad(in[2])) {
        an_node *node = record(r, read_backward, 3, in, in[3], in[4]);
        if (!node)
            return NULL;
        node->i[0] = what;
        node->i[1] = prediction;
    }
    return r;
}
