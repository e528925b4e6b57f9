/* recompute: see recompute.h. */
#include "grad/recompute.h"

#include "grad/cut_node.h"

enum { X, PARAMETER };

/* The node may move meanwhile. */
static an_code recompute_backward(an_node *node)
{
    an_cut former = an_cut_use(an_cut_recorded(node, 0));
    an_code code = an_backward_by_repeating(node);
    an_cut_use(former);
    return code;
}

an_tensor *an_recompute(const an_segment *segment, an_tensor *x, an_tensor *parameter)
{
    if (!an_requires_grad(x) && !an_requires_grad(parameter))
        return segment->apply(segment->part, x);
    bool was = an_set_recording(false);
    an_tensor *y = segment->apply(segment->part, x);
    an_set_recording(was);
    if (!y)
        return NULL;
    an_node *node = an_record(y, recompute_backward, 2, (an_tensor *[]){x, parameter});
    if (!node)
        return NULL;
    an_cut_record(node, 0);
    an_keep_segment(node, segment);
    an_unread(node, AN_IN(PARAMETER) | AN_OUT);
    return y;
}
