/* conv: two-dimensional convolution (correlation, as in PyTorch), channels-last.
 *
 * x (B,H,W,C), w (O,C,kh,kw), b (O) or NULL, y (B,Ho,Wo,O); a gradient has the shape of its array.
 * Outputs overlap no input. B ≥ 0, all other sizes ≥ 1. Cost: 2·B·Ho·Wo·O·C·kh·kw operations, fewer
 * where a Winograd algorithm applies. Every function allocates its scratch memory once and returns
 * AN_ENOMEM if that fails. The bits do not depend on the number of threads.
 *
 * x, y and their gradients are float32, or bf16 if the shape is narrow; w, dw and b are float32. */
#ifndef AN_KERNEL_CONV_CONV_H
#define AN_KERNEL_CONV_CONV_H

#include <stdbool.h>

#include "base/err.h"
#include "kernel/conv/conv_shape.h"

/* Whether x and y of this shape can be bf16: O and, if dx is to be computed, C are multiples of
 * AN_NARROW_CHANNELS, and stride ≤ 4. */
enum { AN_NARROW_CHANNELS = 16 };
bool an_k_conv_narrow_fits(const an_conv_shape *s, bool data);

/* y[b,i,j,o] = b[o] + Σ_{u,v,c} x[b, i·stride+u−pad, j·stride+v−pad, c] · w[o,c,u,v] */
an_code an_k_conv_forward(void *y, const void *x, const float *w, const float *b,
                          const an_conv_shape *s);
/* dx ← the transposed convolution of dy with w + beta·dx; beta is 0 (dx is not read) or 1. */
an_code an_k_conv_backward_data(void *dx, const void *dy, const float *w, float beta,
                                const an_conv_shape *s);
/* dw += Σ_{b,i,j} dy[b,i,j,o] · x[b, i·stride+u−pad, j·stride+v−pad, c].
 * (db is an_k_bias_backward over B·Ho·Wo rows.) */
an_code an_k_conv_backward_weight(float *dw, const void *dy, const void *x, const an_conv_shape *s);

#endif
