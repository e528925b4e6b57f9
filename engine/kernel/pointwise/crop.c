/* crop: see crop.h. One memcpy per row of a window; windows are independent. */
#include "kernel/pointwise/crop.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/assert.h"

static bool inside(const int64_t *position, int64_t windows, int64_t H, int64_t W, int64_t s)
{
    for (int64_t i = 0; i < windows; i++)
        if (position[2 * i] < 0 || position[2 * i] + s > H || position[2 * i + 1] < 0 ||
            position[2 * i + 1] + s > W)
            return false;
    return true;
}

void an_k_crop(float *out, const float *image, const int64_t *position, int64_t B, int64_t H,
               int64_t W, int64_t C, int64_t n, int64_t s)
{
    AN_ASSERT(B >= 0 && n >= 0 && C >= 0 && s >= 1 && s <= H && s <= W);
    AN_ASSERT_SLOW(inside(position, B * n, H, W, s));
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < B * n; i++) {
        const float *from = image + (((i / n) * H + position[2 * i]) * W + position[2 * i + 1]) * C;
        float *to = out + i * s * s * C;
        for (int64_t row = 0; row < s; row++)
            memcpy(to + row * s * C, from + row * W * C, (size_t)(s * C) * sizeof *to);
    }
}
