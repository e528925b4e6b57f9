/* conv_direct: convolutions computed straight from the images, without a column matrix: the loops
 * of microkernel.h take pointers to pixels. Takes every size, stride and padding; conv.c calls it
 * where neither Winograd nor patches fit. A tap that is outside the image for all eight positions
 * of a block is skipped, not multiplied by zero. On small images a block is one position of eight
 * images, so that the eight positions have the same taps.
 *
 *   forward   out[position] = Σ_tap x[position·stride + tap] · P_tap
 *   data      one correlation of stride 1 per phase (row and column modulo the stride): a 3×3
 *             kernel of stride 2 makes four, with 1, 2, 2 and 4 taps
 *   weight    dP_tap = Σ_positions x[position·stride + tap]ᵀ dy[position]
 *
 * Shapes as in conv.h; all functions may return AN_ENOMEM. Internal to conv.c. */
#ifndef AN_KERNEL_CONV_CONV_DIRECT_H
#define AN_KERNEL_CONV_CONV_DIRECT_H

#include "base/err.h"
#include "kernel/conv/conv_shape.h"

an_code an_k_conv_direct_forward(float *y, const float *x, const float *w, const float *b,
                                 const an_conv_shape *s);
an_code an_k_conv_direct_data(float *dx, const float *dy, const float *w, float beta,
                              const an_conv_shape *s);
an_code an_k_conv_direct_weight(float *dw, const float *dy, const float *x, const an_conv_shape *s);

#endif
