/* denoiser_kind: what a kind of denoiser implements. A new kind is one file that defines
 * such a table, and one line in denoiser.c. */
#ifndef AN_MODEL_DENOISER_KIND_H
#define AN_MODEL_DENOISER_KIND_H

#include "model/denoiser.h"

struct an_context {
    const an_denoiser *owner;
    int64_t images;                      /* B                                      */
    an_tensor *mg, *ml;                  /* (B, K), retained                       */
    an_tensor *kept[2 * AN_MOST_BLOCKS]; /* the kind's own, retained, NULL if none */
};

typedef struct {
    size_t bytes; /* of the kind's own state, zeroed before build */
    /* Declares the parameters; failures stick to m. */
    an_code (*build)(void *self, an_module *m, const char *prefix, const an_denoiser_options *o);
    /* Fills kept[] with tensors of the current scope; the caller retains them. */
    an_code (*encode)(void *self, an_context *c, an_tensor *features, an_tensor *crops);
    an_tensor *(*forward)(void *self, const an_context *c, an_tensor *y, an_tensor *t,
                          an_tensor **map);
    void (*drop)(void *self); /* releases what build and encode kept; may be NULL */
} an_denoiser_kind;

/* True if all rows are at one time, as in a reverse chain. */
bool an_denoiser_one_time(const an_tensor *t);

extern const an_denoiser_kind an_cross_attention_kind; /* cross_attention.c */
extern const an_denoiser_kind an_film_kind;            /* film.c            */

#endif
