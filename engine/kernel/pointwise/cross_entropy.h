/* cross_entropy: one cross-entropy kernel for every prior loss of the method: plain, weighted and
 * class-balanced (1901.05555), focal (1708.02002), LDAM (1906.07413, margin and scale),
 * balanced softmax (2007.10740) and logit adjustment (2007.07314), label smoothing.
 *
 *     z    = scale·(logits + adjust − margin_y at the true class y),  p = softmax(z)
 *     q    = (1−smoothing)·w_y at y, plus smoothing·w_c/K at every class c
 *     loss = Σ_b (1−p_y)^focal·Σ_c q_c·(−log p_c) / Σ_b w_{y_b}
 *
 * which for focal = 0 is PyTorch's cross_entropy. Rows are computed in double, each by
 * one thread, and added in row order. Cost: two passes of exponentials over (B, K). */
#ifndef AN_KERNEL_POINTWISE_CROSS_ENTROPY_H
#define AN_KERNEL_POINTWISE_CROSS_ENTROPY_H

#include <stdint.h>

typedef struct {
    const float *weight, *adjust, *margin; /* (K) each, NULL for 1, 0, 0              */
    double scale, focal, smoothing;        /* scale 1, focal ≥ 0, smoothing in [0, 1) */
} an_cross_entropy_args;

/* row (B) receives the numerators of the loss. Returns the loss: logits (B, K), labels
 * (B) within 0 … K−1. NaN if all the weights in the batch are zero. */
double an_k_cross_entropy_forward(float *row, const float *logits, const int64_t *labels, int64_t B,
                                  int64_t K, const an_cross_entropy_args *args);

/* dlogits (B, K) += dloss·∂loss/∂logits. */
void an_k_cross_entropy_backward(float *dlogits, double dloss, const float *logits,
                                 const int64_t *labels, int64_t B, int64_t K,
                                 const an_cross_entropy_args *args);

#endif
