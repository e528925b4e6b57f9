/* tape: reverse-mode differentiation.
 *
 * An operation (grad/ops.h) computes its result at once. While recording is on and an input
 * requires a gradient, it also pushes a node with its backward rule. an_backward() visits the nodes
 * from last to first. Each rule adds to the gradients of its node's inputs, and the node is dropped
 * at once, so that memory use falls during the walk. The tape is per thread.
 *
 * Call order. an_record(), then an_save() and an_unread() (once) on its node before the next
 * an_record(), which may move the nodes. an_grad_of(), …_into(), …_write() and …_over() only inside
 * a rule; a rule records nothing.
 *
 * What a rule can do to save memory, all optional:
 *   an_unread()      the inputs, and whether the output, that its backward never reads: their
 *                    elements are freed as soon as nothing else reads them
 *   an_grad_into()   the rule can only add: the gradient is zeroed at first use
 *   an_grad_write()  the rule writes every element: the first writer overwrites, with no pass that
 *                    clears and none that reads the zeros back
 *   an_grad_over()   element i of the input's gradient depends on element i of the output's
 *                    alone: the output's buffer becomes the input's if nothing else uses it */
#ifndef AN_GRAD_TAPE_H
#define AN_GRAD_TAPE_H

#include "tensor/tensor.h"

#define AN_NODE_INPUTS 6
#define AN_NODE_SAVED 4

typedef struct an_node an_node;
typedef an_code (*an_backward_fn)(an_node *node);

/* Bytes in use (base/memory/tensor_heap.h) around the repetition of a segment. */
typedef struct {
    int64_t before; /* the peak until the repetition began                                   */
    int64_t kept;   /* intermediates without the output: what keeping them would hold longer */
    int64_t peak;   /* the peak while the segment was repeated and walked                    */
} an_segment_bytes;

/* A part of a computation that can be repeated: recompute.h. */
typedef struct {
    an_tensor *(*apply)(const void *part, an_tensor *x); /* the part's output, from x            */
    const void *part;                                    /* for apply()                          */
    void *owner;                                         /* of `part`                            */
    void (*retain)(void *owner), (*release)(void *owner);
    an_segment_bytes *bytes; /* the owner's; written at each repetition                          */
} an_segment;

struct an_node {
    an_backward_fn backward;
    an_tensor *out;                  /* retained                                    */
    an_tensor *in[AN_NODE_INPUTS];   /* retained; NULL where absent                 */
    an_tensor *saved[AN_NODE_SAVED]; /* retained by an_save(); for the rule         */
    unsigned unread;                 /* sum of AN_IN(…), AN_OUT: set by an_unread() */
    int64_t i[12];                   /* the rule's own integers                     */
    double f[6];                     /* the rule's own numbers                      */
    an_segment segment;              /* set by an_keep_segment()                    */
};

/* Whether recording is on and x (may be NULL) requires a gradient. */
bool an_requires_grad(const an_tensor *x);

/* Pushes a node. From here on `out`, which must not be the output of another node, requires a
 * gradient. `in` has n ≥ 1 entries, NULL allowed; an_requires_grad() must hold for at least one.
 * Returns NULL after an_fail(AN_ENOMEM). */
an_node *an_record(an_tensor *out, an_backward_fn backward, int n, an_tensor *const *in);
/* Retains x until the node is dropped. Each slot, 0 … AN_NODE_SAVED−1, is used once. */
void an_save(an_node *node, int slot, an_tensor *x);

/* Keeps a segment, and a reference to its owner, until the node is dropped. */
void an_keep_segment(an_node *node, const an_segment *segment);

/* Declares that the rule does not read the elements of these inputs or, with AN_OUT, of the output:
 * it may use only their shape and gradient. `which` is a sum of AN_IN(number) and AN_OUT. */
#define AN_IN(number) (1u << (number))
#define AN_OUT (1u << AN_NODE_INPUTS)
void an_unread(an_node *node, unsigned which);

/* A gradient has its tensor's dtype: the functions below return arrays of float, or of uint16_t for
 * a tensor of bf16. */
/* The gradient of the output, contiguous. Not after an_grad_over() took its buffer. */
const void *an_grad_of(const an_node *node);
/* The buffer for the gradient of an input, contiguous, to be added to. NULL if x is NULL or
 * requires no gradient; NULL although x->requires_grad is out-of-memory (an_fail() was called). */
void *an_grad_into(an_tensor *x);
/* As an_grad_into(), but *beta is 0 if the buffer's contents are undefined and every element must
 * be overwritten, 1 if it must be added to, like gemm's beta. */
void *an_grad_write(an_tensor *x, float *beta);
/* As an_grad_write(), for an input with as many elements as the output, of its dtype. With *beta 0
 * the result may be the buffer of an_grad_of(), which belongs to the input from then on. So take
 * that pointer first, obtain the gradients of other inputs before this call or through the old
 * pointer, and write element i only after everything that reads element i. */
void *an_grad_over(an_node *node, an_tensor *x, float *beta);

/* Inside a rule, as all it does: repeats the node's segment on its input 0 with recording, and
 * walks the recorded operations with the gradient of the output. The node may move meanwhile. */
an_code an_backward_by_repeating(an_node *node);
bool an_is_repeating(void); /* operations are being repeated: they must not update counts again */

/* Outside rules: the gradient of x as a tensor, zeroed if it counts as zeros; NULL if x has
 * none. */
an_tensor *an_grad(an_tensor *x);

/* Runs the tape backward from `loss`, a float32 tensor of one element (gradient 1). AN_EINVAL for
 * another tensor or if nothing was recorded; AN_ENOMEM. The tape is empty afterwards, even on
 * failure. */
an_code an_backward(an_tensor *loss);
/* The same for the operations after the first `mark` (an earlier an_tape_length()), which stay on
 * the tape: a second tape on top of the first, from whose results `loss` was computed. */
an_code an_backward_above(an_tensor *loss, int64_t mark);
void an_tape_clear(void);       /* drops what was recorded, and the tape's own memory */
bool an_set_recording(bool on); /* returns the former state; on by default            */
bool an_recording(void);
int64_t an_tape_length(void); /* recorded operations                                */
/* How often recorded operations were dropped, by an_backward() or an_tape_clear(). While the result
 * does not change, the operations that a caller recorded are still on the tape. */
int64_t an_tape_drops(void);

#endif
