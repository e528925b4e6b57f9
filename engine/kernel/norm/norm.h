/* norm: batch and layer normalisation of x (N,C), rows by features.
 *
 * Sums over rows are chunked (kernel/common/row_sums.h): the bits do not depend on the threads.
 * Backward functions add to d…; a pointer marked [opt] may be NULL. */
#ifndef AN_KERNEL_NORM_NORM_H
#define AN_KERNEL_NORM_NORM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* mean (C) and var (C), biased, of the N rows of x (N,C). AN_ENOMEM. */
an_code an_k_batch_moments(double *mean, double *var, const float *x, int64_t N, int64_t C);

/* Ioffe & Szegedy, 1502.03167, algorithm 1, with what follows it in a residual block:
 * y (N,C) = relu?(gamma·(x − mean)·rstd + beta + residual), rstd = 1/√(var + eps);
 * mean, rstd, gamma, beta (C), residual (N,C) [opt]. AN_ENOMEM. */
an_code an_k_batch_norm_forward(float *y, const float *x, const float *residual, const float *mean,
                                const float *rstd, const float *gamma, const float *beta, bool relu,
                                int64_t N, int64_t C);

typedef struct {
    float *dx, *dresidual;       /* (N,C) [opt]; either may be dy itself, with beta 0     */
    float beta_x, beta_residual; /* 0: overwritten without being read, 1: added to        */
    float *dgamma, *dbeta;       /* (C) [opt], added to                                   */
} an_batch_norm_grads;

typedef struct {
    const float *mean, *rstd, *gamma, *beta; /* (C) as in the forward pass                   */
    const float *y; /* (N,C), the forward's result; NULL where it can be made again from x:
                       without a residual, or without ReLU                                */
    bool relu, train;
} an_batch_norm_past;

/* With g = dy where y > 0 (all of dy without relu) and x̂ = (x − mean)·rstd:
 * dgamma += Σ g·x̂, dbeta += Σ g, dresidual = g + …,
 * dx = gamma·rstd·(g − Σg/N − x̂·Σ(g·x̂)/N) + …; without `train` the moments are constants and
 * dx = gamma·rstd·g + …  dy and x (N,C). AN_ENOMEM. */
an_code an_k_batch_norm_backward(an_batch_norm_grads d, const float *dy, const float *x,
                                 const an_batch_norm_past *was, int64_t N, int64_t C);

/* Ba et al., 1607.06450, eq. 4, over the C features of each row:
 * y (N,C) = gamma·(x − mean)·rstd + beta; keeps mean and rstd (N); gamma, beta (C) [opt]. */
void an_k_layer_norm_forward(float *y, float *mean, float *rstd, const float *x, const float *gamma,
                             const float *beta, double eps, int64_t N, int64_t C);

/* dx (N,C) = its gradient + beta·dx with beta 0 or 1; dgamma, dbeta (C) += theirs; each [opt]. dx
 * may be dy where beta is 0. AN_ENOMEM. */
an_code an_k_layer_norm_backward(float *dx, float beta, float *dgamma, float *dbeta,
                                 const float *dy, const float *x, const float *mean,
                                 const float *rstd, const float *gamma, int64_t N, int64_t C);

#endif
