/* prior: the class probabilities of an image before diffusion (METHOD §4).
 *
 * Global: features → saliency maps → logits g. Local: the most salient windows of the
 * input → a small residual network → gated attention → logits l. The prior mean is
 *     m = w·softmax(s g) + (1 − w)·softmax(s l)
 * With the option `tokens` the features are the only input: the most salient tokens replace the
 * windows and the network's vectors. m is that mean or one of its ablations. m, mg and ml are
 * constants of the forward process and carry gradients only with the option `gradient`; g and l
 * always do, for the loss of the priors themselves. */
#ifndef AN_MODEL_PRIOR_H
#define AN_MODEL_PRIOR_H

#include "model/module.h"

/* LOCAL also computes g, which selects the windows, but leaves it out of m. */
typedef enum {
    AN_PRIOR_BOTH,
    AN_PRIOR_GLOBAL,
    AN_PRIOR_LOCAL,
    AN_PRIOR_UNIFORM,   /* m = 1/K                 */
    AN_PRIOR_FREQUENCY, /* m = π, the class shares */
    AN_PRIOR_ZERO       /* m = 0                   */
} an_prior_mode;

extern const char *const an_prior_mode_names[]; /* "both", "global", …, NULL */

typedef struct {
    an_prior_mode mode;
    int64_t classes;      /* K                                                            */
    int64_t features;     /* Cf, channels of the backbone's features                      */
    int64_t channels;     /* C, of the images                                             */
    double top_percent;   /* percent of the map that a class's logit averages, (0, 100]   */
    bool tokens;          /* the images are the features: tokens replace the windows      */
    int64_t crops;        /* windows, or tokens, per image                                */
    int64_t crop_size;    /* their side in pixels; 0: an even third of the shorter side   */
    int64_t local_width;  /* channels of the local network's stem; its vectors: twice that */
    int64_t attention;    /* hidden units of the gated attention                          */
    double weight;        /* w                                                            */
    bool gradient;        /* m, mg, ml carry gradients                                    */
    bool cosine;          /* g and l are cosines: unit weights, unit features, no bias    */
    double logit_scale;   /* s > 0; 0 means 1. Their loss has the same factor             */
    const double *counts; /* (K) n_j, for FREQUENCY only; copied                          */
} an_prior_options;

typedef struct an_prior an_prior;

/* The prior of a batch. A tensor that the mode does not compute is NULL; the others belong to the
 * current scope. */
typedef struct {
    an_tensor *g, *l;     /* (B, K) logits                                              */
    an_tensor *m;         /* (B, K) prior mean                                          */
    an_tensor *mg, *ml;   /* (B, K) inputs of the denoiser, never NULL: softmax(s g) and
                             softmax(s l), 0 for a branch that m leaves out, and both m in
                             the constant modes                                         */
    an_tensor *saliency;  /* (B, h, w, K)                                               */
    an_tensor *crops;     /* (B, crops, D_l) the windows' vectors                       */
    an_tensor *positions; /* int64 (B, crops, 2) first row and column, 0-based pixels   */
    an_tensor *attention; /* (B, crops) weight of each window in l                      */
    int64_t side;         /* of the windows, pixels                                     */
} an_prior_output;

/* Declares `prefix`.saliency, `prefix`.local, `prefix`.pool and `prefix`.head, as the mode needs
 * them, in m, which must not be sealed yet, and retains m. NULL after a failure: AN_EINVAL for
 * options out of range, a duplicate name or a sealed m. */
an_prior *an_prior_new(an_module *m, const char *prefix, const an_prior_options *options);
void an_prior_free(an_prior *p); /* NULL is allowed */

/* images (B, H, W, C) and their features (B, h, w, Cf). Constant modes use only the batch size of
 * the images; features may then be NULL. For any other NULL argument it returns the failure that
 * caused it. */
an_code an_prior_forward(const an_prior *p, an_tensor *images, an_tensor *features,
                         an_prior_output *out);

int64_t an_prior_crop_features(const an_prior *p); /* D_l, 0 without a local branch */
const an_prior_options *an_prior_options_of(const an_prior *p);
an_module *an_prior_module(const an_prior *p);

#endif
