/* rules_adaptive_norm: adaptive layer norm and the gated residual of a transformer block, whose
 * shift, scale and gate are columns of one tensor computed from a condition
 * (kernel/norm/adaptive_norm.h). */
#include "grad/ops.h"
#include "grad/tape.h"
#include "kernel/norm/adaptive_norm.h"
#include "kernel/pointwise/reduce.h"

enum { X, V, Y };    /* inputs; Y of gated_join only */
enum { MEAN, RSTD }; /* saved by adaptive_norm */

static an_conditions conditions(const an_tensor *x, const an_tensor *v)
{
    int64_t C = an_dim(x, -1), groups = v->shape[0];
    return (an_conditions){
        .groups = groups, .rows = an_numel(x) / C / groups, .C = C, .stride = v->shape[1]};
}

static an_code check(const char *what, const an_tensor *x, const an_tensor *v, int64_t at,
                     int64_t vectors)
{
    if (x->dtype != AN_F32 || x->ndim < 1 || an_numel(x) < 1)
        return an_fail(AN_EINVAL, "%s: requires rows of float32 features, got %s", what,
                       an_shape_text(x));
    if (an_expect(v, what, AN_F32, 2))
        return AN_EINVAL;
    int64_t C = an_dim(x, -1);
    if (v->shape[0] < 1 || an_numel(x) / C % v->shape[0] != 0)
        return an_fail(AN_EINVAL, "%s: the %lld conditions do not divide the rows of x %s", what,
                       (long long)v->shape[0], an_shape_text(x));
    if (at < 0 || at + vectors * C > v->shape[1])
        return an_fail(AN_EINVAL, "%s: columns %lld to %lld are not within v %s", what,
                       (long long)at, (long long)(at + vectors * C), an_shape_text(v));
    return AN_OK;
}

static an_code adaptive_norm_backward(an_node *n)
{
    an_tensor *x = n->in[X], *v = n->in[V];
    int64_t at = n->i[0], C = an_dim(x, -1);
    an_conditions s = conditions(x, v);
    float beta, *dx = an_grad_write(x, &beta), *dv = an_grad_into(v);
    if ((!dx && x->requires_grad) || (!dv && v->requires_grad))
        return AN_ENOMEM;
    an_k_adaptive_norm_backward(dx, beta, dv ? dv + at + C : NULL, dv ? dv + at : NULL,
                                an_grad_of(n), an_f32(x), an_f32(n->saved[MEAN]),
                                an_f32(n->saved[RSTD]), an_f32(v) + at + C, &s);
    return AN_OK;
}

an_tensor *an_adaptive_norm(an_tensor *x, an_tensor *v, int64_t at, double eps)
{
    x = an_contiguous(x);
    v = an_contiguous(v);
    if (!x || !v || check("adaptive_norm", x, v, at, 2))
        return NULL;
    an_conditions s = conditions(x, v);
    int64_t rows = s.groups * s.rows;
    an_tensor *u = an_tensor_like(x);
    an_tensor *mean = an_tensor_new(AN_F32, 1, &rows), *rstd = an_tensor_new(AN_F32, 1, &rows);
    if (!u || !mean || !rstd)
        return NULL;
    an_k_adaptive_norm_forward(an_f32(u), an_f32(mean), an_f32(rstd), an_f32(x),
                               an_f32(v) + at + s.C, an_f32(v) + at, eps, &s);
    if (an_requires_grad(x) || an_requires_grad(v)) {
        an_node *n = an_record(u, adaptive_norm_backward, 2, (an_tensor *[]){x, v});
        if (!n)
            return NULL;
        an_save(n, MEAN, mean);
        an_save(n, RSTD, rstd);
        n->i[0] = at;
        an_unread(n, AN_OUT);
    }
    return u;
}

/* The gradient of z becomes that of x where x has none yet. */
static an_code gated_join_backward(an_node *n)
{
    an_tensor *x = n->in[X], *v = n->in[V], *y = n->in[Y];
    int64_t at = n->i[0];
    const float *dz = an_grad_of(n);
    an_conditions s = conditions(y, v);
    float beta_y, beta_x, *dy = an_grad_write(y, &beta_y), *dv = an_grad_into(v);
    if ((!dy && y->requires_grad) || (!dv && v->requires_grad))
        return AN_ENOMEM;
    an_k_gated_residual_backward(dy, beta_y, dv ? dv + at : NULL, dz, an_f32(y), an_f32(v) + at,
                                 &s);
    float *dx = an_grad_over(n, x, &beta_x);
    if (!dx && x->requires_grad)
        return AN_ENOMEM;
    if (dx)
        an_k_accumulate(dx, dz, an_numel(x), 1, beta_x);
    return AN_OK;
}

an_tensor *an_gated_join(an_tensor *x, an_tensor *y, an_tensor *v, int64_t at)
{
    x = an_contiguous(x);
    y = an_contiguous(y);
    v = an_contiguous(v);
    if (!x || !y || !v || check("gated_join", x, v, at, 1))
        return NULL;
    if (y->dtype != AN_F32 || !an_same_shape(x, y))
        return an_fail(AN_EINVAL, "gated_join: y %s must be float32 of the shape of x %s",
                       an_shape_text(y), an_shape_text(x)),
               NULL;
    an_conditions s = conditions(x, v);
    an_tensor *z = an_tensor_like(x);
    if (!z)
        return NULL;
    an_k_gated_residual_forward(an_f32(z), an_f32(x), an_f32(y), an_f32(v) + at, &s);
    if (an_requires_grad(x) || an_requires_grad(y) || an_requires_grad(v)) {
        an_node *n = an_record(z, gated_join_backward, 3, (an_tensor *[]){x, v, y});
        if (!n)
            return NULL;
        n->i[0] = at;
        an_unread(n, AN_IN(X) | AN_OUT);
    }
    return z;
}
