/* linear: dense layers that read the same rows, side by side in one output,
 *
 *     y (rows, n·out): columns i·out … of a row are x·w_iᵀ + b_i,   x (rows, in)
 * One pass over the rows serves all n of them forward, and one pass everything that is wanted
 * backward: of a batch's activations, which fit no cache, each is fetched once. */
#ifndef AN_KERNEL_LINEAR_H
#define AN_KERNEL_LINEAR_H

#include <stdint.h>

#include "base/err.h"

enum { AN_LAYERS = 3 };

typedef struct {
    int n;                      /* 1 … AN_LAYERS                       */
    int64_t out, in;            /* of each                             */
    const float *w[AN_LAYERS];  /* (out, in)                           */
    const float *b[AN_LAYERS];  /* (out), or NULL                      */
} an_layers;

an_code an_k_layers_forward(float *y, const float *x, const an_layers *l, int64_t rows);

/* Where gradients go, NULL where not wanted. beta 0: overwritten without being read, 1: added to. */
typedef struct {
    float *dx, beta_x;                          /* (rows, in)          */
    float *dw[AN_LAYERS], beta_w[AN_LAYERS];    /* (out, in)           */
    float *db[AN_LAYERS];                       /* (out), added to     */
} an_layers_grads;

/* From dy (rows, n·out). Sums over rows are cut by the sizes alone and added in order. AN_ENOMEM,
 * as forward. */
an_code an_k_layers_backward(const an_layers_grads *d, const float *dy, const float *x,
                             const an_layers *l, int64_t rows);

#endif
