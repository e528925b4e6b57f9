/* microkernel: the three inner loops of all our matrix products and convolutions. Each keeps a tile
 * of 8 rows by up to 32 columns in registers while it sums. The loops copy no operand; packed.h
 * packs one. Compiled once per vector width. The terms of an element are summed in order, so AVX2
 * and AVX-512 give the same bits; the baseline has no fused multiply-add and rounds twice.
 *
 *   rows    out[m][n] = Σ_s Σ_k a_s[m][k] · b_s[k][n]     8 pointers per segment s, each to k
 *           contiguous floats: pixels of a channels-last image, one segment per kernel tap
 *           (Dukhan, "The indirect convolution algorithm", 2019), or rows of a matrix
 *   panel   out[m][n] = Σ_k a[m][k] · b[k][n]             any number of evenly spaced rows: one
 *           call per panel, because for short sums a call per tile would cost as much as the tile
 *   outer   out[m][n] = Σ_p a[p][m] · b[p][n]             p runs over two arrays with strides:
 *           sums over pixels or tiles, as in weight gradients
 *
 * All run on the calling thread. microkernel_job.h states the ranges of a job's fields; n ≤ 0 terms
 * give 0. */
#ifndef AN_KERNEL_MATMUL_MICROKERNEL_H
#define AN_KERNEL_MATMUL_MICROKERNEL_H

#include "kernel/matmul/microkernel_job.h"

void an_k_micro_rows(const an_micro_rows *job);
void an_k_micro_panel(const an_micro_panel *job);
void an_k_micro_outer(const an_micro_outer *job);

#endif
