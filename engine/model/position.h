/* position: fixed sinusoids that tell an image token where it stands on the grid. */
#ifndef AN_MODEL_POSITION_H
#define AN_MODEL_POSITION_H

#include "tensor/tensor.h"

/* → (h, w, D), D a multiple of 4. With f_i = 10000^(−i/(D/4)), i = 0 … D/4−1, the vector at
 * (row, column) is [sin(row·f), cos(row·f), sin(column·f), cos(column·f)], the 2-D form of
 * 1706.03762 §3.5. No gradient. */
an_tensor *an_position_grid(int64_t h, int64_t w, int64_t D);

#endif
