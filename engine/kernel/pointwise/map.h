/* map: elementwise maps and their derivatives over n numbers.
 *
 * Each kind is a forward/backward pair; the loops run over fixed chunks in parallel
 * and every element is its own, so the result does not depend on the thread count.
 * Cost: one pass over memory. */
#ifndef AN_KERNEL_POINTWISE_MAP_H
#define AN_KERNEL_POINTWISE_MAP_H

#include <stdint.h>

typedef enum {
    AN_RELU,    /* max(x, 0)                                            */
    AN_GELU,    /* x·Φ(x), the erf form (1606.08415)                    */
    AN_SILU,    /* x·σ(x)                                               */
    AN_SIGMOID, /* σ(x) = 1/(1+e^−x)                                    */
    AN_TANH,
    AN_SOFTPLUS, /* log(1+e^x)                                           */
    AN_EXP,
    AN_LOG,
    AN_SQRT,
    AN_SQUARE
} an_map_kind;

/* y[i] = f(x[i]). y (n), x (n); y may be x. */
void an_k_map_forward(int kind, float *y, const float *x, int64_t n);

/* dx[i] = dy[i]·f'(x[i]) + beta·dx[i], beta 0 or 1. All (n); dx may be dy where beta is 0, and is
 * apart from the others. y is the forward's result, which some kinds use in place of x. */
void an_k_map_backward(int kind, float *dx, float beta, const float *dy, const float *x,
                       const float *y, int64_t n);

#endif
