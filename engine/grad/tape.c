/* tape: see tape.h. A growing array of nodes; the walk goes from the last to the first. */
#include "grad/tape.h"

#include <string.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/memory/tensor_heap.h"
#include "base/par.h"
#include "base/ranks/processors.h"
#include "base/ranks/ranks.h"
#include "tensor/scope.h"

enum { CLEAR = 262144 }; /* bytes that one chunk clears */

static _Thread_local struct {
    an_node *nodes;
    int64_t count, room, drops;
    bool off;       /* recording is off */
    bool walking;   /* inside an_backward() */
    bool repeating; /* inside the forward pass of an_backward_by_repeating() */
} tape;

bool an_requires_grad(const an_tensor *x)
{
    return x && x->requires_grad && !tape.off;
}

static bool any_requires_grad(int n, an_tensor *const *in)
{
    for (int i = 0; i < n; i++)
        if (an_requires_grad(in[i]))
            return true;
    return false;
}

an_node *an_record(an_tensor *out, an_backward_fn backward, int n, an_tensor *const *in)
{
    AN_ASSERT(!tape.walking); /* a rule records nothing */
    AN_ASSERT(backward && !out->requires_grad && !out->grad);
    AN_ASSERT(n >= 1 && n <= AN_NODE_INPUTS && any_requires_grad(n, in));
    if (tape.count == tape.room) {
        int64_t room = tape.room ? tape.room * 2 : 128;
        an_node *nodes = an_realloc(tape.nodes, (size_t)room * sizeof *nodes);
        if (!nodes)
            return NULL;
        tape.nodes = nodes;
        tape.room = room;
    }
    an_node *node = &tape.nodes[tape.count++];
    memset(node, 0, sizeof *node);
    node->backward = backward;
    node->out = out;
    an_retain(out);
    out->requires_grad = true;
    for (int i = 0; i < n; i++)
        if ((node->in[i] = in[i]))
            an_retain(in[i]);
    return node;
}

static an_tensor *unread_of(const an_node *node, int bit)
{
    if (!(node->unread & (1u << bit)))
        return NULL;
    return bit == AN_NODE_INPUTS ? node->out : node->in[bit];
}

void an_unread(an_node *node, unsigned which)
{
    AN_ASSERT(node == &tape.nodes[tape.count - 1] && !node->unread); /* once, the latest node */
    AN_ASSERT(which < AN_OUT << 1);
    node->unread = which;
    for (int bit = 0; bit <= AN_NODE_INPUTS; bit++) {
        an_tensor *x = unread_of(node, bit);
        if (!x)
            continue;
        an_retain_shape(x);
        an_release(x);
    }
}

void an_save(an_node *node, int slot, an_tensor *x)
{
    AN_ASSERT(node == &tape.nodes[tape.count - 1]);
    AN_ASSERT(slot >= 0 && slot < AN_NODE_SAVED && !node->saved[slot]);
    an_retain(x);
    node->saved[slot] = x;
}

void an_keep_segment(an_node *node, const an_segment *segment)
{
    AN_ASSERT(node == &tape.nodes[tape.count - 1] && !node->segment.apply);
    segment->retain(segment->owner);
    node->segment = *segment;
}

const void *an_grad_of(const an_node *node)
{
    AN_ASSERT(tape.walking);
    AN_ASSERT(node->out->grad && !node->out->grad->blank); /* an_grad_over() did not take it */
    return an_data(node->out->grad);
}

void *an_grad_write(an_tensor *x, float *beta)
{
    AN_ASSERT(tape.walking);
    *beta = 1;
    if (!x || !x->requires_grad)
        return NULL;
    if (!x->grad) {
        size_t mark = an_scope_begin();
        x->grad = an_tensor_new(x->dtype, x->ndim, x->shape);
        if (x->grad) {
            an_retain(x->grad);
            x->grad->blank = true;
        }
        an_scope_end(mark, NULL);
        if (!x->grad)
            return NULL;
    }
    if (x->grad->blank)
        *beta = 0;
    x->grad->blank = false;
    return an_data(x->grad);
}

static void clear_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    (void)chunk;
    memset((char *)context + lo, 0, (size_t)(hi - lo));
}

static void clear(const an_tensor *grad)
{
    const int64_t bytes = an_numel(grad) * (int64_t)an_element_bytes(grad->dtype);
    an_par_for(bytes, CLEAR, clear_part, an_data(grad));
}

void *an_grad_into(an_tensor *x)
{
    float beta;
    void *into = an_grad_write(x, &beta);
    if (into && beta == 0)
        clear(x->grad);
    return into;
}

an_tensor *an_grad(an_tensor *x)
{
    AN_ASSERT(!tape.walking);
    if (x->grad && x->grad->blank) {
        clear(x->grad);
        x->grad->blank = false;
    }
    return x->grad;
}

void *an_grad_over(an_node *node, an_tensor *x, float *beta)
{
    AN_ASSERT(tape.walking);
    an_tensor *grad = node->out->grad;
    if (!x || !x->requires_grad || x->grad || !grad || an_numel(x) != an_numel(grad))
        return an_grad_write(x, beta);
    AN_ASSERT(x->dtype == grad->dtype);
    *beta = 0;
    node->out->grad = NULL;
    /* The output was its only holder, and it is contiguous: only the shape has to change. */
    x->grad = grad;
    grad->ndim = x->ndim;
    int64_t stride = 1;
    for (int d = x->ndim - 1; d >= 0; d--) {
        grad->shape[d] = x->shape[d];
        grad->stride[d] = stride;
        stride *= x->shape[d];
    }
    return an_data(grad);
}

/* Releases what a node holds, and its output's gradient: only leaves keep theirs. */
static void drop(an_node *node)
{
    an_release(node->out->grad);
    node->out->grad = NULL;
    (node->unread & AN_OUT ? an_release_shape : an_release)(node->out);
    for (int i = 0; i < AN_NODE_INPUTS; i++)
        if (node->in[i])
            (node->unread & AN_IN(i) ? an_release_shape : an_release)(node->in[i]);
    for (int i = 0; i < AN_NODE_SAVED; i++)
        an_release(node->saved[i]);
    if (node->segment.release)
        node->segment.release(node->segment.owner);
}

static void drop_above(int64_t mark)
{
    tape.drops++;
    while (tape.count > mark)
        drop(&tape.nodes[--tape.count]);
}

void an_tape_clear(void)
{
    AN_ASSERT(!tape.walking);
    drop_above(0);
    an_free(tape.nodes);
    tape.nodes = NULL;
    tape.room = 0;
}

static an_code check_loss(const an_tensor *loss)
{
    if (loss->dtype != AN_F32 || an_numel(loss) != 1)
        return an_fail(AN_EINVAL, "backward: the loss is a single number, not a tensor of shape %s",
                       an_shape_text(loss));
    if (!loss->requires_grad || tape.count == 0)
        return an_fail(AN_EINVAL, "backward: nothing was recorded for this tensor; it depends on "
                                  "no parameter, or backward ran already");
    return AN_OK;
}

/* Visits the nodes above the first `rest` ones. */
static an_code walk_to(int64_t rest)
{
    an_code code = AN_OK;
    while (!code && tape.count > rest) {
        size_t mark = an_scope_begin();
        an_node *node = &tape.nodes[tape.count - 1];
        if (node->out->grad) /* otherwise the loss does not depend on it */
            code = node->backward(node);
        drop(&tape.nodes[--tape.count]);
        an_scope_end(mark, NULL);
    }
    return code;
}

static an_code walk(an_tensor *loss, int64_t rest)
{
    float *seed = an_grad_into(loss);
    if (!seed)
        return AN_ENOMEM;
    *seed = 1.0f;
    return walk_to(rest);
}

/* The output of a segment, recorded although a walk is under way. */
static an_tensor *repeat(const an_segment *segment, an_tensor *x)
{
    bool was_off = tape.off;
    tape.off = tape.walking = false;
    tape.repeating = true;
    an_tensor *y = segment->apply(segment->part, x);
    tape.repeating = false;
    tape.walking = true;
    tape.off = was_off;
    return y;
}

/* The segment's input is the same tensor as in the forward pass, and its consumers come in the same
 * order, so its gradient is the sum of the same numbers in the same order. */
an_code an_backward_by_repeating(an_node *node)
{
    AN_ASSERT(tape.walking && node == &tape.nodes[tape.count - 1] && node->segment.apply);
    const an_segment segment = node->segment; /* the node may move */
    an_tensor *x = node->in[0], *grad = node->out->grad;
    const int64_t rest = tape.count, in_use = an_tensor_heap_in_use();
    segment.bytes->before = an_tensor_heap_restart();
    node->out->grad = NULL;
    an_tensor *y = repeat(&segment, x);
    an_code code = y ? AN_OK : an_err_code();
    if (y) {
        AN_ASSERT(tape.count > rest && an_same_shape(y, grad));
        const int64_t output = an_numel(y) * (int64_t)an_element_bytes(y->dtype);
        segment.bytes->kept = an_tensor_heap_in_use() - in_use - output;
        y->grad = grad;
        code = walk_to(rest);
    } else {
        an_release(grad);
    }
    while (tape.count > rest) /* after a failure */
        drop(&tape.nodes[--tape.count]);
    segment.bytes->peak = an_tensor_heap_most();
    an_tensor_heap_recall(segment.bytes->before);
    return code;
}

bool an_is_repeating(void)
{
    return tape.repeating;
}

an_code an_backward_above(an_tensor *loss, int64_t mark)
{
    AN_ASSERT(!tape.walking && mark >= 0 && mark <= tape.count);
    an_code code = check_loss(loss);
    tape.walking = true;
    if (!code && (code = walk(loss, mark)) != AN_OK && an_ranks() > 1)
        an_ranks_abandon(); /* the other ranks are in the middle of the same walk */
    an_processors_borrow();
    tape.walking = false;
    drop_above(mark); /* the array is kept for the next step */
    return code;
}

an_code an_backward(an_tensor *loss)
{
    return an_backward_above(loss, 0);
}

bool an_set_recording(bool on)
{
    bool was = !tape.off;
    tape.off = !on;
    return was;
}

bool an_recording(void)
{
    return !tape.off;
}

int64_t an_tape_length(void)
{
    return tape.count;
}

int64_t an_tape_drops(void)
{
    return tape.drops;
}
