/* crops: where the local prior looks.
 *
 * The maps of the classes, weighted by softmax(g), make one map over the backbone's grid.
 * Stretched over the input's pixels it is constant on each cell, so the weight of a window
 * is an exact area sum and needs four look-ups in a table of cumulated sums. Windows are
 * taken greedily: next comes the heaviest of those that share the fewest pixels with the
 * windows already taken; ties go to the first in reading order. So windows never overlap
 * while there is room. Room is certain for up to four windows of side ≤ (min(H, W) + 1)/3:
 * one window keeps fewer than 2·side places per axis from the others.
 * Cost: O(n²·H·W) per image, images in parallel; no gradient. */
#ifndef AN_MODEL_CROPS_H
#define AN_MODEL_CROPS_H

#include "tensor/tensor.h"

/* maps (B, h, w, K) and logits g (B, K) → int64 (B, n, 2): first row and column, 0-based, of
 * n windows of side s in an H×W image, most salient first. A non-finite map counts as 0. */
an_tensor *an_crops_choose(an_tensor *maps, an_tensor *g, int64_t H, int64_t W, int64_t n,
                           int64_t s);

/* images (B, H, W, C) at positions (B, n, 2) → (B·n, s, s, C), window i of image b at row
 * b·n + i. A copy without gradient. */
an_tensor *an_crops_cut(an_tensor *images, an_tensor *positions, int64_t s);

#endif
