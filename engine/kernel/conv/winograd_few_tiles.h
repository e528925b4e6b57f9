/* winograd_few_tiles: winograd.h for few tiles and many channels, such as the last stages of
 * ResNet-18 at 64×64. All tiles are transformed first. A task then transforms the kernels of a
 * slice of output channels, multiplies, and applies the inverse transform while they are in L2, so
 * that the 36 planes of all kernels are never in memory at once. Arguments and errors as in
 * winograd.h. Internal to winograd.c. */
#ifndef AN_KERNEL_CONV_WINOGRAD_FEW_TILES_H
#define AN_KERNEL_CONV_WINOGRAD_FEW_TILES_H

#include <stdbool.h>

#include "base/err.h"
#include "kernel/conv/conv_shape.h"

/* Up to 128 tiles, and kernels large enough to be worth slicing. Depends only on the sizes. */
bool an_k_winograd_few_tiles_fits(const an_conv_shape *s);
an_code an_k_winograd_few_tiles_forward(void *y, const void *x, const float *w, bool flipped,
                                        const float *b, bool accumulate, const an_conv_shape *s);
an_code an_k_winograd_few_tiles_weight(float *dw, const void *dy, const void *x,
                                       const an_conv_shape *s);

#endif
