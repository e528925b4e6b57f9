/* map: elementwise functions and their derivatives, y[i] = f(x[i]) over n ≥ 0 elements.
 *
 * Each kind is a forward/backward pair. The loops run over fixed chunks in parallel and elements
 * are independent, so the result does not depend on the number of threads. Cost: one pass over
 * memory. */
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

/* y[i] = f(x[i]). y may be x; otherwise they must not overlap. */
void an_k_map_forward(an_map_kind kind, float *y, const float *x, int64_t n);

/* dx[i] = dy[i]·f'(x[i]) + beta·dx[i], beta 0 (dx is not read) or 1. y is the result of the forward
 * pass, which some kinds read instead of x. dx may be dy if beta is 0; otherwise it overlaps none
 * of the other arrays. */
void an_k_map_backward(an_map_kind kind, float *dx, float beta, const float *dy, const float *x,
                       const float *y, int64_t n);

#endif
