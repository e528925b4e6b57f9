/* cross_entropy: one kernel for every classification loss of the priors: plain, weighted and
 * class-balanced (1901.05555), focal (1708.02002), LDAM (1906.07413, margin and scale),
 * balanced softmax (2007.10740) and logit adjustment (2007.07314), label smoothing.
 *
 *     z    = scale·(logits + adjust − margin_y at the true class y),  p = softmax(z)
 *     q    = (1−smoothing)·w_y at y, plus smoothing·w_c/K at every class c
 *     loss = Σ_b (1−p_y)^focal·Σ_c q_c·(−log p_c) / Σ_b w_{y_b}
 *
 * For focal = 0 this is PyTorch's cross_entropy. One thread computes a row, in double, and rows are
 * added in order, so the result does not depend on the number of threads. Cost: two passes of
 * exponentials over (B, K). B and K are ≥ 1. */
#ifndef AN_KERNEL_POINTWISE_CROSS_ENTROPY_H
#define AN_KERNEL_POINTWISE_CROSS_ENTROPY_H

#include <stdint.h>

typedef struct {
    const float *weight, *adjust, *margin; /* (K) each, NULL for 1, 0, 0              */
    double scale, focal, smoothing;        /* scale > 0, focal ≥ 0, smoothing in [0, 1) */
} an_cross_entropy_args;

/* Returns the loss of logits (B, K) with labels (B) in 0 … K−1, and stores each row's term of the
 * numerator in row (B). NaN if the weights of all labels in the batch are zero. */
double an_k_cross_entropy_forward(float *row, const float *logits, const int64_t *labels, int64_t B,
                                  int64_t K, const an_cross_entropy_args *args);

/* dlogits (B, K) += dloss·∂loss/∂logits. */
void an_k_cross_entropy_backward(float *dlogits, double dloss, const float *logits,
                                 const int64_t *labels, int64_t B, int64_t K,
                                 const an_cross_entropy_args *args);

#endif
