/* epoch_order: the order in which an epoch visits the training images. Class sampling after Kang et
 * al. 2020 (1910.09217): class j is drawn with probability p_j, then one of its images uniformly.
 *     instance        every image once, in a random order
 *     class_balanced  p_j = 1/K
 *     square_root     p_j ∝ √n_j
 *     progressive     p_j = (1 − t)·n_j/N + t/K,  t = (epoch − first)/(epochs − 1) from 0 to 1
 *     sequential      every image once, in stored order
 * A class without images is never drawn; K then counts the others. */
#ifndef AN_DATA_EPOCH_ORDER_H
#define AN_DATA_EPOCH_ORDER_H

#include <stdint.h>

#include "base/err.h"

typedef enum {
    AN_INSTANCE,
    AN_CLASS_BALANCED,
    AN_SQUARE_ROOT,
    AN_PROGRESSIVE,
    AN_SEQUENTIAL,
    AN_SAMPLINGS
} an_class_sampling;
extern const char *const an_class_sampling_names[AN_SAMPLINGS + 1]; /* as above, then NULL */

/* labels (n) in 0 … K−1; out (n): positions 0 … n−1. A function of its arguments; epoch ≥ 0. Only
 * progressive uses `first`, the epoch at which it begins, and `epochs`, their number. AN_ENOMEM. */
an_code an_epoch_order(const int *labels, int64_t n, int K, an_class_sampling sampling,
                       uint64_t seed, int64_t epoch, int64_t first, int64_t epochs, int64_t *out);

#endif
