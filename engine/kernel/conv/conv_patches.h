/* conv_patches: convolutions of very few input channels, as the first layer of a network. What a
 * kernel sees of an image is too short for a loop of its own per tap, so the patches of some
 * output lines are laid out side by side, a row of kh·kw·C floats (u, v, c) each, small enough
 * for the first cache, and multiplied:
 *
 *   forward   y = P·W + b            weight   dW += Pᵀ·dy           data   dP = dy·Wᵀ, added
 *                                                                          back to the image
 * An image is copied with its padding first, so that no patch leaves it. Shapes as in conv.h;
 * all AN_ENOMEM. Internal to conv.c. */
#ifndef AN_KERNEL_CONV_CONV_PATCHES_H
#define AN_KERNEL_CONV_CONV_PATCHES_H

#include <stdbool.h>

#include "kernel/conv/conv.h"

/* Up to four input channels, output channels in sixteens. */
bool an_k_conv_patches_fit(const an_conv_shape *s);

an_code an_k_conv_patches_forward(float *y, const float *x, const float *w, const float *b,
                                  const an_conv_shape *s);
an_code an_k_conv_patches_data(float *dx, const float *dy, const float *w, bool accumulate,
                               const an_conv_shape *s);
an_code an_k_conv_patches_weight(float *dw, const float *dy, const float *x,
                                 const an_conv_shape *s);

#endif
