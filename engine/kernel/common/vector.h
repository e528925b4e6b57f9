/* vector: vectors of floats of one width, for loops that are compiled once per width. The including
 * file defines AN_VECTOR, the number of floats: 4 (any machine), 8 (AVX2 with FMA) or 16 (AVX-512).
 * It is included once per source file, never in a header that others include.
 *
 *   V            a vector of LANES floats
 *   LOAD, STORE at any alignment; SPREAD(x): one float in all lanes
 *   ADD, FMA     FMA(a, b, c) = a·b + c: rounded once with 8 and 16 floats, twice with 4
 *   MAX(a, b)    per lane, b where one is NaN
 *   VECS, ROWS   a tile of ROWS by VECS vectors fits the registers; ROWS divides 8
 *   TALL         the same for tiles of any number of rows
 *   TARGET the attribute of functions that use vectors; INLINE: of those that are inlined
 *   NAME(f)      f with the prefix of the width */
#ifndef AN_KERNEL_COMMON_VECTOR_H
#define AN_KERNEL_COMMON_VECTOR_H

#if AN_VECTOR == 16
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f")))
#define NAME(f) an_micro_avx512_##f
#define V __m512
#define LOAD _mm512_loadu_ps
#define STORE _mm512_storeu_ps
#define SPREAD(x) _mm512_set1_ps(x)
#define ADD _mm512_add_ps
#define FMA _mm512_fmadd_ps
#define MAX _mm512_max_ps
#define ROWS 8
#define TALL 8

#elif AN_VECTOR == 8
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define NAME(f) an_micro_avx2_##f
#define V __m256
#define LOAD _mm256_loadu_ps
#define STORE _mm256_storeu_ps
#define SPREAD(x) _mm256_set1_ps(x)
#define ADD _mm256_add_ps
#define FMA _mm256_fmadd_ps
#define MAX _mm256_max_ps
#define ROWS 4
#define TALL 6 /* 8 loads for 12 FMAs (4 rows: 6 for 8); the most that the registers hold */

#else
#include <stdint.h>

#define TARGET
#define NAME(f) an_micro_baseline_##f

typedef float an_four __attribute__((vector_size(16)));
typedef float an_four_anywhere __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t an_four_choices __attribute__((vector_size(16)));

static inline an_four an_four_larger(an_four a, an_four b)
{
    an_four_choices first = a > b;
    return (an_four)((first & (an_four_choices)a) | (~first & (an_four_choices)b));
}

#define V an_four
#define LOAD(p) (*(const an_four_anywhere *)(p))
#define STORE(p, v) (*(an_four_anywhere *)(p) = (v))
#define SPREAD(x) ((an_four){(x), (x), (x), (x)})
#define ADD(a, b) ((a) + (b))
#define FMA(a, b, c) ((a) * (b) + (c))
#define MAX an_four_larger
#define ROWS 4
#define TALL 4
#endif

enum { LANES = AN_VECTOR, VECS = 2 };

#define INLINE static inline __attribute__((always_inline)) TARGET
#define EACH_ROW _Pragma("GCC unroll 8") for (int r = 0; r < rows; r++)
#define EACH_VEC _Pragma("GCC unroll 8") for (int v = 0; v < vecs; v++)

#endif
