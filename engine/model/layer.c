/* layer: see layer.h. */
#include "model/layer.h"

#include "base/assert.h"
#include "grad/ops.h"

static const double LN_EPS = 1e-5, MOMENTUM = 0.1; /* PyTorch's defaults */

static an_tensor *part(an_module *m, const char *name, const char *what, an_init init, int64_t n)
{
    return an_module_param(m, an_name("%s.%s", name, what).text, init, 1, &n, false);
}

/* ── dense ───────────────────────────────────────────────────────────────────── */

static an_dense dense(an_module *m, const char *name, int64_t in, int64_t out, an_init init,
                      bool bias)
{
    AN_ASSERT(in >= 1 && out >= 1);
    const int64_t shape[] = {out, in};
    return (an_dense){
        .weight = an_module_param(m, an_name("%s.weight", name).text, init, 2, shape, true),
        .bias = bias ? part(m, name, "bias", init, out) : NULL,
    };
}

an_dense an_dense_new(an_module *m, const char *name, int64_t in, int64_t out)
{
    return dense(m, name, in, out, an_init_fan_in(in), true);
}

an_dense an_dense_no_bias(an_module *m, const char *name, int64_t in, int64_t out)
{
    return dense(m, name, in, out, an_init_fan_in(in), false);
}

an_dense an_dense_zero(an_module *m, const char *name, int64_t in, int64_t out)
{
    return dense(m, name, in, out, an_init_constant(0), true);
}

an_tensor *an_dense_apply(const an_dense *l, an_tensor *x)
{
    return an_linear(x, l->weight, l->bias);
}

an_tensor *an_unit_rows(an_tensor *x)
{
    an_tensor *square = an_sum(an_mul(x, x), -1, true);
    return an_div(x, an_map(an_affine(square, 1, 1e-12), AN_SQRT));
}

an_tensor *an_dense_cosine(const an_dense *l, an_tensor *x)
{
    AN_ASSERT(!l->bias);
    return an_linear(an_unit_rows(x), an_unit_rows(l->weight), NULL);
}

/* ── convolution ─────────────────────────────────────────────────────────────── */

an_conv an_conv_new(an_module *m, const char *name, int64_t in, int64_t out, int size, int stride)
{
    AN_ASSERT(in >= 1 && out >= 1 && size >= 1 && size % 2 == 1 && stride >= 1);
    const int64_t shape[] = {out, in, size, size};
    an_init init = an_init_fan_out(out * size * size);
    return (an_conv){
        .weight = an_module_param(m, an_name("%s.weight", name).text, init, 4, shape, true),
        .stride = stride,
        .pad = (size - 1) / 2,
    };
}

an_tensor *an_conv_apply(const an_conv *l, an_tensor *x)
{
    return an_conv2d(x, l->weight, NULL, l->stride, l->pad);
}

/* ── normalisation ───────────────────────────────────────────────────────────── */

an_bn an_bn_new(an_module *m, const char *name, int64_t channels)
{
    AN_ASSERT(channels >= 1);
    return (an_bn){
        .module = m,
        .entry = an_module_entries(m),
        .weight = part(m, name, "weight", an_init_constant(1), channels),
        .bias = part(m, name, "bias", an_init_constant(0), channels),
        .running_mean = an_module_buffer(m, an_name("%s.running_mean", name).text, 1, &channels, 0),
        .running_var = an_module_buffer(m, an_name("%s.running_var", name).text, 1, &channels, 1),
    };
}

an_tensor *an_bn_apply(const an_bn *l, an_tensor *x, an_tensor *residual, bool relu)
{
    an_batch_norm_args args = {
        .gamma = l->weight,
        .beta = l->bias,
        .running_mean = l->running_mean,
        .running_var = l->running_var,
        .train = an_module_training(l->module) && !an_module_entry(l->module, l->entry)->frozen,
        .relu = relu,
        .momentum = MOMENTUM,
        .eps = AN_BN_EPS,
    };
    return an_batch_norm(x, residual, &args);
}

an_ln an_ln_new(an_module *m, const char *name, int64_t width)
{
    AN_ASSERT(width >= 1);
    return (an_ln){
        .weight = part(m, name, "weight", an_init_constant(1), width),
        .bias = part(m, name, "bias", an_init_constant(0), width),
    };
}

an_tensor *an_ln_apply(const an_ln *l, an_tensor *x)
{
    return an_layer_norm(x, l->weight, l->bias, LN_EPS);
}
