/* denoiser: the network of the reverse process, which predicts ε̂ (or ŷ0, or v) from y_t and an
 * image (METHOD §5). Two kinds share one interface. Call order:
 *
 *     an_denoiser_context *c = an_denoiser_encode(d, features, crops, mg, ml);   once per image
 *     ε̂ = an_denoiser_forward(d, c, y, t, NULL);                       per step, all draws
 *     an_denoiser_context_release(c);
 * What depends only on the image (keys and values of the cross-attention, the image vector of film)
 * is computed in encode; forward takes any number of draws per image. A new network of either kind
 * predicts 0; with candidates and the prediction `class` it predicts the priors' shares of the
 * rest. */
#ifndef AN_MODEL_DENOISER_H
#define AN_MODEL_DENOISER_H

#include "model/denoiser_options.h"
#include "model/module.h"

/* Declares `prefix`.… in m (names: engine/model/README.md), which must not be sealed yet, and
 * retains m. NULL after a failure: AN_EINVAL for options out of range, a duplicate name or a sealed
 * m. */
an_denoiser *an_denoiser_new(an_module *m, const char *prefix, const an_denoiser_options *options);
void an_denoiser_free(an_denoiser *d); /* NULL is allowed */

/* features (B, h, w, Cf); crops (B, n, D_l), NULL if crop_features is 0 (film ignores them);
 * mg and ml (B, K), the probabilities of the priors. Recorded if a gradient is required; the
 * context then remains valid until the backward pass. NULL after a failure or for NULL features, mg
 * or ml. */
an_denoiser_context *an_denoiser_encode(an_denoiser *d, an_tensor *features, an_tensor *crops,
                                        an_tensor *mg, an_tensor *ml);
void an_denoiser_context_release(an_denoiser_context *c);         /* NULL is allowed */
int64_t an_denoiser_context_images(const an_denoiser_context *c); /* B */

/* y (B·R, K): row i belongs to image i / R of the context c of this denoiser; t int64 (B·R) or (1),
 * in 0 … T → (B·R, K). *map (map may be NULL) is set to the attention of each class over the image
 * tokens in the last block, averaged over heads: (B·R, K, N), the N = h·w features in reading
 * order, then the crops; AN_EINVAL for film. NULL after a failure or for a NULL argument. */
an_tensor *an_denoiser_forward(an_denoiser *d, const an_denoiser_context *c, an_tensor *y,
                               an_tensor *t, an_tensor **map);

const an_denoiser_options *an_denoiser_options_of(const an_denoiser *d);
an_module *an_denoiser_module(const an_denoiser *d);

#endif
