/* tape: reverse-mode differentiation.
 *
 * Operations (grad/ops.h) compute at once; while recording is on and an input wants a
 * gradient they also push a node. an_backward() visits the nodes from last to first,
 * each adds to the gradients of its inputs, and is dropped at once, so memory falls as
 * the walk proceeds. The tape is per thread and is empty after an_backward(). */
#ifndef AN_GRAD_TAPE_H
#define AN_GRAD_TAPE_H

#include "tensor/tensor.h"

#define AN_NODE_INPUTS 6
#define AN_NODE_SAVED 4

typedef struct an_node an_node;
typedef an_code (*an_backward_fn)(an_node *node);

struct an_node {
    an_backward_fn backward;
    an_tensor *out;                   /* retained                                     */
    an_tensor *in[AN_NODE_INPUTS];    /* retained; NULL where absent                  */
    an_tensor *saved[AN_NODE_SAVED];  /* retained through an_save(); for the rule      */
    int64_t i[12];                    /* the rule's own integers                      */
    double f[6];                      /* the rule's own numbers                       */
};

/* True when recording is on and x (NULL allowed) wants a gradient. */
bool an_wants_grad(const an_tensor *x);

/* Pushes a node and marks `out` as wanting a gradient. `in` has n entries, NULL allowed.
 * Returns NULL after an_fail(AN_ENOMEM). Call only if an_wants_grad() of some input. */
an_node *an_record(an_tensor *out, an_backward_fn backward, int n, an_tensor *const *in);
void an_save(an_node *node, int slot, an_tensor *x); /* retains x until the node is dropped */

/* In a rule: the gradient of the output, contiguous; the buffer to *add* the gradient of
 * an input to, contiguous and zeroed at first use, NULL if that input wants none.
 * A NULL from an_grad_into() with an_wants_grad(x) is out-of-memory (an_fail was called). */
const float *an_grad_of(const an_node *node);
float *an_grad_into(an_tensor *x);

/* Runs the tape from the scalar `loss` (gradient 1). The tape is empty afterwards,
 * also on failure. */
an_code an_backward(an_tensor *loss);
void an_tape_clear(void);             /* drop what was recorded, and the tape's own memory */
bool an_set_recording(bool on);       /* returns the former state; default on          */
int64_t an_tape_length(void);

#endif
