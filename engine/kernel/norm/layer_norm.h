/* layer_norm: layer normalisation over the C features of each row of x (N,C) (Ba et al.,
 * 1607.06450, eq. 4). Rows are independent except for the sums dgamma and dbeta, which are chunked
 * (kernel/common/row_sums.h): the result does not depend on the number of threads. N ≥ 0, C ≥ 1.
 * [opt] marks a pointer that may be NULL. */
#ifndef AN_KERNEL_NORM_LAYER_NORM_H
#define AN_KERNEL_NORM_LAYER_NORM_H

#include <stdint.h>

#include "base/err.h"

/* y (N,C) = gamma·(x − mean)·rstd + beta with rstd = 1/√(var + eps), var the biased variance of
 * the row; gamma, beta (C) [opt], 1 and 0 where NULL. Stores mean and rstd (N) for the backward
 * pass. eps > 0. y and x do not overlap. */
void an_k_layer_norm_forward(float *y, float *mean, float *rstd, const float *x, const float *gamma,
                             const float *beta, double eps, int64_t N, int64_t C);

/* dx (N,C) [opt] = its gradient + beta·dx, beta 0 (dx is not read and may be dy) or 1;
 * dgamma, dbeta (C) [opt] += theirs. dy, x (N,C); mean, rstd (N) of the forward pass. AN_ENOMEM. */
an_code an_k_layer_norm_backward(float *dx, float beta, float *dgamma, float *dbeta,
                                 const float *dy, const float *x, const float *mean,
                                 const float *rstd, const float *gamma, int64_t N, int64_t C);

#endif
