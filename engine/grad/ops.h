/* ops: the differentiable operations. Each checks its inputs, calls one kernel, and records a
 * backward rule, which is next to it in the file named by its section. Conventions: tensor/tensor.h
 * (scope ownership, NULL in gives NULL out, images channels-last). Inputs have any strides; results
 * are contiguous. An invalid shape, dtype or option is AN_EINVAL with a message. Parameters keep
 * PyTorch's layouts: linear (out, in), convolution (O, I, kh, kw). [opt] marks tensors that may be
 * NULL. */
#ifndef AN_GRAD_OPS_H
#define AN_GRAD_OPS_H

#include "kernel/conv/conv.h"               /* AN_NARROW_CHANNELS         */
#include "kernel/norm/batch_norm.h"         /* AN_NORM_NARROW             */
#include "kernel/pointwise/cross_entropy.h" /* an_cross_entropy_args      */
#include "kernel/pointwise/diffusion.h"     /* an_prediction, an_reading  */
#include "kernel/pointwise/map.h"           /* an_map_kind                */
#include "kernel/pointwise/mmd.h"           /* an_mmd_args                */
#include "tensor/tensor.h"

/* ── rules_map.c: elementwise (broadcasting as NumPy) and sums ───────────────────── */
an_tensor *an_add(an_tensor *a, an_tensor *b);
an_tensor *an_sub(an_tensor *a, an_tensor *b);
an_tensor *an_mul(an_tensor *a, an_tensor *b);
an_tensor *an_div(an_tensor *a, an_tensor *b);
an_tensor *an_affine(an_tensor *x, double scale, double shift); /* scale·x + shift */
an_tensor *an_map(an_tensor *x, an_map_kind kind);              /* gelu is the erf form */
#define AN_ALL 1000                                             /* as dim: over all elements */
an_tensor *an_sum(an_tensor *x, int dim, bool keep); /* keep: the dimension stays, with size 1 */
an_tensor *an_mean(an_tensor *x, int dim, bool keep);

/* ── rules_shape.c: another shape or order ───────────────────────────────────────── */
an_tensor *an_reshape(an_tensor *x, int ndim, const int64_t *shape); /* one −1 allowed; shares */
an_tensor *an_permute(an_tensor *x, const int *order);
an_tensor *an_narrow(an_tensor *x, int dim, int64_t start, int64_t length);
an_tensor *an_expand(an_tensor *x, int ndim, const int64_t *shape); /* broadcasts */
/* (B, …) → (B·times, …): row b becomes rows b·times … b·times + times − 1 */
an_tensor *an_repeat_rows(an_tensor *x, int64_t times);
an_tensor *an_concat(an_tensor *const *xs, int n, int dim); /* n ≤ AN_NODE_INPUTS */
an_tensor *an_contiguous(an_tensor *x);                     /* x itself if it is */
an_tensor *an_detach(an_tensor *x);                         /* shares x's elements, no gradient */

/* ── rules_cast.c ────────────────────────────────────────────────────────────────── */
/* Between float32 and bf16, rounded to the nearest; x itself if it has that dtype. */
an_tensor *an_cast(an_tensor *x, an_dtype dtype);

/* ── rules_linear.c: products and convolution ────────────────────────────────────── */
/* (M,K)(K,N) or batched (G,M,K)(G,K,N); ta, tb: a, b are transposed in their last two dimensions */
an_tensor *an_matmul(an_tensor *a, an_tensor *b, bool ta, bool tb);
/* x (…, in), w (out, in), b [opt] (out) → (…, out) */
an_tensor *an_linear(an_tensor *x, an_tensor *w, an_tensor *b);
/* x (B,H,W,C), w (O,C,kh,kw), b [opt] (O) → (B,Ho,Wo,O). x may be bf16 (see tensor.h) if O and,
 * when x requires a gradient, C are multiples of 16, stride ≤ 4 and b is NULL; the result is then
 * bf16 too. */
an_tensor *an_conv2d(an_tensor *x, an_tensor *w, an_tensor *b, int stride, int pad);

/* ── rules_pool.c ────────────────────────────────────────────────────────────────── */
/* (B,H,W,C) → (B,Ho,Wo,C), of x's dtype, which may be bf16; padding is never chosen */
an_tensor *an_max_pool2d(an_tensor *x, int size, int stride, int pad);
an_tensor *an_avg_pool2d(an_tensor *x, int size, int stride); /* no padding */
an_tensor *an_global_avg_pool(an_tensor *x);                  /* (B,H,W,C) → (B,C) */
/* (B,h,w,K) → (B,K): per class, the mean of the max(1, round(percent/100·h·w)) largest positions;
 * of equal ones the lower index. percent in (0, 100]. */
an_tensor *an_top_pool(an_tensor *x, double percent);

/* ── rules_norm.c ────────────────────────────────────────────────────────────────── */
/* Batch normalisation over all but the last dimension, optionally fused with + residual and ReLU:
 * y = relu?(γ·(x−mean)/√(var+eps) + β + residual). Training normalises with the moments of the
 * batch and updates the running ones: r ← (1−momentum)·r + momentum·batch, unbiased variance, as
 * PyTorch. x and the residual are float32, or both bf16 with at most AN_NORM_NARROW features; the
 * result has their dtype. */
typedef struct {
    an_tensor *gamma, *beta;               /* (C) */
    an_tensor *running_mean, *running_var; /* (C), contiguous; required in training too */
    bool train, relu;
    double momentum, eps; /* eps > 0 */
} an_batch_norm_args;
an_tensor *an_batch_norm(an_tensor *x, an_tensor *residual /* [opt] */,
                         const an_batch_norm_args *args);
/* Over the last dimension; gamma, beta [opt]; eps > 0. */
an_tensor *an_layer_norm(an_tensor *x, an_tensor *gamma, an_tensor *beta, double eps);

/* ── rules_adaptive_norm.c: the ends of a sub-layer under a condition ────────────── */
/* Row g of v (G, W) holds condition g: vectors of x's C features, from column `at` on. G divides
 * the rows of x; the g-th of G equal parts is under condition g. */
/* LN(x)(1 + scale) + shift: at column `at` shift, then scale */
an_tensor *an_adaptive_norm(an_tensor *x, an_tensor *v, int64_t at, double eps);
/* x + (1 + gate)·y */
an_tensor *an_gated_join(an_tensor *x, an_tensor *y, an_tensor *v, int64_t at);

/* ── rules_attention.c: attention and embeddings ─────────────────────────────────── */
/* Multi-head attention without projections: q (Bq,Lq,D), k and v (Bk,Lk,D), D = heads·d,
 * Bq = Bk·repeat → (Bq,Lq,D). Batch row i of q attends to row i/repeat of k, so that the M draws of
 * an image share its keys. `map` [opt] receives the attention weights averaged over the heads
 * (Bq,Lq,Lk), without gradient. */
an_tensor *an_attention(an_tensor *q, an_tensor *k, an_tensor *v, int heads, an_tensor **map);
/* w (V,D), index int64 (…) within 0 … V−1 → (…,D) */
an_tensor *an_embedding(an_tensor *w, an_tensor *index);
/* Sinusoidal embedding of times t int64 (B) → (B,D), D even, max_period > 1, no gradient:
 * [cos(t·f_i) … sin(t·f_i) …], f_i = max_period^(−i/(D/2)) (2006.11239). */
an_tensor *an_timestep_embedding(an_tensor *t, int64_t D, double max_period);

/* ── rules_candidates.c: a few classes and the rest (METHOD §5) ──────────────────── */
/* index int64 (B, C+1): the C classes with the largest score (B,K) of each row, of equal scores the
 * lower class, in ascending order; then K for the rest. 1 ≤ C < K. No gradient. */
an_tensor *an_candidates_choose(an_tensor *score, int64_t C);
/* x (B·R,K) → (B·R, C+1): the candidates' values, then scale · Σ of the rest */
an_tensor *an_candidates_gather(an_tensor *x, an_tensor *index, double scale);
/* x (B·R, C+1), p (B,K) ≥ 0 → (B·R,K): the candidates' values; a class j of the rest gets the value
 * of the rest times p_j/Σ_rest p or, if the values are logits, plus the logarithm of that.
 * Gradients to x and p. Every p_j counts as p_j + 1e-12. */
an_tensor *an_candidates_spread(an_tensor *x, an_tensor *p, an_tensor *index, bool logits);
/* maps (B·R, C+1, N) → (B·R, K, N): every class of the rest gets the map of the rest. No
 * gradient. */
an_tensor *an_candidates_maps(const an_tensor *maps, const an_tensor *index, int64_t K);

/* ── rules_diffusion.c: the forward process, and reading a prediction (METHOD §1, §2) ── */
/* Every tensor is (B,K). signal and noise hold a and s of each element: see an_gather() in
 * diffusion/process.h. Each operation also has gradients to them. */
/* y_t = m + a (y0 − m) + s ε; gradients to y0 and m, none to ε */
an_tensor *an_noised(an_tensor *y0, an_tensor *m, an_tensor *epsilon, an_tensor *signal,
                     an_tensor *noise);
/* The value towards which the network's output is trained: ε or y0 itself, or v = a ε − s (y0 − m)
 * with gradients to y0 and m. */
an_tensor *an_target(an_prediction prediction, an_tensor *y0, an_tensor *m, an_tensor *epsilon,
                     an_tensor *signal, an_tensor *noise);
/* ẑ0 = ŷ0 − m, or ε̂, from the network's output at y_t; gradients to output, y_t and m. The
 * formulas divide by a, s or a² + s²: AN_EINVAL for a row at t = 0. */
an_tensor *an_read(an_reading what, an_prediction prediction, an_tensor *y_t, an_tensor *m,
                   an_tensor *output, an_tensor *signal, an_tensor *noise);

/* ── rules_loss.c: softmax, and losses, which are scalars ────────────────────────── */
an_tensor *an_softmax(an_tensor *x); /* over the last dimension */
an_tensor *an_log_softmax(an_tensor *x);
/* Cross-entropy of logits (B,K) against labels int64 (B) within 0 … K−1: every loss of the priors,
 * by the formula in kernel/pointwise/cross_entropy.h. args NULL is the plain loss; the arrays that
 * args points to are copied. */
an_tensor *an_cross_entropy(an_tensor *logits, an_tensor *labels,
                            const an_cross_entropy_args *args);
/* Mean of w·(a−b)² over all elements (METHOD §6); w [opt] holds one weight per row (the first
 * dimension); NULL is 1. */
an_tensor *an_mse(an_tensor *a, an_tensor *b, an_tensor *w);
/* MMD² between the rows of a (B,K) and b (B,K), see kernel/pointwise/mmd.h; gradients to both. */
an_tensor *an_mmd(an_tensor *a, an_tensor *b, const an_mmd_args *args);

#endif
