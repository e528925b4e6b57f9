/* cut_node: how a node of the tape keeps the cut of its batch (base/ranks/cut.h). Internal to
 * rules_*.c and recompute.c. */
#ifndef AN_GRAD_CUT_NODE_H
#define AN_GRAD_CUT_NODE_H

#include "base/ranks/cut.h"
#include "grad/tape.h"

/* Writes the cut that is in use into integers first … first + 4 of the node. */
static inline void an_cut_record(an_node *n, int first)
{
    an_cut cut = an_cut_now();
    int64_t fields[] = {cut.grain, cut.batch, cut.own, cut.slices, cut.shared};
    for (int k = 0; k < 5; k++)
        n->i[first + k] = fields[k];
}

static inline an_cut an_cut_recorded(const an_node *n, int first)
{
    const int64_t *i = n->i + first;
    return (an_cut){.grain = i[0], .batch = i[1], .own = i[2], .slices = i[3], .shared = i[4]};
}

#endif
