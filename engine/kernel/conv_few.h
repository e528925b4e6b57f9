/* conv_few: convolutions with few output positions and many channels, such as ResNet-18's last
 * stages at 64×64. There the weights outweigh the image: a tile of rows would pass over all of
 * them again, so the column matrix is made whole and the channels are cut instead.
 * Internal to conv.c; P is its repacked kernels (kh·kw·C, O). The cuts depend on sizes alone. */
#ifndef AN_KERNEL_CONV_FEW_H
#define AN_KERNEL_CONV_FEW_H

#include <stdbool.h>

#include "kernel/conv.h"

bool an_k_conv_few_fits(const an_conv_shape *s);

/* y (B·Ho·Wo, O) ← cols(x)·P + (b, or y itself if there is none and `accumulate`). AN_ENOMEM. */
an_code an_k_conv_few_correlate(float *y, const float *x, const float *P, const float *b,
                                bool accumulate, const an_conv_shape *s);
/* dx (B,H,W,C) += scatter(dy·Pᵀ). AN_ENOMEM. */
an_code an_k_conv_few_scatter(float *dx, const float *dy, const float *P, const an_conv_shape *s);
/* dPᵀ (O, kh·kw·C) ← dyᵀ·cols(x). AN_ENOMEM. */
an_code an_k_conv_few_weight(float *dP, const float *dy, const float *x, const an_conv_shape *s);

#endif
