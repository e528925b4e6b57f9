/* shared_resnet: a residual network whose images are divided among the ranks (base/ranks/ranks.h).
 *
 * Rank 0 runs the program and calls an_shared_resnet_forward(). The others run
 * an_shared_resnet_serve(): they have no recipe, no database and no state except the network, whose
 * weights rank 0 sends with every call. A rank computes the features of its slices of the batch
 * (base/ranks/cut.h); rank 0 joins them and computes everything after the features. In the backward
 * pass each rank receives the gradient of its features; the sums over the batch go to all (batch
 * norm) or to rank 0 (weights). */
#ifndef AN_MODEL_SHARED_RESNET_H
#define AN_MODEL_SHARED_RESNET_H

#include "model/resnet.h"

/* Rank 0: the features of images (B, H, W, C), as from an_resnet_forward(). All ranks compute in
 * evaluation, where an image's features depend on no other image, and in the training of a sliced
 * module (model/module.h), whose sums do not depend on the ranks. Only this rank computes if there
 * are fewer images than ranks or if images require a gradient. With one rank a sliced module has
 * the same bits. NULL after a failure; a failure during a computation by all ranks ends all. */
an_tensor *an_shared_resnet_forward(an_resnet *r, an_tensor *images);

/* Ranks above 0: serve rank 0 until it ends. */
void an_shared_resnet_serve(void);
/* Rank 0, at its end: an_shared_resnet_serve() returns on the others. */
void an_shared_resnet_end(void);

#endif
