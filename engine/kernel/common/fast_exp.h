/* fast_exp: exponentials that compilers can vectorise, for the inner loops of the kernels.
 *
 * libm's expf is a call per element. These functions are branch-free arithmetic, so a loop over
 * them becomes SIMD code. Cost: about a dozen operations. */
#ifndef AN_KERNEL_COMMON_FAST_EXP_H
#define AN_KERNEL_COMMON_FAST_EXP_H

#include <stdint.h>
#include <string.h>

/* e^c for −87.3 ≤ c ≤ 88.3, within 3e-7 relative; NaN gives NaN; undefined outside that range.
 * e^c = 2^n·e^r with n = round(c/ln 2), |r| ≤ ln 2 / 2, e^r by its Taylor series to r⁷
 * (remainder 5e-9). */
static inline float an_expf_within(float c)
{
    const float to_nearest = 12582912.0f; /* 1.5·2²³: adding it rounds to integer */
    const float ln2_high = 0.693359375f;  /* 9 bits: n·ln2_high is exact */
    const float ln2_low = -2.12194440e-4f;
    float shifted = c * 1.44269504f + to_nearest;
    float n = shifted - to_nearest;
    float r = (c - n * ln2_high) - n * ln2_low;
    float e = 1.0f / 5040;
    e = e * r + 1.0f / 720;
    e = e * r + 1.0f / 120;
    e = e * r + 1.0f / 24;
    e = e * r + 1.0f / 6;
    e = e * r + 0.5f;
    e = e * r + 1.0f;
    e = e * r + 1.0f;
    int32_t bits; /* n is in the low bits of `shifted` */
    memcpy(&bits, &shifted, sizeof bits);
    uint32_t power = ((uint32_t)bits - 0x4b400000u + 127u) << 23;
    float scale;
    memcpy(&scale, &power, sizeof scale);
    return e * scale;
}

/* e^x. x > 88.3 gives e^88.3 (2.2e38, finite), x < −87.3 gives 0. */
static inline float an_expf(float x)
{
    float c = x > 88.3f ? 88.3f : x;
    float e = an_expf_within(c < -87.3f ? -87.3f : c);
    return x < -87.3f ? 0.0f : e;
}

/* e^x for x ≤ 0 (NaN gives NaN), with a third of the comparisons. */
static inline float an_expf_below(float x)
{
    float e = an_expf_within(x);
    return x < -87.3f ? 0.0f : e;
}

/* 1/(1+e^−x). */
static inline float an_sigmoidf(float x)
{
    return 1.0f / (1.0f + an_expf(-x));
}

#endif
