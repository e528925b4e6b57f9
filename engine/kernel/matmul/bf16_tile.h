/* bf16_tile: the inner loop of all products of bf16 numbers: a tile of up to 32 by 32 float32 sums,
 * in steps of 32 terms.
 *
 * Row r of A at step s is 32 contiguous numbers, so an operand may be rows of a matrix, pixels of a
 * channels-last image or channels of a transposed one; nothing is copied. B is packed: a block of
 * 16 columns and 32 terms is 16 rows of 16 pairs, where pair n of row k is the terms 2k and 2k+1 of
 * column n, the form that AMX and AVX512_BF16 read (Intel SDM, TDPBF16PS, VDPBF16PS).
 *
 * The sum of an element depends only on its own row and column, so a row has the same bits in any
 * block. */
#ifndef AN_KERNEL_MATMUL_BF16_TILE_H
#define AN_KERNEL_MATMUL_BF16_TILE_H

#include "kernel/matmul/bf16_tile_job.h"

/* Each thread calls begin before its first tile of a parallel region, and end after its last. */
void an_k_bf16_begin(void);
void an_k_bf16_end(void);
void an_k_bf16_tile(const an_bf16_tile *job);

#endif
