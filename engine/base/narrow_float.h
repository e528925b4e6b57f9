/* narrow_float: conversion of stored float16 (IEEE binary16) and bfloat16 to and from float32.
 * Conversion to float32 is exact; from float32 it rounds to nearest, ties to even, as in IEEE 754.
 * Infinities and NaN are kept. */
#ifndef AN_BASE_NARROW_FLOAT_H
#define AN_BASE_NARROW_FLOAT_H

#include <stdint.h>
#include <string.h>

static inline float an_from_f16(uint16_t h)
{
    uint32_t sign = (uint32_t)(h >> 15) << 31, exponent = (h >> 10) & 31, fraction = h & 1023;
    uint32_t bits;
    if (exponent == 31)
        bits = sign | 0x7f800000u | fraction << 13;
    else if (exponent)
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    else {
        float small = (float)fraction * 0x1p-24f; /* zero or subnormal: exact in float32 */
        return sign ? -small : small;
    }
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The upper half of a float32. */
static inline float an_from_bf16(uint16_t h)
{
    uint32_t bits = (uint32_t)h << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ── from float32 ────────────────────────────────────────────────────────────────── */
#define AN_F16_END 65520.0f /* the smallest magnitude that rounds to infinity in half precision */

/* The upper bits of `value` above `shift` bits, rounded by those below. 0 < shift < 32. */
static inline uint32_t an_round_bits(uint32_t value, unsigned shift)
{
    const uint32_t half = 1u << (shift - 1), kept = value >> shift;
    const uint32_t rest = value & ((1u << shift) - 1);
    return kept + (rest > half || (rest == half && (kept & 1)));
}

static inline uint16_t an_to_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)(bits >> 16 | 0x40); /* NaN: quiet, its sign kept */
    return (uint16_t)an_round_bits(bits, 16);
}

static inline uint16_t an_to_f16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    bits &= 0x7fffffffu;
    if (bits > 0x7f800000u)
        return sign | 0x7e00;
    if (bits >= 0x477ff000u) /* AN_F16_END */
        return sign | 0x7c00;
    if (bits >= 0x38800000u) /* 2^-14, the smallest normal number */
        return (uint16_t)(sign | an_round_bits(bits - 0x38000000u, 13));
    const unsigned exponent = bits >> 23;
    if (exponent < 102) /* below 2^-25: rounds to zero */
        return sign;
    return (uint16_t)(sign | an_round_bits((bits & 0x7fffffu) | 0x800000u, 126 - exponent));
}

#endif
