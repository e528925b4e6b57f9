/* linear_bf16: dense layers whose factors are bf16 and whose sums are float32 (base/precision.h).
 * Shapes as in linear.h. The bits depend on the sizes alone. AN_ENOMEM. Internal to linear.c. */
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
