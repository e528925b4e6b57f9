/* bf16_turn_avx512: the loops of bf16_turn.h with AVX512_BF16. A row is converted with one
 * instruction, and two rows are transposed together, as pairs of 32 bits. */
#include "base/simd.h"

#ifdef AN_SIMD_X86
#include <immintrin.h>

#include "kernel/matmul/bf16_turn_dispatch.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define INLINE static inline __attribute__((always_inline)) TARGET

enum { SIDE = 16, WIDE = 2 * SIDE };

/* The lowest n of 16 lanes; none for n ≤ 0. */
INLINE __mmask16 lanes(int64_t n)
{
    return n >= SIDE ? (__mmask16)0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1);
}

/* Numbers at … at + 15 of `from` in words; 0 outside the mask. */
INLINE __m512i words(const void *from, const bool narrow, int64_t at, __mmask16 mask)
{
    __m256i some =
        narrow ? _mm256_maskz_loadu_epi16(mask, (const uint16_t *)from + at)
               : (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(mask, (const float *)from + at));
    return _mm512_cvtepu16_epi32(some);
}

/* Lane k: number even + k in the lower half, odd + k in the upper; 0 outside each mask. */
INLINE __m512i paired(const void *from, const bool narrow, int64_t even, __mmask16 of_even,
                      int64_t odd, __mmask16 of_odd)
{
    return _mm512_or_si512(words(from, narrow, even, of_even),
                           _mm512_slli_epi32(words(from, narrow, odd, of_odd), 16));
}

INLINE void pairs(uint16_t *to, int64_t block, const void *from, const bool narrow, int64_t rows,
                  int64_t N)
{
    for (int64_t h = 0; h < N; h += SIDE, to += block)
        for (int64_t j = 0; j < rows; j += 2)
            _mm512_storeu_si512(to + j * SIDE,
                                paired(from, narrow, j * N + h, 0xffff, (j + 1) * N + h,
                                       lanes(j + 1 < rows ? SIDE : 0)));
}

TARGET void an_bf16_avx512_pairs(uint16_t *to, int64_t block, const void *from, bool narrow,
                                 int64_t rows, int64_t N)
{
    if (narrow)
        pairs(to, block, from, true, rows, N);
    else
        pairs(to, block, from, false, rows, N);
}

/* Transposes 16 rows of 16 words. */
INLINE void transpose(__m512i a[SIDE])
{
    __m512i b[SIDE];
#pragma GCC unroll 16
    for (int i = 0; i < SIDE; i += 2) { /* neighbours of one word */
        b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
        b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < SIDE; i += 4) /* of two words */
#pragma GCC unroll 2
        for (int k = 0; k < 2; k++) {
            a[i + 2 * k] = _mm512_unpacklo_epi64(b[i + k], b[i + k + 2]);
            a[i + 2 * k + 1] = _mm512_unpackhi_epi64(b[i + k], b[i + k + 2]);
        }
#pragma GCC unroll 16
    for (int i = 0; i < 4; i++) /* quarters */
#pragma GCC unroll 2
        for (int k = 0; k < SIDE; k += 8) {
            b[i + k] = _mm512_shuffle_i32x4(a[i + k], a[i + k + 4], 0x88);
            b[i + k + 4] = _mm512_shuffle_i32x4(a[i + k], a[i + k + 4], 0xdd);
        }
#pragma GCC unroll 16
    for (int i = 0; i < 8; i++) {
        a[i] = _mm512_shuffle_i32x4(b[i], b[i + 8], 0x88);
        a[i + 8] = _mm512_shuffle_i32x4(b[i], b[i + 8], 0xdd);
    }
}

INLINE void turn(uint16_t *to, int64_t ld, const void *from, const bool narrow, int64_t apart,
                 int64_t n, int64_t count)
{
    const __mmask16 channels = lanes(count);
    for (int64_t i = 0; i < n; i += WIDE) {
        __m512i pair[SIDE];
#pragma GCC unroll 16
        for (int r = 0; r < SIDE; r++) {
            int64_t even = i + 2 * r;
            pair[r] = paired(from, narrow, even * apart, even < n ? channels : 0,
                             (even + 1) * apart, even + 1 < n ? channels : 0);
        }
        transpose(pair);
        const __mmask32 inside = n - i >= WIDE ? 0xffffffffu : (1u << (n - i)) - 1;
#pragma GCC unroll 16
        for (int k = 0; k < SIDE; k++)
            if (k < count)
                _mm512_mask_storeu_epi16(to + k * ld + i, inside, pair[k]);
    }
}

TARGET void an_bf16_avx512_turn(uint16_t *to, int64_t ld, const void *from, bool narrow,
                                int64_t apart, int64_t n, int64_t count)
{
    if (narrow)
        turn(to, ld, from, true, apart, n, count);
    else
        turn(to, ld, from, false, apart, n, count);
}
#endif
