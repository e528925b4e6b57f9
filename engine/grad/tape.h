/* tape: reverse-mode differentiation.
 *
 * Operations (grad/ops.h) compute at once; while recording is on and an input wants a
 * gradient they also push a node. an_backward() visits the nodes from last to first,
 * each adds to the gradients of its inputs, and is dropped at once, so memory falls as
 * the walk proceeds. The tape is per thread and is empty after an_backward().
 *
 * What a rule decides about memory, all of it optional:
 *   an_unread()      which inputs, and whether the output, its backward never reads: their
 *                    numbers are freed as soon as nobody else wants them
 *   an_grad_into()   it can only add: the gradient is zeroed at first use
 *   an_grad_write()  it writes every element anyway: the first writer overwrites, with no
 *                    pass that clears and none that reads the zeros back
 *   an_grad_over()   element i of the input's gradient depends on element i of the output's
 *                    alone: the output's buffer becomes the input's, where it is free to */
#ifndef AN_GRAD_TAPE_H
#define AN_GRAD_TAPE_H

#include "tensor/tensor.h"

#define AN_NODE_INPUTS 6
#define AN_NODE_SAVED 4

typedef struct an_node an_node;
typedef an_code (*an_backward_fn)(an_node *node);

struct an_node {
    an_backward_fn backward;
    an_tensor *out;                  /* retained                                     */
    an_tensor *in[AN_NODE_INPUTS];   /* retained; NULL where absent                  */
    an_tensor *saved[AN_NODE_SAVED]; /* retained through an_save(); for the rule      */
    unsigned unread;                 /* AN_READS… not wanted: an_unread()            */
    int64_t i[12];                   /* the rule's own integers                      */
    double f[6];                     /* the rule's own numbers                       */
};

/* True when recording is on and x (NULL allowed) wants a gradient. */
bool an_wants_grad(const an_tensor *x);

/* Pushes a node and marks `out` as wanting a gradient. `in` has n entries, NULL allowed.
 * Returns NULL after an_fail(AN_ENOMEM). Call only if an_wants_grad() of some input. */
an_node *an_record(an_tensor *out, an_backward_fn backward, int n, an_tensor *const *in);
void an_save(an_node *node, int slot, an_tensor *x); /* retains x until the node is dropped */

/* Says that the rule reads neither these inputs nor, with AN_OUT, the output: of those it
 * may use shape and gradient only. `which` is a sum of AN_IN(number) and AN_OUT. */
#define AN_IN(number) (1u << (number))
#define AN_OUT (1u << AN_NODE_INPUTS)
void an_unread(an_node *node, unsigned which);

/* In a rule: the gradient of the output, contiguous. */
const float *an_grad_of(const an_node *node);
/* In a rule: the buffer for the gradient of an input, contiguous. NULL if that input wants
 * none; a NULL with an_wants_grad(x) is out-of-memory (an_fail was called).
 * into: add to it. */
float *an_grad_into(an_tensor *x);
/* write: *beta is 0 where the buffer's contents are undefined and every element must be
 * overwritten, 1 where it must be added to, as gemm's beta. */
float *an_grad_write(an_tensor *x, float *beta);
/* over: as write, for an input with as many elements as the output. With *beta 0 the result
 * may be an_grad_of() itself, which is the input's from then on: take that pointer before,
 * ask for the gradients of other inputs before or read through the old pointer, and write
 * element i only after all that is computed from element i of it. */
float *an_grad_over(an_node *node, an_tensor *x, float *beta);
/* The gradient of x as a tensor whose contents count, or NULL if it has none. */
an_tensor *an_grad(an_tensor *x);

/* Runs the tape from the scalar `loss` (gradient 1). The tape is empty afterwards,
 * also on failure. */
an_code an_backward(an_tensor *loss);
void an_tape_clear(void);       /* drop what was recorded, and the tape's own memory */
bool an_set_recording(bool on); /* returns the former state; default on          */
int64_t an_tape_length(void);

#endif
