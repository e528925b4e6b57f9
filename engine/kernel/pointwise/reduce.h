/* reduce: sums along one dimension, their gradient, and two loops over flat arrays. Sums are
 * chunked by size alone, so the result does not depend on the number of threads. Sizes are ≥ 0. */
#ifndef AN_KERNEL_POINTWISE_REDUCE_H
#define AN_KERNEL_POINTWISE_REDUCE_H

#include <stdint.h>

/* y (outer, inner) = scale · Σ_i x (outer, n, inner), in double. */
void an_k_sum_forward(float *y, const float *x, int64_t outer, int64_t n, int64_t inner,
                      double scale);
/* dx (outer, n, inner) = scale · dy (outer, inner) + beta·dx, beta 0 (dx is not read) or 1. */
void an_k_sum_backward(float *dx, const float *dy, int64_t outer, int64_t n, int64_t inner,
                       double scale, float beta);
/* dx (n) = scale · dy (n) + beta·dx, beta 0 (dx is not read) or 1; dx may be dy. */
void an_k_accumulate(float *dx, const float *dy, int64_t n, double scale, float beta);
/* y (n) = scale · x (n) + shift; y may be x. */
void an_k_affine(float *y, const float *x, int64_t n, double scale, double shift);

#endif
