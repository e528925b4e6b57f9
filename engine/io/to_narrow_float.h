/* to_narrow_float: float32 to IEEE half precision and to bfloat16, rounded to the nearest, ties to
 * even, as IEEE 754 rounds. Infinities and NaN stay what they are. */
#ifndef AN_IO_TO_NARROW_FLOAT_H
#define AN_IO_TO_NARROW_FLOAT_H

#include <stdint.h>
#include <string.h>

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
