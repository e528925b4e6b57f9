/* pixel_moments: see pixel_moments.h. */
#include "data/pixel_moments.h"

#include <math.h>

#include "base/simd.h"
#include "base/stop.h"

/* One picture's part of the sums per channel, in lanes: 48 is a multiple of both the pixel and the
 * vector size. 2^20 pixels of 255² over 16 lanes fit into 32 bits. */
static AN_SIMD void add_picture(const uint8_t *p, int64_t n, uint64_t sum[3], uint64_t square[3])
{
    enum { LANES = 48 };
    uint32_t s[LANES] = {0}, q[LANES] = {0};
    int64_t whole = n - n % LANES;
    for (int64_t k = 0; k < whole; k += LANES)
        for (int l = 0; l < LANES; l++)
            s[l] += p[k + l], q[l] += (uint32_t)p[k + l] * p[k + l];
    for (int64_t k = whole; k < n; k++)
        sum[k % 3] += p[k], square[k % 3] += (uint64_t)p[k] * p[k];
    for (int l = 0; l < LANES; l++)
        sum[l % 3] += s[l], square[l % 3] += q[l];
}

an_code an_pixel_moments(const uint8_t *pixels, const int64_t *items, int64_t n, int64_t area,
                         float mean[3], float std[3])
{
    uint64_t sum[3] = {0}, square[3] = {0};
#pragma omp parallel for schedule(static) reduction(+ : sum, square)
    for (int64_t i = 0; i < n; i++)
        if (!an_stop_requested())
            add_picture(pixels + items[i] * area * 3, area * 3, sum, square);
    double count = (double)(n * area);
    for (int c = 0; c < 3; c++) {
        double centre = (double)sum[c] / count;
        double variance = (double)square[c] / count - centre * centre;
        mean[c] = (float)(centre / 255);
        std[c] = (float)(sqrt(fmax(variance, 1)) / 255);
    }
    return an_stop_check();
}
