/* linear_shape: the sizes and the gradients of a dense layer, for linear.h and its algorithms. */
#ifndef AN_KERNEL_MATMUL_LINEAR_SHAPE_H
#define AN_KERNEL_MATMUL_LINEAR_SHAPE_H

#include <stdint.h>

typedef struct {
    int64_t rows, out, in;
} an_linear_shape;

/* The gradients to compute, NULL for the others. beta 0: overwritten without being read, 1: added
 * to. */
typedef struct {
    float *dx, beta_x; /* (rows, in)      */
    float *dw, beta_w; /* (out, in)       */
    float *db;         /* (out), added to */
} an_linear_grads;

#endif
