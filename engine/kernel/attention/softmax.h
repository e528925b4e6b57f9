/* softmax: over the rows of a matrix. x, p, y and their gradients are (rows, n),
 * contiguous. A row is one thread's; its sums are double. −∞ gives probability 0. */
#ifndef AN_KERNEL_ATTENTION_SOFTMAX_H
#define AN_KERNEL_ATTENTION_SOFTMAX_H

#include <stdint.h>

/* p = softmax(x); p may be x. */
void an_k_softmax_forward(float *p, const float *x, int64_t rows, int64_t n);
/* dx += p·(dp − Σ p·dp) */
void an_k_softmax_backward(float *dx, const float *dp, const float *p, int64_t rows, int64_t n);

/* y = x − log Σ e^x; y may be x. */
void an_k_log_softmax_forward(float *y, const float *x, int64_t rows, int64_t n);
/* dx += dy − e^y·Σ dy */
void an_k_log_softmax_backward(float *dx, const float *dy, const float *y, int64_t rows, int64_t n);

#endif
