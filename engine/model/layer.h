/* layer: the smallest parts of a network: the parameters of one operation each.
 *
 * A layer is a plain value with pointers to tensors that the module owns: it is valid as long as
 * the module. …_new() declares `name`.weight and so on, with PyTorch's names, layouts and initial
 * values, in a module that is not sealed yet; a failure is reported by the module
 * (an_module_failed), and the tensors are NULL. …_apply() is one operation of grad/ops.h: NULL
 * after a failure or for a NULL operand. All sizes are ≥ 1. */
#ifndef AN_MODEL_LAYER_H
#define AN_MODEL_LAYER_H

#include "model/module.h"

/* y = x Wᵀ + b: weight (out, in), bias (out). nn.Linear. */
typedef struct {
    an_tensor *weight, *bias; /* bias may be NULL */
} an_dense;

an_dense an_dense_new(an_module *m, const char *name, int64_t in, int64_t out);
an_dense an_dense_no_bias(an_module *m, const char *name, int64_t in, int64_t out);
an_dense an_dense_zero(an_module *m, const char *name, int64_t in, int64_t out); /* W, b = 0 */
an_tensor *an_dense_apply(const an_dense *l, an_tensor *x); /* (…, in) → (…, out) */
/* Cosines of x (…, in) with the rows of the weight; the bias must be NULL → (…, out) in −1 … 1. */
an_tensor *an_dense_cosine(const an_dense *l, an_tensor *x);
/* Each row of the last dimension divided by √(‖row‖² + 1e-12). */
an_tensor *an_unit_rows(an_tensor *x);

/* Convolution without bias (a normalisation follows): weight (out, in, size, size), size odd,
 * padded by (size − 1)/2. nn.Conv2d(bias=False), initialised by an_init_fan_out(). */
typedef struct {
    an_tensor *weight;
    int stride, pad;
} an_conv;

an_conv an_conv_new(an_module *m, const char *name, int64_t in, int64_t out, int size, int stride);
an_tensor *an_conv_apply(const an_conv *l, an_tensor *x); /* (B,H,W,in) → (B,H',W',out) */

/* Batch normalisation over all but the last dimension, eps AN_BN_EPS, momentum 0.1: weight,
 * bias, running_mean, running_var. nn.BatchNorm1d/2d. */
#define AN_BN_EPS 1e-5 /* PyTorch's default */

typedef struct {
    an_module *module; /* whose training flag selects the moments          */
    int64_t entry;     /* of its weight: if that is frozen, the moments are fixed */
    an_tensor *weight, *bias, *running_mean, *running_var;
} an_bn;

an_bn an_bn_new(an_module *m, const char *name, int64_t channels);
/* relu?(bn(x) + residual); residual may be NULL. */
an_tensor *an_bn_apply(const an_bn *l, an_tensor *x, an_tensor *residual, bool relu);

/* Layer normalisation of the last dimension, eps 1e-5. nn.LayerNorm. */
typedef struct {
    an_tensor *weight, *bias;
} an_ln;

an_ln an_ln_new(an_module *m, const char *name, int64_t width);
an_tensor *an_ln_apply(const an_ln *l, an_tensor *x);

#endif
