/* conv_patches: convolutions with very few input channels, such as the first layer of a network.
 * With so few channels a loop per tap would be too short. Instead, the patches of some output lines
 * are copied into a matrix P that fits L1, with a row of kh·kw·C floats (u, v, c) per output
 * position ("im2col", Chellapilla et al., 2006), and multiplied:
 *
 *   forward   y = P·W + b
 *   weight    dW += Pᵀ·dy
 *   data      dP = dy·Wᵀ, whose rows are added back to the image where the patches came from
 *
 * An image is first copied with its padding, so that every patch is inside it. Shapes as in conv.h;
 * all functions may return AN_ENOMEM. Internal to conv.c. */
#ifndef AN_KERNEL_CONV_CONV_PATCHES_H
#define AN_KERNEL_CONV_CONV_PATCHES_H

#include <stdbool.h>

#include "base/err.h"
#include "kernel/conv/conv_shape.h"

/* Up to four input channels, and a multiple of 16 output channels. */
bool an_k_conv_patches_fit(const an_conv_shape *s);

an_code an_k_conv_patches_forward(float *y, const float *x, const float *w, const float *b,
                                  const an_conv_shape *s);
an_code an_k_conv_patches_data(float *dx, const float *dy, const float *w, bool accumulate,
                               const an_conv_shape *s);
an_code an_k_conv_patches_weight(float *dw, const float *dy, const float *x,
                                 const an_conv_shape *s);

#endif
