/* batch_norm: batch normalisation of x (N,C), rows by features, fused with the residual addition
 * and the ReLU that follow in a residual block (Ioffe & Szegedy, 1502.03167, algorithm 1).
 *
 * Sums over rows are chunked (kernel/common/row_sums.h), so the result does not depend on the
 * number of threads. N ≥ 0, C ≥ 1. [opt] marks a pointer that may be NULL.
 *
 * x, y, the residual and their gradients are float32, or bf16 if `narrow`, with C ≤ AN_NORM_NARROW:
 * blocks of rows are widened in the L1 cache, so that the same loops compute them in float32, and
 * results are rounded once. */
#ifndef AN_KERNEL_NORM_BATCH_NORM_H
#define AN_KERNEL_NORM_BATCH_NORM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ranks/cut.h"

enum { AN_NORM_NARROW = 2048 };

/* mean (C) and var (C), biased, of the N ≥ 1 rows of x (N,C); with a cut [opt], of the whole batch,
 * of which x holds this rank's images. AN_ENOMEM. */
an_code an_k_batch_moments(double *mean, double *var, const void *x, bool narrow, int64_t N,
                           int64_t C, const an_cut *cut);
/* The rows of the whole batch if N of them are on this rank by a cut [opt]. */
int64_t an_norm_rows(int64_t N, const an_cut *cut);

/* y (N,C) = relu?(gamma·(x − mean)·rstd + beta + residual) with rstd = 1/√(var + eps);
 * mean, rstd, gamma, beta (C), residual (N,C) [opt]. A NaN stays a NaN. AN_ENOMEM. */
an_code an_k_batch_norm_forward(void *y, const void *x, const void *residual, bool narrow,
                                const float *mean, const float *rstd, const float *gamma,
                                const float *beta, bool relu, int64_t N, int64_t C);

typedef struct {
    void *dx, *dresidual;        /* (N,C) [opt], apart from x; one of them may be dy, with
                                    beta 0. Where x is its own residual they are one array,
                                    with beta_x 1                                            */
    float beta_x, beta_residual; /* 0: overwritten without being read, 1: added to           */
    float *dgamma, *dbeta;       /* (C) [opt], added to                                      */
} an_batch_norm_grads;

/* What the backward pass reads from the forward pass. */
typedef struct {
    const float *mean, *rstd, *gamma, *beta; /* (C), the arguments of the forward pass          */
    const void *y; /* (N,C), the result. Read only with a ReLU; NULL: the sign of the result is
                       computed again from x, which is right without a residual             */
    bool relu;
    bool narrow;
    bool train; /* mean and rstd are the moments of this batch (N ≥ 1), not constants          */
    const an_cut *cut; /* [opt] dy and x are this rank's images of a batch of N rows in all      */
} an_batch_norm_saved;

/* With g = dy where y > 0 (all of dy without relu) and x̂ = (x − mean)·rstd:
 * dgamma += Σ g·x̂, dbeta += Σ g, dresidual = g + …,
 * dx = gamma·rstd·(g − Σg/N − x̂·Σ(g·x̂)/N) + …; without `train` the moments are constants and
 * dx = gamma·rstd·g + …  dy and x (N,C). Reads dy and x twice. AN_ENOMEM. */
an_code an_k_batch_norm_backward(an_batch_norm_grads d, const void *dy, const void *x,
                                 const an_batch_norm_saved *saved, int64_t N, int64_t C);

#endif
