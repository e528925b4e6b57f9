/* rules_norm: batch and layer normalisation. Both save the mean and 1/√(var + eps) that
 * they normalised with; batch norm recovers the ReLU's mask from its input or, where a
 * residual was added, from its output. */
#include <math.h>

#include "grad/cut_node.h"
#include "grad/ops.h"
#include "grad/tape.h"
#include "kernel/common/carve.h"
#include "kernel/norm/batch_norm.h"
#include "kernel/norm/layer_norm.h"

static an_code feature_vector(const an_tensor *v, const char *what, int64_t C)
{
    if (an_expect(v, what, AN_F32, 1))
        return AN_EINVAL;
    if (v->shape[0] != C)
        return an_fail(AN_EINVAL, "%s: expected (%lld), got %s", what, (long long)C,
                       an_shape_text(v));
    return AN_OK;
}

static an_code feature_rows(const an_tensor *x, const char *what, an_dtype dtype, int least)
{
    if (x->dtype != dtype || x->ndim < least || an_dim(x, -1) < 1)
        return an_fail(AN_EINVAL,
                       "%s: x %s must be float32 with at least %d dimensions, the "
                       "last being features",
                       what, an_shape_text(x), least);
    return AN_OK;
}

/* ── batch normalisation ──────────────────────────────────────────────────────────── */

enum { MEAN, RSTD };               /* what both rules save    */
enum { X, RESIDUAL, GAMMA, BETA }; /* the inputs of batch norm */

/* The output's gradient becomes that of the residual or else that of x, if these have none yet. */
static an_code batch_norm_backward(an_node *n)
{
    const an_tensor *x = n->in[X];
    const void *dy = an_grad_of(n);
    int64_t C = an_dim(x, -1);
    an_batch_norm_grads d;
    d.dresidual = an_grad_over(n, n->in[RESIDUAL], &d.beta_residual);
    d.dx = an_grad_over(n, n->in[X], &d.beta_x);
    d.dgamma = an_grad_into(n->in[GAMMA]);
    d.dbeta = an_grad_into(n->in[BETA]);
    const void *got[] = {d.dx, d.dresidual, d.dgamma, d.dbeta};
    for (int i = X; i <= BETA; i++)
        if (!got[i] && n->in[i] && n->in[i]->requires_grad)
            return AN_ENOMEM;
    bool relu = n->i[0], added = n->in[RESIDUAL] != NULL;
    an_cut cut = an_cut_recorded(n, 2);
    an_batch_norm_saved saved = {an_f32(n->saved[MEAN]),
                                 an_f32(n->saved[RSTD]),
                                 an_f32(n->in[GAMMA]),
                                 an_f32(n->in[BETA]),
                                 relu && added ? an_data(n->out) : NULL,
                                 relu,
                                 x->dtype == AN_BF16,
                                 n->i[1],
                                 &cut};
    return an_k_batch_norm_backward(d, dy, an_data(x), &saved, an_numel(x) / C, C);
}

static an_code batch_norm_shapes(const an_tensor *x, const an_tensor *residual,
                                 const an_batch_norm_args *args)
{
    const bool narrow = x->dtype == AN_BF16;
    if (feature_rows(x, "batch_norm", narrow ? AN_BF16 : AN_F32, 2))
        return AN_EINVAL;
    int64_t C = an_dim(x, -1);
    if (narrow && C > AN_NORM_NARROW)
        return an_fail(AN_EINVAL, "batch_norm: bfloat16 x %s has more than %d features",
                       an_shape_text(x), AN_NORM_NARROW);
    if (feature_vector(args->gamma, "batch_norm: gamma", C) ||
        feature_vector(args->beta, "batch_norm: beta", C) ||
        feature_vector(args->running_mean, "batch_norm: running_mean", C) ||
        feature_vector(args->running_var, "batch_norm: running_var", C))
        return AN_EINVAL;
    if (residual && (residual->dtype != x->dtype || !an_same_shape(x, residual)))
        return an_fail(AN_EINVAL,
                       "batch_norm: the residual %s must have the dtype and the shape of "
                       "x %s",
                       an_shape_text(residual), an_shape_text(x));
    if (!an_is_contiguous(args->running_mean) || !an_is_contiguous(args->running_var))
        return an_fail(AN_EINVAL, "batch_norm: the running moments must be contiguous");
    const an_cut cut = an_cut_now();
    if (args->train && an_norm_rows(an_numel(x) / C, &cut) < 2)
        return an_fail(AN_EINVAL,
                       "batch_norm: x %s has fewer than two values per feature to "
                       "train on; use a larger batch",
                       an_shape_text(x));
    return AN_OK;
}

static void update(float *running, double batch, double momentum)
{
    *running = (float)((1 - momentum) * (double)*running + momentum * batch);
}

/* The moments of this batch; also moves the running moments towards them, once. */
static an_code moments_of_batch(float *mean, float *rstd, const an_tensor *x,
                                const an_batch_norm_args *args)
{
    an_cut cut = an_cut_now();
    int64_t C = an_dim(x, -1), own = an_numel(x) / C, N = an_norm_rows(own, &cut);
    an_carve scratch = {0};
    an_carve_part means = an_carve_shared(&scratch, C, sizeof(double));
    an_carve_part variances = an_carve_shared(&scratch, C, sizeof(double));
    if (an_carve_take(&scratch))
        return AN_ENOMEM;
    double *m = an_carve_at(&scratch, means), *v = an_carve_at(&scratch, variances);
    an_code code = an_k_batch_moments(m, v, an_data(x), x->dtype == AN_BF16, own, C, &cut);
    for (int64_t c = 0; c < C && code == AN_OK; c++) {
        mean[c] = (float)m[c];
        rstd[c] = (float)(1 / sqrt(v[c] + args->eps));
        if (an_is_repeating())
            continue;
        update(an_f32(args->running_mean) + c, m[c], args->momentum);
        update(an_f32(args->running_var) + c, v[c] * (double)N / (double)(N - 1), args->momentum);
    }
    an_carve_release(&scratch);
    return code;
}

static an_code running_moments(float *mean, float *rstd, const an_batch_norm_args *args)
{
    const float *m = an_f32(args->running_mean), *v = an_f32(args->running_var);
    for (int64_t c = 0; c < an_numel(args->running_mean); c++) {
        mean[c] = m[c];
        rstd[c] = (float)(1 / sqrt((double)v[c] + args->eps));
    }
    return AN_OK;
}

/* eps keeps a constant row finite. */
static an_code check_eps(const char *what, double eps)
{
    return eps > 0 && eps < INFINITY
               ? AN_OK
               : an_fail(AN_EINVAL, "%s: eps = %g: expected a finite number above 0", what, eps);
}

an_tensor *an_batch_norm(an_tensor *x, an_tensor *residual, const an_batch_norm_args *args)
{
    an_tensor *gamma = an_contiguous(args->gamma), *beta = an_contiguous(args->beta);
    bool added = residual != NULL;
    x = an_contiguous(x);
    residual = an_contiguous(residual);
    if (!x || (added && !residual) || !gamma || !beta || !args->running_mean ||
        !args->running_var || batch_norm_shapes(x, residual, args) ||
        check_eps("batch_norm", args->eps))
        return NULL;
    int64_t C = an_dim(x, -1);
    an_tensor *y = an_tensor_like(x);
    an_tensor *mean = an_tensor_new(AN_F32, 1, &C), *rstd = an_tensor_new(AN_F32, 1, &C);
    if (!y || !mean || !rstd ||
        (args->train ? moments_of_batch(an_f32(mean), an_f32(rstd), x, args)
                     : running_moments(an_f32(mean), an_f32(rstd), args)))
        return NULL;
    if (an_k_batch_norm_forward(an_data(y), an_data(x), residual ? an_data(residual) : NULL,
                                x->dtype == AN_BF16, an_f32(mean), an_f32(rstd), an_f32(gamma),
                                an_f32(beta), args->relu, an_numel(x) / C, C))
        return NULL;
    if (an_requires_grad(x) || an_requires_grad(residual) || an_requires_grad(gamma) ||
        an_requires_grad(beta)) {
        an_node *n =
            an_record(y, batch_norm_backward, 4, (an_tensor *[]){x, residual, gamma, beta});
        if (!n)
            return NULL;
        an_save(n, MEAN, mean);
        an_save(n, RSTD, rstd);
        n->i[0] = args->relu;
        n->i[1] = args->train;
        an_cut_record(n, 2);
        an_unread(n, AN_IN(RESIDUAL) | (args->relu && residual ? 0 : AN_OUT));
    }
    return y;
}

/* ── layer normalisation ──────────────────────────────────────────────────────────── */

static an_code layer_norm_backward(an_node *n)
{
    an_tensor *x = n->in[0], *gamma = n->in[1], *beta = n->in[2];
    const float *dy = an_grad_of(n);
    float *dgamma = an_grad_into(gamma), *dbeta = an_grad_into(beta), keep;
    /* a row is written only after all of it is read */
    float *dx = an_grad_over(n, x, &keep);
    if ((!dx && x->requires_grad) || (!dgamma && gamma && gamma->requires_grad) ||
        (!dbeta && beta && beta->requires_grad))
        return AN_ENOMEM;
    int64_t C = an_dim(x, -1);
    return an_k_layer_norm_backward(dx, keep, dgamma, dbeta, dy, an_f32(x), an_f32(n->saved[MEAN]),
                                    an_f32(n->saved[RSTD]), gamma ? an_f32(gamma) : NULL,
                                    an_numel(x) / C, C);
}

an_tensor *an_layer_norm(an_tensor *x, an_tensor *gamma, an_tensor *beta, double eps)
{
    bool scaled = gamma != NULL, shifted = beta != NULL;
    x = an_contiguous(x);
    gamma = an_contiguous(gamma);
    beta = an_contiguous(beta);
    if (!x || (scaled && !gamma) || (shifted && !beta) ||
        feature_rows(x, "layer_norm", AN_F32, 1) || check_eps("layer_norm", eps))
        return NULL;
    int64_t C = an_dim(x, -1), N = an_numel(x) / C;
    if ((gamma && feature_vector(gamma, "layer_norm: gamma", C)) ||
        (beta && feature_vector(beta, "layer_norm: beta", C)))
        return NULL;
    an_tensor *y = an_tensor_like(x);
    an_tensor *mean = an_tensor_new(AN_F32, 1, &N), *rstd = an_tensor_new(AN_F32, 1, &N);
    if (!y || !mean || !rstd)
        return NULL;
    an_k_layer_norm_forward(an_f32(y), an_f32(mean), an_f32(rstd), an_f32(x),
                            gamma ? an_f32(gamma) : NULL, beta ? an_f32(beta) : NULL, eps, N, C);
    if (an_requires_grad(x) || an_requires_grad(gamma) || an_requires_grad(beta)) {
        an_node *n = an_record(y, layer_norm_backward, 3, (an_tensor *[]){x, gamma, beta});
        if (!n)
            return NULL;
        an_save(n, MEAN, mean);
        an_save(n, RSTD, rstd);
        an_unread(n, AN_IN(2) | AN_OUT);
    }
    return y;
}
