/* conv_direct: convolutions straight from the images, with no column matrix: microkernel.h's loops
 * take pointers to pixels. Every size, stride and padding; conv.c calls it where neither Winograd
 * nor patches fit. Taps that fall outside the image are left out, not multiplied by zero, where a
 * whole block of positions agrees; on small images a block is one position of eight images.
 *
 *   forward   out[position] = Σ_tap x[position·stride + tap] · P_tap
 *   data      one correlation of stride 1 per phase (row and column modulo the stride): a 3×3
 *             kernel of stride 2 is four, with 1, 2, 2 and 4 taps
 *   weight    dP_tap = Σ_positions x[position·stride + tap]ᵀ dy[position]
 *
 * Shapes as in conv.h; all AN_ENOMEM. Internal to conv.c. */
#ifndef AN_KERNEL_CONV_CONV_DIRECT_H
#define AN_KERNEL_CONV_CONV_DIRECT_H

#include "kernel/conv/conv.h"

an_code an_k_conv_direct_forward(float *y, const float *x, const float *w, const float *b,
                                 const an_conv_shape *s);
an_code an_k_conv_direct_data(float *dx, const float *dy, const float *w, float beta,
                              const an_conv_shape *s);
an_code an_k_conv_direct_weight(float *dw, const float *dy, const float *x, const an_conv_shape *s);

#endif
