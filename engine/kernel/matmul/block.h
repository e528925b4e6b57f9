/* block: products of a block of rows that stays in the cache, on the calling thread.
 *
 *     y (rows, cols) = bias (cols) + x (rows, depth) · b (depth, cols)
 * A forward pass that keeps nothing runs a few dozen rows through all its layers before it
 * takes the next; gemm.h is for products that fill the machine on their own. Every number is one
 * sum in order of depth (microkernel.h), whatever the other rows are: a row's bits do not depend on
 * the block that it is computed in. */
#ifndef AN_KERNEL_MATMUL_BLOCK_H
#define AN_KERNEL_MATMUL_BLOCK_H

#include <stdint.h>

enum { AN_PANEL = 32 }; /* columns side by side in packed storage */

/* b: column c of row k is at[(c / AN_PANEL)·panel + k·row + c % AN_PANEL]. */
typedef struct {
    const float *at;
    int64_t row, panel;
} an_columns;

/* b stored row by row, `ld` numbers from one row to the next. */
static inline an_columns an_k_columns(const float *b, int64_t ld)
{
    return (an_columns){b, ld, AN_PANEL};
}

/* Numbers that a packed (out, in) takes: whole panels. */
static inline int64_t an_k_packed(int64_t out, int64_t in)
{
    return (out + AN_PANEL - 1) / AN_PANEL * AN_PANEL * in;
}

/* Packs bᵀ of w (out, in) with row length ldw, as nn.Linear or attention's keys have it;
 * columns from `out` to the next multiple of 16 become 0. `packed` holds an_k_packed(out, in). */
an_columns an_k_pack(float *packed, const float *w, int64_t ldw, int64_t out, int64_t in);

/* The product; bias NULL for 0. x's rows are ldx apart. y is apart from the others. Multiples of 16
 * columns are fast. */
void an_k_block(float *y, int64_t ldy, const float *x, int64_t ldx, int64_t rows, an_columns b,
                const float *bias, int64_t cols, int64_t depth);

#endif
