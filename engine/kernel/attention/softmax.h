/* softmax: softmax and log-softmax of each row of a matrix. x, p, y and their gradients are
 * (rows, n), contiguous, rows ≥ 0, n ≥ 1. One thread computes a row, with sums in double, so the
 * result does not depend on the number of threads. An element of −∞ has probability 0. */
#ifndef AN_KERNEL_ATTENTION_SOFTMAX_H
#define AN_KERNEL_ATTENTION_SOFTMAX_H

#include <stdint.h>

/* p = softmax(x). p may be x; otherwise they must not overlap. */
void an_k_softmax_forward(float *p, const float *x, int64_t rows, int64_t n);
/* dx += p·(dp − Σ p·dp) with the forward result p; dx overlaps neither p nor dp. */
void an_k_softmax_backward(float *dx, const float *dp, const float *p, int64_t rows, int64_t n);

/* y = x − log Σ e^x. y may be x; otherwise they must not overlap. */
void an_k_log_softmax_forward(float *y, const float *x, int64_t rows, int64_t n);
/* dx += dy − e^y·Σ dy with the forward result y; dx overlaps neither y nor dy. */
void an_k_log_softmax_backward(float *dx, const float *dy, const float *y, int64_t rows, int64_t n);

#endif
