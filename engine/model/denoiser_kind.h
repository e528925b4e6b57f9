/* denoiser_kind: the methods that a kind of denoiser implements. A new kind needs a file that
 * defines such a table, an entry of an_denoiser_kind and a line in denoiser.c. denoiser.c checks
 * all arguments before it calls a method. */
#ifndef AN_MODEL_DENOISER_KIND_H
#define AN_MODEL_DENOISER_KIND_H

#include "model/denoiser_options.h"
#include "model/module.h"

struct an_denoiser_context {
    const an_denoiser *owner; /* the denoiser that encoded it                                 */
    int64_t images;           /* B                                                            */
    an_tensor *mg, *ml;       /* (B, K), retained                                             */
    /* What the kind computed from the images, retained; NULL: unused. cross_attention: keys (B, N,
     * D) of block i at 2i, values at 2i + 1; film: the vector of each image (B, D) at 0. */
    an_tensor *kept[2 * AN_MAX_BLOCKS];
    an_tensor *candidates; /* (B, C+1), retained, of an_candidates_choose(); NULL: every class */
};

typedef struct {
    size_t bytes; /* size of the network's own structure, `self` below, zeroed before build */
    /* Declares the parameters in m; returns an_module_failed(m). */
    an_code (*build)(void *self, an_module *m, const char *prefix, const an_denoiser_options *o);
    /* Fills c->kept with tensors of the current scope; the caller retains them. */
    an_code (*encode)(void *self, an_denoiser_context *c, an_tensor *features, an_tensor *crops);
    /* As an_denoiser_forward(); `map` is NULL if no map is requested. */
    an_tensor *(*forward)(void *self, const an_denoiser_context *c, an_tensor *y, an_tensor *t,
                          an_tensor **map);
    void (*release)(void *self); /* releases what self retains; the method may be NULL */
} an_denoiser_methods;

/* Whether all of t int64 (n) are equal, as in a step of a reverse chain. */
bool an_denoiser_times_equal(const an_tensor *t);

extern const an_denoiser_methods an_cross_attention_methods; /* cross_attention.c */
extern const an_denoiser_methods an_film_methods;            /* film.c            */

#endif
