/* bf16_turn: converts operands of a bf16 product to the forms that bf16_tile.h reads, from rows of
 * float32, or of bf16 if `narrow`: B packed, and, for sums over the rows, A by columns and B by
 * pairs of rows. */
#ifndef AN_KERNEL_MATMUL_BF16_TURN_H
#define AN_KERNEL_MATMUL_BF16_TURN_H

#include <stdbool.h>
#include <stdint.h>

/* Packs terms first … first + K − 1 of a block of 16 columns: term first + k of column n is
 * from[n·column + k·term]. The other terms of the last step stay as they are. */
void an_bf16_pack(uint16_t *packed, int64_t first, const uint16_t *from, int64_t column, int64_t K,
                  int64_t term);

/* to[k·ld + i] ← from[i·apart + k], for i < n and k < count ≤ 16. `work` holds
 * 16 · an_round_up(n, 16) floats. */
void an_bf16_turn(uint16_t *to, int64_t ld, const void *from, bool narrow, int64_t apart, int64_t n,
                  int64_t count, float *work);

/* Packs rows of N numbers in blocks of 16 columns: column 16·h + n of row j goes to
 * to[h·block + j / 2 · 32 + 2·n + j % 2]. An odd last row is paired with zeros. N is a multiple
 * of 16. */
void an_bf16_pairs(uint16_t *to, int64_t block, const void *from, bool narrow, int64_t rows,
                   int64_t N);

#endif
