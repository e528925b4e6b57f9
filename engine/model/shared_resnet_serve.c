/* shared_resnet_serve: the part of the ranks above 0 in shared_resnet.h. */
#include <signal.h>

#include "base/assert.h"
#include "base/par.h"
#include "base/ranks/cut.h"
#include "base/ranks/ranks.h"
#include "grad/ops.h"
#include "grad/tape.h"
#include "model/resnet_call.h"
#include "model/shared_resnet.h"
#include "tensor/scope.h"

enum {
    RECORDS = 16, /* forward calls of one step: backbone and crops are two */
    NETWORKS = 2 * RECORDS
};

typedef struct {
    int64_t id;
    an_module *module;
    an_resnet *resnet;
} network;

/* A recorded forward call, whose operations are on the tape from `mark` on. */
typedef struct {
    an_tensor *features;
    int64_t mark, number;
} record;

typedef struct {
    network network[NETWORKS];
    record record[RECORDS];
    int networks, records;
    int64_t drops;
} server;

/* ── networks ─────────────────────────────────────────────────────────────────────────── */

static void free_networks(server *s)
{
    for (int i = 0; i < s->networks; i++) {
        an_resnet_free(s->network[i].resnet);
        an_module_release(s->network[i].module);
    }
    s->networks = 0;
}

/* Missing networks are rebuilt, since their weights come with each call. None has to be kept for
 * long: if there is no room, all are freed unless a record refers to one. */
static network *network_of(server *s, const an_resnet_call *call)
{
    for (int i = 0; i < s->networks; i++)
        if (s->network[i].id == call->id)
            return &s->network[i];
    if (s->networks == NETWORKS && s->records == 0)
        free_networks(s);
    if (s->networks == NETWORKS)
        return an_fail(AN_EINVAL, "a step has more than %d residual networks", NETWORKS), NULL;
    network n = {.id = call->id, .module = an_module_new(0)};
    n.resnet = n.module ? an_resnet_new(n.module, "net", &call->options) : NULL;
    if (!n.resnet || an_module_seal(n.module)) {
        an_resnet_free(n.resnet);
        an_module_release(n.module);
        return NULL;
    }
    s->network[s->networks] = n;
    return &s->network[s->networks++];
}

/* ── calls ────────────────────────────────────────────────────────────────────────────── */

/* Drops what rank 0 has dropped from its tape. */
static void drop(server *s, int64_t drops)
{
    if (drops == s->drops)
        return;
    while (s->records > 0)
        an_release(s->record[--s->records].features);
    an_tape_clear();
    s->drops = drops;
}

static an_code receive_state(const an_resnet *r)
{
    int64_t n = an_resnet_state_floats(r);
    an_tensor *state = an_tensor_new(AN_F32, 1, &n);
    if (!state)
        return AN_ENOMEM;
    an_ranks_share_floats(an_f32(state), n);
    an_resnet_state_read(r, an_f32(state));
    return AN_OK;
}

static an_tensor *features_of(network *n, const an_resnet_call *call)
{
    an_cut cut = an_cut_of(call->batch, true);
    const int64_t shape[] = {cut.own, call->height, call->width, call->options.channels};
    an_tensor *images = an_tensor_new(AN_F32, 4, shape);
    if (!images)
        return NULL;
    an_ranks_receive(0, an_f32(images), an_numel(images));
    an_module_train(n->module, call->sliced);
    an_module_zero_grad(n->module);
    if (call->recomputed != an_resnet_recomputed(n->resnet))
        an_resnet_recompute(n->resnet, call->recomputed);
    bool recorded = an_set_recording(call->records);
    an_cut former = an_cut_use(call->sliced ? cut : an_cut_unsliced(cut));
    an_tensor *features = an_contiguous(an_resnet_forward(n->resnet, images));
    an_cut_use(former);
    an_set_recording(recorded);
    return features;
}

static an_code forward(server *s, const an_resnet_call *call)
{
    size_t mark = an_scope_begin();
    int64_t first = an_tape_length();
    if (s->records == RECORDS)
        return an_fail(AN_EINVAL, "a step has more than %d calls of residual networks", RECORDS);
    network *n = network_of(s, call);
    if (!n || receive_state(n->resnet))
        return an_scope_end(mark, NULL), AN_ENOMEM;
    an_tensor *features = features_of(n, call);
    if (features) {
        an_ranks_send(0, an_f32(features), an_numel(features));
        if (features->requires_grad) {
            an_retain(features);
            s->record[s->records++] = (record){features, first, call->number};
        }
    }
    an_scope_end(mark, NULL);
    return features ? AN_OK : AN_ENOMEM;
}

/* The loss Σ features · gradient has that gradient, exactly. Later calls, whose gradient was not
 * required, are dropped. */
static an_code backward(server *s, int64_t number)
{
    while (s->records > 0 && s->record[s->records - 1].number != number)
        an_release(s->record[--s->records].features);
    AN_ASSERT(s->records > 0);
    record *r = &s->record[--s->records];
    size_t mark = an_scope_begin();
    an_tensor *gradient = an_tensor_like(r->features);
    if (!gradient)
        return AN_ENOMEM;
    an_ranks_receive(0, an_f32(gradient), an_numel(gradient));
    an_tensor *loss = an_sum(an_mul(r->features, gradient), AN_ALL, false);
    an_code code = loss ? an_backward_above(loss, r->mark) : AN_ENOMEM;
    an_release(r->features);
    an_scope_end(mark, NULL);
    return code;
}

static an_code answer(server *s, const an_resnet_call *call)
{
    an_set_threads(call->threads);
    an_set_precision(call->precision);
    drop(s, call->drops);
    switch (call->command) {
    case AN_RESNET_FORWARD:
        return forward(s, call);
    case AN_RESNET_BACKWARD:
        return backward(s, call->number);
    case AN_RESNET_END:
        break;
    }
    return AN_OK;
}

void an_shared_resnet_serve(void)
{
    server s = {0};
    an_resnet_call call;
    /* mpirun passes a signal to all ranks; rank 0 ends the run, in order. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    do {
        an_ranks_announce(&call, sizeof call);
        if (answer(&s, &call) != AN_OK)
            an_ranks_abandon();
    } while (call.command != AN_RESNET_END);
    drop(&s, s.drops + 1);
    free_networks(&s);
}
