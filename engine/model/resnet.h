/* resnet: residual networks (He et al., 1512.03385), images to feature maps.
 *
 * Two forms. Small, for small images (§4.2 of the paper): a 3×3 stem, then stages of basic blocks;
 * each stage after the first halves the grid and doubles the width; depth 6n+2 is three stages of n
 * blocks. A stem of stride 2 makes 64×64 images as cheap as 32×32. Large, torchvision's ResNet-18,
 * 34 and 50: a 7×7 stem of stride 2 and max pooling, then four stages of 2, 2, 2, 2 or 3, 4, 6, 3
 * blocks, basic or, at depth 50, bottlenecks (residual_block.h). Names are torchvision's (conv1,
 * bn1, layer1.0.conv1, …, layer2.0.downsample.0), so that its weights load by name, as do those of
 * timm's networks of the same names. */
#ifndef AN_MODEL_RESNET_H
#define AN_MODEL_RESNET_H

#include "grad/tape.h"
#include "model/module.h"

#define AN_RESNET_STAGES 4 /* at most */

typedef struct an_resnet an_resnet;

typedef struct {
    int64_t channels; /* of the images, C                                           */
    int64_t width;    /* channels of the stem and of the first stage's 3×3          */
    int64_t stages;   /* 1 … AN_RESNET_STAGES                                       */
    int64_t blocks[AN_RESNET_STAGES];
    bool bottleneck; /* the blocks: bottlenecks or basic                           */
    bool large_stem; /* 7×7 stride 2 and 3×3 max pooling instead of a 3×3 stem     */
    int stem_stride; /* of the 3×3 stem: 1 or 2                                    */
} an_resnet_options;

#define AN_RESNET_DEEPEST 1202 /* of the paper */

/* The options of depth 6n+2, 8 … AN_RESNET_DEEPEST; AN_EINVAL for another depth. */
an_code an_resnet_small(an_resnet_options *out, int64_t channels, int64_t width, int64_t depth);
/* Those of ResNet-18, 34 or 50; depth is one of the three. */
an_resnet_options an_resnet_large(int64_t channels, int64_t width, int depth);
int64_t an_resnet_depth(const an_resnet_options *o); /* layers, with one of a classifier */

/* Declares `prefix`.conv1.weight … in m, which must not be sealed yet, and retains m. NULL after a
 * failure: AN_EINVAL for options out of range, a duplicate name or a sealed m. */
an_resnet *an_resnet_new(an_module *m, const char *prefix, const an_resnet_options *options);
/* NULL is allowed. The memory is kept while the tape holds a unit that it will recompute. */
void an_resnet_free(an_resnet *r);

/* images (B, H, W, C) → features (B, h, w, Cf), after the last ReLU. In the small form
 * h = H/2^(stages−1), half of that with a stem of stride 2; in the large form a quarter of that;
 * rounded up at each halving. NULL after a failure or for NULL images. Runs on this process only;
 * an_shared_resnet_forward() (model/shared_resnet.h) uses all ranks. */
an_tensor *an_resnet_forward(an_resnet *r, an_tensor *images);

/* Units whose intermediates the backward pass can recompute instead of keeping them (recompute.h):
 * the stem with its pooling, then each block. The first ones hold the most memory per operation. */
int64_t an_resnet_units(const an_resnet *r);
/* From the next forward pass on, the first n units are recomputed; n in 0 … an_resnet_units(), 0 at
 * first. Results and gradients keep their bits. */
void an_resnet_recompute(an_resnet *r, int64_t n);
int64_t an_resnet_recomputed(const an_resnet *r); /* that n */
/* What the latest recomputation of a unit measured; zeros before the first one and for a unit that
 * is not trained. */
an_segment_bytes an_resnet_unit_bytes(const an_resnet *r, int64_t unit);

int64_t an_resnet_features(const an_resnet *r); /* Cf */
an_module *an_resnet_module(const an_resnet *r);
const an_resnet_options *an_resnet_options_of(const an_resnet *r);
int64_t an_resnet_id(const an_resnet *r); /* ≥ 1, unique in this process */
/* Its entries in the module: the index of the first, and how many. */
int64_t an_resnet_first_entry(const an_resnet *r);
int64_t an_resnet_entries(const an_resnet *r);

#endif
