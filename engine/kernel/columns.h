/* columns: the im2col matrix of a convolution, a tile of rows at a time.
 *
 * Row r = (b, i, j) of the matrix is the patch that output position r looks at, in the
 * order (u, v, c): kh runs of kw·C floats that lie contiguous in a channels-last image.
 * Outside the image a patch is zero. Internal to the convolution kernels. */
#ifndef AN_KERNEL_COLUMNS_H
#define AN_KERNEL_COLUMNS_H

#include <stdbool.h>

#include "kernel/conv.h"

int64_t an_k_patch(const an_conv_shape *s);     /* row length: kh·kw·C                       */
int64_t an_k_tile_rows(const an_conv_shape *s); /* rows of a tile that stays in the L2 cache */
bool an_k_is_pointwise(const an_conv_shape *s); /* 1×1, stride 1: the matrix is x itself     */

/* cols (hi−lo, kh·kw·C) ← rows lo … hi−1 of the matrix of x (B,H,W,C). */
void an_k_gather(float *cols, const float *x, int64_t lo, int64_t hi, const an_conv_shape *s);
/* dx (B,H,W,C) += dcols (hi−lo, kh·kw·C), each element to where gather took it from. */
void an_k_scatter(float *dx, const float *dcols, int64_t lo, int64_t hi, const an_conv_shape *s);

#endif
