/* cross_attention: the parameters of the cross-attention denoiser, shared by two files.
 * cross_attention.c builds it, encodes images and runs it with recorded operations;
 * cross_attention_chain.c is its forward pass in a reverse chain, without recording. */
#ifndef AN_MODEL_CROSS_ATTENTION_H
#define AN_MODEL_CROSS_ATTENTION_H

#include "model/denoiser_kind.h"
#include "model/layer.h"

typedef struct {
    an_dense q, k, v, out;
} an_cross_attention;

typedef struct {
    an_dense modulation; /* D → 9D: shift, scale and gate of self, of cross, of mlp */
    an_cross_attention self, cross;
    an_dense mlp0, mlp2;
} an_cross_block;

typedef struct {
    int64_t K, D, hidden;
    int64_t candidates; /* C < K; 0: every class has a token */
    int blocks, heads;
    bool unordered, logits;
    an_dense token, time0, time2, features, crops, out_modulation, out;
    an_tensor *class_embedding; /* (K, D); with candidates (K+1, D): the last row is the rest's */
    an_tensor *crop_type;       /* (D) */
    an_ln token_norm;
    an_cross_block block[AN_MAX_BLOCKS];
    an_tensor *position; /* (h, w, D) of the latest grid, retained; NULL before */
} an_cross_network;

/* The forward pass for rows y (B·R, K), contiguous, all at one time → (B·R, K). modulation[i] (1,
 * 9D) is that of block i, modulation[blocks] (1, 2D) that of the output. NULL after a failure, or
 * if y or a modulation is NULL. */
an_tensor *an_cross_attention_chain(const an_cross_network *n, const an_denoiser_context *context,
                                    an_tensor *const *modulation, an_tensor *y);

#endif
