/* resize3: an_resize for pictures (height, width, 3), padded with a fourth byte that must be
 * ignored. */
#ifndef AN_TESTS_RESIZE3_H
#define AN_TESTS_RESIZE3_H

#include <stdlib.h>
#include <string.h>

#include "data/resize.h"

static inline an_code resize3(const uint8_t *src, int height, int width, uint8_t *dst, int H, int W,
                              an_aspect aspect)
{
    size_t n = (size_t)height * (size_t)width;
    uint8_t *wide = malloc(n * 4);
    if (!wide)
        abort();
    for (size_t i = 0; i < n; i++)
        memcpy(wide + 4 * i, src + 3 * i, 3), wide[4 * i + 3] = (uint8_t)(i * 37);
    an_code code = an_resize(wide, height, width, dst, H, W, aspect);
    free(wide);
    return code;
}

#endif
