/* film: the parameters of the film denoiser, shared by two files. film.c builds it, encodes images
 * and runs it with recorded operations; film_chain.c is its forward pass in a reverse chain,
 * without recording. */
#ifndef AN_MODEL_FILM_H
#define AN_MODEL_FILM_H

#include "model/denoiser_kind.h"
#include "model/layer.h"

enum { AN_FILM_LAYERS = 3 };

typedef struct {
    an_dense lin;
    an_tensor *embed; /* (T+1, D), initialised uniformly in [0, 1), as in CARD */
    an_bn norm;
} an_film_layer;

typedef struct {
    an_dense feature, out;
    an_bn feature_norm;
    an_film_layer layer[AN_FILM_LAYERS];
} an_film_network;

/* The forward pass for rows y (B·R, K), contiguous, at time t in 0 … T, normalised with the running
 * moments; u (B, D) holds the vector of each image → (B·R, K). NULL after a failure, or if u or y
 * is NULL. */
an_tensor *an_film_chain(const an_film_network *f, const an_denoiser_context *context, an_tensor *u,
                         an_tensor *y, int64_t t);

#endif
