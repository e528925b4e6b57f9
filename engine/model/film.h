/* film: the parts of that denoiser, which two files work on: film.c makes it, encodes images
 * and runs it with operations that can be differentiated; film_chain.c is the pass of a
 * reverse chain, which keeps nothing. */
#ifndef AN_MODEL_FILM_H
#define AN_MODEL_FILM_H

#include "model/denoiser_kind.h"
#include "model/layer.h"

enum { AN_FILM_LAYERS = 3 };

typedef struct {
    an_dense lin;
    an_tensor *embed; /* (T+1, D), uniform in [0, 1) as CARD's */
    an_bn norm;
} an_film_layer;

typedef struct {
    an_dense feature, out;
    an_bn feature_norm;
    an_film_layer layer[AN_FILM_LAYERS];
} an_film_network;

/* The pass for rows y (B·R, K) at time t, normalised by the running moments; u (B, D) is the
 * images' vector. A NULL passes a failure on → (B·R, K). */
an_tensor *an_film_rows(const an_film_network *f, const an_context *context, an_tensor *u,
                        an_tensor *y, int64_t t);

#endif
