/* narrow_float: float16 and bfloat16 as they are stored, to float32. Every value is exact. */
#ifndef AN_BASE_NARROW_FLOAT_H
#define AN_BASE_NARROW_FLOAT_H

#include <stdint.h>
#include <string.h>

/* IEEE binary16: NaN and infinities are kept. */
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

#endif
