/* padded: images of very few channels with their padding written out. A line of the kernel is
 * then kw·C contiguous floats that never leave the image, long enough for a vector loop.
 * Internal to direct.c and direct_weight.c. */
#ifndef AN_KERNEL_PADDED_H
#define AN_KERNEL_PADDED_H

#include <stdbool.h>

#include "kernel/conv.h"

bool an_k_padded_pays(const an_conv_shape *s);
/* The shape of the padded images (H, W; no padding; the same output). */
an_conv_shape an_k_padded_shape(const an_conv_shape *s);
/* to (B, H, W, C of `p`) ← x (B, H, W, C of `s`) between zeros. */
void an_k_pad(float *to, const float *x, const an_conv_shape *s, const an_conv_shape *p);

#endif
