/* winograd_few_tiles: winograd.h where tiles are few and channels many, such as ResNet-18's last
 * stages at 64×64. All tiles are transformed first; a task then transforms the kernels of a slice
 * of channels, multiplies and transforms back while they lie in its cache, so that the 36 planes of
 * all kernels are never in memory. Internal to winograd.c. */
#ifndef AN_KERNEL_CONV_WINOGRAD_FEW_TILES_H
#define AN_KERNEL_CONV_WINOGRAD_FEW_TILES_H

#include <stdbool.h>

#include "kernel/conv/conv.h"

bool an_k_winograd_few_tiles_fits(const an_conv_shape *s);
an_code an_k_winograd_few_tiles_forward(float *y, const float *x, const float *w, bool flipped,
                                        const float *b, bool accumulate, const an_conv_shape *s);
an_code an_k_winograd_few_tiles_weight(float *dw, const float *dy, const float *x,
                                       const an_conv_shape *s);

#endif
