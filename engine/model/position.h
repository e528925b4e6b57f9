/* position: the sinusoidal position vectors of image tokens on their grid. */
#ifndef AN_MODEL_POSITION_H
#define AN_MODEL_POSITION_H

#include "tensor/tensor.h"

/* → (h, w, D), D a multiple of 4. With f_i = 10000^(−i/(D/4)), i = 0 … D/4−1, the vector at
 * (row, column) is [sin(row·f), cos(row·f), sin(column·f), cos(column·f)], the 2-D form of
 * Vaswani et al., 1706.03762, §3.5; row and column are 0-based. No gradient. NULL without memory.
 */
an_tensor *an_position_grid(int64_t h, int64_t w, int64_t D);

#endif
