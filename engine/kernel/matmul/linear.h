/* linear: a dense layer, y (rows, out) = x (rows, in)·wᵀ + b, w (out, in), b (out), and its
 * gradients. All gradients of a layer are computed in one pass over the rows: a batch's activations
 * fit no cache, so each is loaded only once. */
#ifndef AN_KERNEL_MATMUL_LINEAR_H
#define AN_KERNEL_MATMUL_LINEAR_H

#include "base/err.h"
#include "kernel/matmul/linear_shape.h"

/* b may be NULL. y overlaps no other array. AN_ENOMEM. */
an_code an_k_linear_forward(float *y, const float *x, const float *w, const float *b,
                            const an_linear_shape *shape);

/* From dy (rows, out). Sums over rows are cut by size alone and added in order. dx overlaps no
 * other array. AN_ENOMEM. */
an_code an_k_linear_backward(const an_linear_grads *d, const float *dy, const float *x,
                             const float *w, const an_linear_shape *shape);

#endif
