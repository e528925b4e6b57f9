/* pool_narrow: the maximum pooling of pool.h for bf16 images. */
#ifndef AN_KERNEL_POINTWISE_POOL_NARROW_H
#define AN_KERNEL_POINTWISE_POOL_NARROW_H

#include "kernel/pointwise/pool.h"

/* As an_k_max_pool_forward(), but −0 is below 0. */
void an_k_max_pool_narrow_forward(uint16_t *y, uint8_t *at, const uint16_t *x,
                                  const an_pool_shape *s);
/* dx = its gradient + beta·dx, beta 0 (dx is not read) or 1. Sums are computed in float32 and
 * rounded once. AN_ENOMEM. */
an_code an_k_max_pool_narrow_backward(uint16_t *dx, float beta, const uint16_t *dy,
                                      const uint8_t *at, const an_pool_shape *s);

#endif
