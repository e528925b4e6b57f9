/* crop: copies square windows of channels-last images. */
#ifndef AN_KERNEL_POINTWISE_CROP_H
#define AN_KERNEL_POINTWISE_CROP_H

#include <stdint.h>

/* out (B, n, s, s, C) ← the s×s windows of image (B, H, W, C); position (B, n, 2) holds their first
 * row and column, 0-based. Windows are inside the image: 0 ≤ row ≤ H − s, likewise columns. */
void an_k_crop(float *out, const float *image, const int64_t *position, int64_t B, int64_t H,
               int64_t W, int64_t C, int64_t n, int64_t s);

#endif
