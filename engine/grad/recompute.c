/* recompute: see recompute.h. */
#include "grad/recompute.h"

enum { X, PARAMETER };

an_tensor *an_recompute(const an_segment *segment, an_tensor *x, an_tensor *parameter)
{
    if (!an_requires_grad(x) && !an_requires_grad(parameter))
        return segment->apply(segment->part, x);
    bool was = an_set_recording(false);
    an_tensor *y = segment->apply(segment->part, x);
    an_set_recording(was);
    if (!y)
        return NULL;
    an_node *node = an_record(y, an_backward_by_repeating, 2, (an_tensor *[]){x, parameter});
    if (!node)
        return NULL;
    an_keep_segment(node, segment);
    an_unread(node, AN_IN(PARAMETER) | AN_OUT);
    return y;
}
