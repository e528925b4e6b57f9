/* linear_bf16: dense layers with bf16 factors and float32 sums (base/precision.h). Shapes as in
 * linear.h. The bits depend only on the sizes. AN_ENOMEM. Internal to linear.c. */
#ifndef AN_KERNEL_MATMUL_LINEAR_BF16_H
#define AN_KERNEL_MATMUL_LINEAR_BF16_H

#include <stdbool.h>

#include "base/err.h"
#include "kernel/matmul/linear_shape.h"

/* Multiples of 16 inputs and outputs. */
bool an_k_linear_bf16_fits(const an_linear_shape *s);

an_code an_k_linear_bf16_forward(float *y, const float *x, const float *w, const float *b,
                                 const an_linear_shape *s);
/* dx and dw of an_k_linear_backward; db is not touched. */
an_code an_k_linear_bf16_backward(const an_linear_grads *d, const float *dy, const float *x,
                                  const float *w, const an_linear_shape *s);

#endif
