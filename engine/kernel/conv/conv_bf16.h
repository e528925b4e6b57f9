/* conv_bf16: convolutions with bf16 factors and float32 sums (base/precision.h), for kernels of any
 * size. An image becomes a grid (bf16_grid.h), a kernel packed blocks, and the convolution a sum
 * over the taps of products of the two: no patches are laid out.
 *
 *   forward   y[q] = Σ_taps grid[q + tap] · w[tap]
 *   data      the same with dy and the rotated kernel, once per phase of dx
 *   weight    dw[tap] = Σ_q grid[q + tap]ᵀ · dy[q], with grid and dy by channels
 *
 * Error against the definition in double on the rounded factors: that of a sum in float32, plus one
 * rounding of the result if it is stored as bf16. Shapes as in conv.h; all functions may return
 * AN_ENOMEM. The bits do not depend on the number of threads. Internal to conv.c. */
#ifndef AN_KERNEL_CONV_CONV_BF16_H
#define AN_KERNEL_CONV_CONV_BF16_H

#include <stdbool.h>

#include "base/err.h"
#include "kernel/conv/conv_shape.h"

/* A multiple of 16 output channels, and a stride of up to 4. */
bool an_k_conv_bf16_fits(const an_conv_shape *s);
/* A multiple of 16 input channels, and such a stride. */
bool an_k_conv_bf16_data_fits(const an_conv_shape *s);

/* As the functions of conv.h; with `accumulate`, data adds to dx. */
an_code an_k_conv_bf16_forward(void *y, const void *x, const float *w, const float *b,
                               const an_conv_shape *s);
an_code an_k_conv_bf16_data(void *dx, const void *dy, const float *w, bool accumulate,
                            const an_conv_shape *s);
an_code an_k_conv_bf16_weight(float *dw, const void *dy, const void *x, const an_conv_shape *s);

#endif
