/* lanes: sums whose order is fixed and yet vectorises: 16 running sums, then a tree.
 * Any vector width gives the same bits, unlike a reduction left to the compiler. */
#ifndef AN_KERNEL_LANES_H
#define AN_KERNEL_LANES_H

#include <stdint.h>

enum { AN_LANES = 16 };

static inline float an_lanes_fold(float lane[AN_LANES])
{
    for (int half = AN_LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

/* Σ_i x[i] */
static inline float an_lanes_sum(const float *x, int64_t n)
{
    float lane[AN_LANES] = {0};
    int64_t whole = n - n % AN_LANES;
    for (int64_t i = 0; i < whole; i += AN_LANES)
        for (int l = 0; l < AN_LANES; l++)
            lane[l] += x[i + l];
    for (int64_t i = whole; i < n; i++)
        lane[i - whole] += x[i];
    return an_lanes_fold(lane);
}

/* Σ_i a[i]·b[i] */
static inline float an_lanes_dot(const float *a, const float *b, int64_t n)
{
    float lane[AN_LANES] = {0};
    int64_t whole = n - n % AN_LANES;
    for (int64_t i = 0; i < whole; i += AN_LANES)
        for (int l = 0; l < AN_LANES; l++)
            lane[l] += a[i + l] * b[i + l];
    for (int64_t i = whole; i < n; i++)
        lane[i - whole] += a[i] * b[i];
    return an_lanes_fold(lane);
}

#endif
