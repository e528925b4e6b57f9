/* rules_diffusion: the forward process and the reading of a prediction, with their gradients
 * (METHOD §1, §2), by the formulas of kernel/pointwise/diffusion.h. The coefficients are tensors of
 * the rows' shape, from Schedule:gather(), which a training step calls once for its three
 * operations. They require a gradient only if noise levels are learned (METHOD §3); then, and only
 * then, a node keeps what the formula read. */
#include "base/assert.h"
#include "grad/ops.h"
#include "grad/tape.h"
#include "kernel/pointwise/diffusion.h"

enum { SIGNAL, NOISE }; /* slots of an_node.saved */

static an_diffusion_at coefficients_of(const an_node *node)
{
    return (an_diffusion_at){.a = an_f32(node->saved[SIGNAL]), .s = an_f32(node->saved[NOISE])};
}

/* Makes the five tensors contiguous. Not AN_OK if one of them is NULL or not float32 (B,K) of the
 * first one's shape. */
static an_code rows_of(an_tensor *x[5], const char *const names[5])
{
    for (int i = 0; i < 5; i++) {
        x[i] = an_contiguous(x[i]);
        if (!x[i] || an_expect(x[i], names[i], AN_F32, 2))
            return AN_EINVAL;
        if (!an_same_shape(x[i], x[0]))
            return an_fail(AN_EINVAL, "%s: expected %s, got %s", names[i], an_shape_text(x[0]),
                           an_shape_text(x[i]));
    }
    return AN_OK;
}

static const char *const forward_names[] = {"y0", "m", "eps", "signal", "noise"};

/* Records the operation on in[5] = {…, signal, noise}. Without a gradient of the coefficients the
 * node keeps the first n inputs, whose elements may be freed; with one it keeps all five and their
 * elements. */
static an_node *record(an_tensor *out, an_backward_fn backward, int n, an_tensor *const in[5])
{
    const bool slopes = an_requires_grad(in[3]) || an_requires_grad(in[4]);
    an_node *node = an_record(out, backward, slopes ? 5 : n, in);
    if (!node)
        return NULL;
    an_save(node, SIGNAL, in[3]);
    an_save(node, NOISE, in[4]);
    an_unread(node, slopes ? AN_OUT : AN_IN(0) | AN_IN(1) | AN_IN(2) | AN_OUT);
    return node;
}

static bool any_requires_grad(int n, an_tensor *const in[5])
{
    for (int i = 0; i < 5; i++)
        if ((i < n || i >= 3) && an_requires_grad(in[i]))
            return true;
    return false;
}

/* Whether record() kept all five inputs. */
static bool has_slopes(const an_node *node)
{
    return node->in[4] != NULL;
}

/* Gets the buffers for the gradients of n inputs; NULL for those that require none. */
static an_code gradients(an_tensor *const in[], float *d[], int n)
{
    for (int i = 0; i < n; i++) {
        d[i] = an_grad_into(in[i]);
        if (!d[i] && in[i]->requires_grad)
            return AN_ENOMEM;
    }
    return AN_OK;
}

/* ── y_t and the target: functions of y0 and m ──────────────────────────────────── */

typedef void (*forward_kernel)(float *out, const float *y0, const float *e, an_diffusion_at at,
                               int64_t n);
typedef void (*backward_kernel)(float *dy0, float *dm, const float *dout, an_diffusion_at at,
                                int64_t n);
typedef void (*slopes_kernel)(float *da, float *ds, const float *dout, const float *y0,
                              const float *e, an_diffusion_at at, int64_t n);

/* in: y0, m, and with slopes ε, signal, noise. */
static an_code label_backward(an_node *node, backward_kernel kernel, slopes_kernel slopes)
{
    float *d[2], *of_coefficient[2];
    if (gradients(node->in, d, 2))
        return AN_ENOMEM;
    an_diffusion_at at = coefficients_of(node);
    const int64_t n = an_numel(node->out);
    kernel(d[0], d[1], an_grad_of(node), at, n);
    if (!has_slopes(node))
        return AN_OK;
    if (gradients(node->in + 3, of_coefficient, 2))
        return AN_ENOMEM;
    at.m = an_f32(node->in[1]);
    slopes(of_coefficient[0], of_coefficient[1], an_grad_of(node), an_f32(node->in[0]),
           an_f32(node->in[2]), at, n);
    return AN_OK;
}

static an_code noised_backward(an_node *node)
{
    return label_backward(node, an_k_noised_backward, an_k_noised_slopes);
}

static an_code target_v_backward(an_node *node)
{
    return label_backward(node, an_k_target_v_backward, an_k_target_v_slopes);
}

/* kernel(y0, m, ε, a, s), recorded; in: the five tensors as rows_of() leaves them. */
static an_tensor *of_label(an_tensor *const in[5], forward_kernel kernel, an_backward_fn backward)
{
    an_tensor *out = an_tensor_like(in[0]);
    if (!out)
        return NULL;
    kernel(an_f32(out), an_f32(in[0]), an_f32(in[2]),
           (an_diffusion_at){an_f32(in[3]), an_f32(in[4]), an_f32(in[1])}, an_numel(out));
    if (any_requires_grad(2, in) && !record(out, backward, 2, in))
        return NULL;
    return out;
}

an_tensor *an_noised(an_tensor *y0, an_tensor *m, an_tensor *epsilon, an_tensor *signal,
                     an_tensor *noise)
{
    an_tensor *in[] = {y0, m, epsilon, signal, noise};
    if (rows_of(in, forward_names))
        return NULL;
    return of_label(in, an_k_noised_forward, noised_backward);
}

an_tensor *an_target(an_prediction prediction, an_tensor *y0, an_tensor *m, an_tensor *epsilon,
                     an_tensor *signal, an_tensor *noise)
{
    AN_ASSERT(prediction <= AN_PREDICT_V);
    an_tensor *in[] = {y0, m, epsilon, signal, noise};
    if (rows_of(in, forward_names))
        return NULL;
    if (prediction != AN_PREDICT_V)
        return prediction == AN_PREDICT_Y0 ? in[0] : in[2];
    return of_label(in, an_k_target_v_forward, target_v_backward);
}

/* ── reading a prediction ───────────────────────────────────────────────────────── */

/* The formulas divide by a, by s or by a² + s². */
static an_code positive(const an_tensor *x, const char *what)
{
    const float *value = an_f32(x);
    for (int64_t i = 0, n = an_numel(x); i < n; i++)
        if (!(value[i] > 0))
            return an_fail(AN_EINVAL,
                           "read: row %lld has %s %g, but there is nothing to read at t = 0; pass "
                           "times of 1 and more",
                           (long long)(i / an_dim(x, 1)) + 1, what, (double)value[i]);
    return AN_OK;
}

static an_code read_backward(an_node *node)
{
    const an_reading what = (an_reading)node->i[0];
    const an_prediction p = (an_prediction)node->i[1];
    float *d[3], *of_coefficient[2];
    if (gradients(node->in, d, 3))
        return AN_ENOMEM;
    an_diffusion_at at = coefficients_of(node);
    const int64_t n = an_numel(node->out);
    an_k_read_backward(what, p, d[0], d[1], d[2], an_grad_of(node), at, n);
    if (!has_slopes(node))
        return AN_OK;
    if (gradients(node->in + 3, of_coefficient, 2))
        return AN_ENOMEM;
    at.m = an_f32(node->in[2]);
    an_k_read_slopes(what, p, of_coefficient[0], of_coefficient[1], an_grad_of(node),
                     an_f32(node->in[1]), an_f32(node->in[0]), at, n);
    return AN_OK;
}

an_tensor *an_read(an_reading what, an_prediction prediction, an_tensor *y_t, an_tensor *m,
                   an_tensor *output, an_tensor *signal, an_tensor *noise)
{
    static const char *const names[] = {"output", "y", "m", "signal", "noise"};
    AN_ASSERT(what <= AN_READ_EPSILON && prediction <= AN_PREDICT_V);
    an_tensor *in[] = {output, y_t, m, signal, noise};
    if (rows_of(in, names) || positive(in[3], "signal") || positive(in[4], "noise"))
        return NULL;
    if (what == AN_READ_EPSILON && prediction == AN_PREDICT_EPSILON)
        return in[0];
    an_tensor *r = an_tensor_like(in[0]);
    if (!r)
        return NULL;
    an_k_read_forward(what, prediction, an_f32(r), an_f32(in[1]), an_f32(in[0]),
                      (an_diffusion_at){an_f32(in[3]), an_f32(in[4]), an_f32(in[2])}, an_numel(r));
    if (any_requires_grad(3, in)) {
        an_node *node = record(r, read_backward, 3, in);
        if (!node)
            return NULL;
        node->i[0] = what;
        node->i[1] = prediction;
    }
    return r;
}
