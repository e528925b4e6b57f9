/* cross_attention: the parts of that denoiser, which two files work on: cross_attention.c
 * makes it, encodes images and runs it with operations that can be differentiated;
 * cross_attention_chain.c is the pass of a reverse chain, which keeps nothing. */
#ifndef AN_MODEL_CROSS_ATTENTION_H
#define AN_MODEL_CROSS_ATTENTION_H

#include "model/denoiser_kind.h"
#include "model/layer.h"

typedef struct {
    an_dense q, k, v, out;
} an_cross_attention;

typedef struct {
    an_dense modulation; /* (9D, D): shift, scale, gate of self, of cross, of mlp */
    an_cross_attention self, cross;
    an_dense mlp0, mlp2;
} an_cross_block;

typedef struct {
    int64_t K, D, hidden;
    int blocks, heads;
    an_dense token, time0, time2, features, crops, out_modulation, out;
    an_tensor *class_embedding; /* (K, D) */
    an_tensor *crop_type;       /* (D)    */
    an_ln token_norm;
    an_cross_block block[AN_MOST_BLOCKS];
    an_tensor *position; /* (h, w, D) of the latest grid, retained */
} an_cross_network;

/* The pass for rows y (B·R, K) at one time: modulation[i] (1, 9D) of block i, the last one
 * (1, 2D) of the output; NULL entries and y pass a failure on → (B·R, K). */
an_tensor *an_cross_rows(const an_cross_network *n, const an_context *context,
                         an_tensor *const *modulation, an_tensor *y);

#endif
