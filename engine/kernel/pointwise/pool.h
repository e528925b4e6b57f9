/* pool: pooling of channels-last images, x (B,H,W,C): maximum, average, and the mean of the largest
 * values of a whole map.
 *
 * One thread computes an image, so the result does not depend on the number of threads. Backward
 * functions add to dx (B,H,W,C) unless stated otherwise. A position is the number i·W + j of a
 * pixel in its image, or i·size + j in its window. */
#ifndef AN_KERNEL_POINTWISE_POOL_H
#define AN_KERNEL_POINTWISE_POOL_H

#include <stdint.h>

#include "base/err.h"

typedef struct {
    int64_t B, H, W, C;
    int64_t size, stride, pad; /* square windows; pad ≤ size/2: no window is all padding */
    int64_t Ho, Wo;            /* floor((H + 2·pad − size)/stride) + 1                 */
} an_pool_shape;

/* Ho or Wo is 0 if the window does not fit; the functions below require ≥ 1. stride ≥ 1. */
an_pool_shape an_k_pool_shape(int64_t B, int64_t H, int64_t W, int64_t C, int64_t size,
                              int64_t stride, int64_t pad);

/* y (B,Ho,Wo,C), the maximum of each window, and at (B,Ho,Wo,C), its position in the window;
 * size ≤ AN_POOL_SIDE. Padding is never chosen. Of equal values the first is chosen, and a NaN
 * before every number. */
#define AN_POOL_SIDE 15
void an_k_max_pool_forward(float *y, uint8_t *at, const float *x, const an_pool_shape *s);
void an_k_max_pool_backward(float *dx, const float *dy, const uint8_t *at, const an_pool_shape *s);

/* y (B,Ho,Wo,C), the mean of the window; pad must be 0. */
void an_k_avg_pool_forward(float *y, const float *x, const an_pool_shape *s);
void an_k_avg_pool_backward(float *dx, const float *dy, const an_pool_shape *s);

/* y (B,C), the mean over the n = H·W positions of x (B,n,C). */
void an_k_global_pool_forward(float *y, const float *x, int64_t B, int64_t n, int64_t C);
/* dx = its gradient + beta·dx, beta 0 (dx is not read) or 1. */
void an_k_global_pool_backward(float *dx, const float *dy, int64_t B, int64_t n, int64_t C,
                               float beta);

/* y (B,C), per channel the mean of the `top` largest of its n positions (1 ≤ top ≤ n), and their
 * positions at (B,C,top), largest first; of equal values the lower position is chosen. Turns a
 * saliency map into a class score (Shen et al., 2002.07613). O(n·top) per channel in the worst
 * case, near O(n) on a typical map. */
void an_k_top_pool_forward(float *y, int64_t *at, const float *x, int64_t B, int64_t n, int64_t C,
                           int64_t top);
void an_k_top_pool_backward(float *dx, const float *dy, const int64_t *at, int64_t B, int64_t n,
                            int64_t C, int64_t top);

#endif
