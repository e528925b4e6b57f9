/* recompute: trades time for memory in the backward pass (Chen et al., 1604.06174).
 *
 * The forward pass of a segment runs without recording, so that its intermediates are released at
 * its end. Its backward pass repeats the forward pass with recording and walks it at once. Outputs
 * and gradients have the same bits as without recomputation. Between the two passes the segment
 * must not change, neither its parameters nor whether it is trained. */
#ifndef AN_GRAD_RECOMPUTE_H
#define AN_GRAD_RECOMPUTE_H

#include "grad/tape.h"

/* segment->apply(segment->part, x), with its intermediates recomputed in the backward pass.
 * parameter: one of the segment's own that requires a gradient if any of its parameters does; it
 * receives no gradient here. The owner is retained until the tape drops the node; every field is
 * set. NULL after a failure of apply() and for NULL x. */
an_tensor *an_recompute(const an_segment *segment, an_tensor *x, an_tensor *parameter);

#endif
