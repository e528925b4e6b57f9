/* residual_block: the two blocks of residual networks (He et al., 1512.03385, figure 5).
 *
 * Basic: two 3×3 convolutions, in → width → width. Bottleneck: 1×1, 3×3 and 1×1 convolutions,
 * in → width → width → 4·width; the stride is that of the 3×3 one, as in torchvision ("v1.5"), not
 * that of the first 1×1 as in the paper. If a block changes the shape, its shortcut is a 1×1
 * convolution with batch normalisation. Names are torchvision's: conv1, bn1, … bn3, downsample.0,
 * downsample.1. */
#ifndef AN_MODEL_RESIDUAL_BLOCK_H
#define AN_MODEL_RESIDUAL_BLOCK_H

#include "model/layer.h"

#define AN_BOTTLENECK_EXPANSION 4 /* output channels of a bottleneck divided by its width */

typedef struct {
    an_conv conv[3], shortcut;
    an_bn bn[3], shortcut_bn;
    int convolutions; /* 2: basic, 3: bottleneck               */
    bool projects;    /* the shortcut is a convolution         */
} an_residual_block;

/* Declares `name`.conv1.weight … in m; the module reports a failure (layer.h). in, width ≥ 1;
 * stride 1 or 2. */
an_residual_block an_basic_block_new(an_module *m, const char *name, int64_t in, int64_t width,
                                     int stride);
an_residual_block an_bottleneck_new(an_module *m, const char *name, int64_t in, int64_t width,
                                    int stride);

/* x (B, H, W, in) → (B, H', W', width or 4·width), H' = ⌈H / stride⌉. NULL after a failure or for
 * NULL x. */
an_tensor *an_residual_block_apply(const an_residual_block *b, an_tensor *x);

#endif
