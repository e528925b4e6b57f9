/* pixel_moments: per-channel mean and standard deviation of pictures. */
#ifndef AN_DATA_PIXEL_MOMENTS_H
#define AN_DATA_PIXEL_MOMENTS_H

#include <stdint.h>

#include "base/err.h"

/* Over the pictures items[0 … n−1] of pixels (…, `area` pixels, 3), n ≥ 1; values are in [0, 1], a
 * deviation is at least one grey level. The sums are integers, so exact in any order. AN_ESTOPPED
 * (base/stop.h). */
an_code an_pixel_moments(const uint8_t *pixels, const int64_t *items, int64_t n, int64_t area,
                         float mean[3], float std[3]);

#endif
