/* winograd: 3×3 convolutions of stride 1 by F(4×4, 3×3): 2.25 multiplications per output and pair
 * of channels instead of the definition's 9 (Lavin & Gray, CVPR 2016).
 *
 * Error for standard normal data: below 1e-5 of the largest output for the forward pass and the
 * data gradient, 2e-5 for the weight gradient (tested by tests/c/test_winograd.c). Shapes as in
 * kernel/conv/conv.h. conv.c calls it for the shapes where it is faster. */
#ifndef AN_KERNEL_CONV_WINOGRAD_H
#define AN_KERNEL_CONV_WINOGRAD_H

#include <stdbool.h>

#include "base/err.h"
#include "kernel/conv/conv_shape.h"

/* 3×3, stride 1, channels in multiples of 16, few outputs wasted in edge tiles, enough tiles to pay
 * for the kernels' transform. Depends only on the sizes. */
bool an_k_winograd_fits(const an_conv_shape *s);

/* y ← the convolution + (b, or y itself if b is NULL and `accumulate`). `flipped`: w is (C,O,3,3),
 * rotated by 180°: the data gradient of a convolution. AN_ENOMEM. */
an_code an_k_winograd_forward(void *y, const void *x, const float *w, bool flipped, const float *b,
                              bool accumulate, const an_conv_shape *s);
/* dw (O,C,3,3) += the weight gradient. AN_ENOMEM. */
an_code an_k_winograd_weight(float *dw, const void *dy, const void *x, const an_conv_shape *s);

#endif
