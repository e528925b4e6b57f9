/* microkernel: the three inner loops of all our matrix products and convolutions. Each keeps a tile
 * of 8 rows by up to 32 columns in registers while it sums. The loops copy no operand; packed.h
 * packs one. Compiled once per vector width. The sum of an element is in order of its terms, so
 * AVX2 and AVX-512 give the same bits; the baseline has no fused multiply-add and rounds twice.
 *
 *   rows    out[m][n] = Σ_s Σ_k a_s[m][k] · b_s[k][n]     8 pointers per segment s, each to k
 *           contiguous floats: pixels of a channels-last image, one segment per kernel tap
 *           (Dukhan, "The indirect convolution algorithm", 2019), or rows of a matrix
 *   panel   out[m][n] = Σ_k a[m][k] · b[k][n]             any number of evenly spaced rows: one
 *           call per panel, because for short sums a call per tile would cost as much as the tile
 *   outer   out[m][n] = Σ_p a[p][m] · b[p][n]             p runs over two arrays with strides:
 *           sums over pixels or tiles, as in weight gradients
 *
 * All run on the calling thread. Each job states the ranges of its fields; n ≤ 0 terms give 0. */
#ifndef AN_KERNEL_MATMUL_MICROKERNEL_H
#define AN_KERNEL_MATMUL_MICROKERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/common/prefetch.h"

enum { AN_MICRO_ROWS = 8, AN_MICRO_COLUMNS = 2 * AN_LANES };

typedef struct {
    const float *const *a; /* (segments, 8) pointers to k floats each                      */
    const float *const *b; /* (segments) pointers to (k, b_step)                           */
    int64_t segments, k;
    int64_t b_step;    /* floats from one k to the next; that many are readable up to
                          columns rounded up to 16                                     */
    float *const *out; /* (8) pointers; unused rows may share one                      */
    int64_t columns;   /* 1 … 32                                                       */
    const float *bias; /* (columns), added; or NULL                                    */
    bool accumulate;   /* add to out                                                   */
} an_micro_rows;

void an_k_micro_rows(const an_micro_rows *job);

typedef struct {
    const float *a, *b; /* rows a_step apart; b as above                            */
    int64_t rows, k, a_step, b_step;
    float *out;                /* rows out_step apart                                      */
    int64_t out_step, columns; /* a multiple of 16                                         */
    const float *bias;         /* (columns), added; or NULL                                */
    bool accumulate;
    an_prefetch *prefetch; /* or NULL                                                  */
} an_micro_panel;

void an_k_micro_panel(const an_micro_panel *job);

typedef struct {
    const float *a, *b;
    int64_t n[3], a_step[3], b_step[3]; /* three nested counts, the outermost first        */
    int64_t rows, columns;              /* 1 … 8; 1 … 32, b readable up to columns rounded up
                                           to 16; or any rows by a multiple of 16 columns   */
    float *out;
    int64_t out_step; /* floats from row to row                           */
    bool accumulate;
    an_prefetch *prefetch; /* or NULL                                          */
} an_micro_outer;

void an_k_micro_outer(const an_micro_outer *job);

#endif
