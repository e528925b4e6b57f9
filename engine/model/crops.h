/* crops: the windows of the image that the local prior reads (METHOD §4), selected like the regions
 * of GMIC (Shen et al., 2002.07613).
 *
 * The class maps, weighted by softmax(g), are summed to one map over the backbone's grid. On the
 * image's pixels it is constant within each cell, so the weight of a window is an exact area sum:
 * four look-ups in a summed-area table. Windows are chosen greedily: the heaviest of those that
 * share the fewest pixels with the windows already chosen; of equal ones the first in reading
 * order. Windows therefore do not overlap as long as a free one exists. One does for up to four
 * windows of side ≤ (min(H, W) + 1)/3: a window excludes fewer than 2·side positions per axis.
 * Cost: O(n²·H·W) per image, images in parallel; no gradient. */
#ifndef AN_MODEL_CROPS_H
#define AN_MODEL_CROPS_H

#include "tensor/tensor.h"

/* maps (B, h, w, K) and logits g (B, K) → int64 (B, n, 2): first row and column, 0-based, of n ≥ 1
 * windows of side 1 ≤ s ≤ min(H, W) in an H×W image, most salient first. Where the weighted map is
 * not finite, it counts as 0. NULL after a failure (AN_EINVAL, AN_ENOMEM) or for a NULL
 * argument. */
an_tensor *an_crops_choose(an_tensor *maps, an_tensor *g, int64_t H, int64_t W, int64_t n,
                           int64_t s);

/* images (B, H, W, C) and positions int64 (B, n, 2) as above → (B·n, s, s, C), window i of image b
 * in row b·n + i. A copy without gradient. NULL after a failure or for a NULL argument. */
an_tensor *an_crops_cut(an_tensor *images, an_tensor *positions, int64_t s);

#endif
