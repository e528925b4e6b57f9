/* bf16_round: arrays of float32 rounded to bfloat16, as an_to_bf16() (base/narrow_float.h) rounds,
 * and back. Where the CPU has an instruction for rounding, subnormal numbers become zero. */
#ifndef AN_KERNEL_COMMON_BF16_ROUND_H
#define AN_KERNEL_COMMON_BF16_ROUND_H

#include <stdint.h>
#include <string.h>

/* Vectors of 32 bytes: for AVX2, gcc 12 compiles comparisons of 64 bytes element by element. */
enum { AN_BF16_EIGHT = 8 };
typedef uint32_t an_bf16_words __attribute__((vector_size(32)));
typedef int32_t an_bf16_choices __attribute__((vector_size(32)));
typedef uint16_t an_bf16_eight __attribute__((vector_size(16)));

#define AN_BF16_INLINE static inline __attribute__((always_inline))

/* Eight rounded numbers, each in the upper half of a word; the lower half is undefined. A NaN stays
 * a NaN. By pointer: how a function returns such a vector depends on the target CPU. */
AN_BF16_INLINE void an_bf16_upper(an_bf16_words *to, const float *from)
{
    an_bf16_words bits;
    memcpy(&bits, from, sizeof bits);
    an_bf16_words up = bits + 0x7fffu + (bits >> 16 & 1);
    an_bf16_words nan = (an_bf16_words)((an_bf16_choices)(bits & 0x7fffffffu) > 0x7f800000);
    *to = (nan & (bits | 0x400000u)) | (~nan & up);
}

AN_BF16_INLINE void an_bf16_narrow(an_bf16_eight *to, const float *from)
{
    an_bf16_words upper;
    an_bf16_upper(&upper, from);
    *to = __builtin_convertvector(upper >> 16, an_bf16_eight);
}

AN_BF16_INLINE void an_bf16_widen_eight(float *to, const uint16_t *from)
{
    an_bf16_eight narrow;
    memcpy(&narrow, from, sizeof narrow);
    an_bf16_words bits = __builtin_convertvector(narrow, an_bf16_words) << 16;
    memcpy(to, &bits, sizeof bits);
}

/* to[i] ← from[i], i < n. */
void an_bf16_round(uint16_t *to, const float *from, int64_t n);
void an_bf16_widen(float *to, const uint16_t *from, int64_t n);

#endif
