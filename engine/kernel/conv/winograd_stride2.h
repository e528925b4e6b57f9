/* winograd_stride2: 3×3 convolutions of stride 2 and padding 1, by the transforms of
 * winograd_stride2_tile.h: 81 multiplications per 4×4 outputs and pair of channels instead of the
 * definition's 144.
 *
 * Error for standard normal data: below 1e-5 of the largest output (tested by
 * tests/c/test_winograd_stride2.c). Shapes as in kernel/conv/conv.h. conv.c calls it for the shapes
 * where it is faster. The weight gradient would not be faster (tests/bench/README.md);
 * conv_direct.h computes it. */
#ifndef AN_KERNEL_CONV_WINOGRAD_STRIDE2_H
#define AN_KERNEL_CONV_WINOGRAD_STRIDE2_H

#include <stdbool.h>

#include "base/err.h"
#include "kernel/conv/conv_shape.h"

/* 3×3, stride 2, padding 1, channels in multiples of 16, few outputs wasted in edge tiles, enough
 * tiles to pay for the kernels' transform. Depends only on the sizes. */
bool an_k_winograd_stride2_fits(const an_conv_shape *s);

/* y ← the convolution + (b, or nothing). AN_ENOMEM. */
an_code an_k_winograd_stride2_forward(float *y, const float *x, const float *w, const float *b,
                                      const an_conv_shape *s);
/* dx ← the data gradient + (dx if `accumulate`). AN_ENOMEM. */
an_code an_k_winograd_stride2_data(float *dx, const float *dy, const float *w, bool accumulate,
                                   const an_conv_shape *s);

#endif
