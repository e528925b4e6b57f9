/* transpose: transposes a small matrix, for products whose sums run along the rows of both
 * operands. */
#ifndef AN_KERNEL_COMMON_TRANSPOSE_H
#define AN_KERNEL_COMMON_TRANSPOSE_H

#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/integer.h"

typedef float an_transpose_vector __attribute__((vector_size(32), aligned(4), may_alias));

/* Blocks of one, two and four neighbours of two vectors, interleaved: AVX's unpack and permute
 * instructions. GCC 12 and later and clang have this builtin. */
#define AN_LOW2(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define AN_HIGH2(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define AN_LOW4(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define AN_HIGH4(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define AN_LOW8(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define AN_HIGH8(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)

#define AN_TRANSPOSE_INLINE static inline __attribute__((always_inline))

/* to[c·ldt + r] = from[r·ldf + c] for r, c < 8; rows from `count` on are read as 0. */
AN_TRANSPOSE_INLINE void an_transpose8(float *to, int64_t ldt, const float *from, int64_t ldf,
                                       int64_t count)
{
    an_transpose_vector a[8], b[8];
    for (int r = 0; r < 8; r++)
        a[r] =
            r < count ? *(const an_transpose_vector *)(from + r * ldf) : (an_transpose_vector){0};
    for (int r = 0; r < 8; r += 2) {
        b[r] = AN_LOW2(a[r], a[r + 1]);
        b[r + 1] = AN_HIGH2(a[r], a[r + 1]);
    }
    for (int r = 0; r < 8; r += 4)
        for (int i = 0; i < 2; i++) {
            a[r + 2 * i] = AN_LOW4(b[r + i], b[r + i + 2]);
            a[r + 2 * i + 1] = AN_HIGH4(b[r + i], b[r + i + 2]);
        }
    for (int i = 0; i < 4; i++) {
        *(an_transpose_vector *)(to + i * ldt) = AN_LOW8(a[i], a[i + 4]);
        *(an_transpose_vector *)(to + (i + 4) * ldt) = AN_HIGH8(a[i], a[i + 4]);
    }
}

/* to (cols, ldt) = fromᵀ, from (rows, ldf); columns from `rows` to the next multiple of 16 become
 * 0. ldt ≥ rows rounded up to 16, ldf ≥ cols. Fast where the including function is compiled for
 * AVX2 or wider: about a cycle per two elements. */
AN_TRANSPOSE_INLINE void an_transpose(float *to, int64_t ldt, const float *from, int64_t ldf,
                                      int64_t rows, int64_t cols)
{
    AN_ASSERT_SLOW(rows >= 0 && ldt >= an_round_up(rows, 16) && cols >= 0 && ldf >= cols);
    for (int64_t r = 0; r < rows; r += 8) {
        int64_t count = rows - r < 8 ? rows - r : 8, c = 0;
        for (; c + 8 <= cols; c += 8)
            an_transpose8(to + c * ldt + r, ldt, from + r * ldf + c, ldf, count);
        for (; c < cols; c++)
            for (int64_t i = 0; i < 8; i++)
                to[c * ldt + r + i] = i < count ? from[(r + i) * ldf + c] : 0;
    }
    int64_t filled = (rows + 7) / 8 * 8;
    for (int64_t c = 0; c < cols && filled % 16; c++)
        memset(to + c * ldt + filled, 0, 8 * sizeof *to);
}

#endif
