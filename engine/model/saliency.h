/* saliency: the global prior, a map per class over the backbone's grid.
 *
 * A 1×1 convolution turns features into K maps; the logit of a class is the mean of the largest p %
 * of its map (GMIC, Shen et al., 1906.02846): a small lesion suffices for a large logit, and p =
 * 100 is average pooling. With `cosine` a map is ŵ_j·F / ‖mean of F‖, with ŵ_j of norm 1 and no
 * bias, so that p = 100 gives the cosine of w_j and the pooled features (1906.07413). */
#ifndef AN_MODEL_SALIENCY_H
#define AN_MODEL_SALIENCY_H

#include "model/module.h"

typedef struct {
    an_tensor *weight, *bias; /* (K, Cf, 1, 1), (K); bias NULL with cosine */
    double top;               /* p, in (0, 100] */
    bool cosine;
} an_saliency;

/* Declares `name`.weight and, unless cosine, `name`.bias (nn.Conv2d(Cf, K, 1), PyTorch's initial
 * values). */
an_saliency an_saliency_new(an_module *m, const char *name, int64_t features, int64_t classes,
                            double top, bool cosine);
an_tensor *an_saliency_maps(const an_saliency *s, an_tensor *features); /* (B,h,w,Cf) → (B,h,w,K) */
an_tensor *an_saliency_logits(const an_saliency *s, an_tensor *maps); /* (B,h,w,K) → (B,K)      */

#endif
