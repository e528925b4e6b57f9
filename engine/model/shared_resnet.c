/* shared_resnet: rank 0's part of shared_resnet.h. */
#include "model/shared_resnet.h"

#include <string.h>

#include "base/par.h"
#include "base/ranks/cut.h"
#include "base/ranks/processors.h"
#include "base/ranks/ranks.h"
#include "grad/ops.h"
#include "grad/tape.h"
#include "model/resnet_call.h"
#include "tensor/scope.h"

/* Sends the call; the data of its command follow. From here on the others compute. */
static void send_call(an_resnet_call call)
{
    an_processors_return();
    call.threads = an_threads();
    call.precision = an_precision_now();
    call.drops = an_tape_drops();
    an_ranks_announce(&call, sizeof call);
}

/* Sends each other rank the part of x (B, each floats) that belongs to its images. */
static void send_images(const float *x, int64_t each, const an_cut *cut)
{
    int64_t lo, hi;
    for (int rank = 1; rank < an_ranks(); rank++) {
        an_cut_images(&lo, &hi, cut, rank);
        an_ranks_send(rank, x + lo * each, (hi - lo) * each);
    }
}

static void receive_images(float *x, int64_t each, const an_cut *cut)
{
    int64_t lo, hi;
    for (int rank = 1; rank < an_ranks(); rank++) {
        an_cut_images(&lo, &hi, cut, rank);
        an_ranks_receive(rank, x + lo * each, (hi - lo) * each);
    }
}

/* ── the features of all ranks as one tensor ──────────────────────────────────────────── */

enum { CUT_OWN, CUT_BATCH, CUT_GRAIN, NUMBER }; /* integers of the node */

/* Sends the gradient of the joined features to the ranks that computed them. */
static an_code join_backward(an_node *n)
{
    const float *dy = an_grad_of(n);
    float beta, *own = an_grad_write(n->in[0], &beta);
    if (!own)
        return AN_ENOMEM;
    const an_cut cut = {
        .grain = n->i[CUT_GRAIN], .batch = n->i[CUT_BATCH], .own = n->i[CUT_OWN], .shared = true};
    int64_t count = an_numel(n->in[0]);
    send_call((an_resnet_call){.command = AN_RESNET_BACKWARD, .number = n->i[NUMBER]});
    send_images(dy, count / cut.own, &cut);
    for (int64_t i = 0; i < count; i++)
        own[i] = (beta == 0 ? 0 : own[i]) + dy[i];
    return AN_OK;
}

/* y ← the features of the whole batch: `own` and those that the others send. */
static an_code join(an_tensor *y, an_tensor *own, const an_cut *cut, int64_t number)
{
    int64_t count = an_numel(own);
    memcpy(an_f32(y), an_f32(own), sizeof(float) * (size_t)count);
    receive_images(an_f32(y), count / cut->own, cut);
    if (!an_requires_grad(own))
        return AN_OK;
    an_node *n = an_record(y, join_backward, 1, &own);
    if (!n)
        return AN_ENOMEM;
    n->i[CUT_OWN] = cut->own;
    n->i[CUT_BATCH] = cut->batch;
    n->i[CUT_GRAIN] = cut->grain;
    n->i[NUMBER] = number;
    an_unread(n, AN_IN(0) | AN_OUT);
    return AN_OK;
}

/* ── calls ────────────────────────────────────────────────────────────────────────────── */

static an_tensor *compute(an_resnet *r, an_tensor *images, const an_cut *cut, bool sliced,
                          int64_t number)
{
    an_cut former = an_cut_use(sliced ? *cut : an_cut_unsliced(*cut));
    an_tensor *own =
        an_contiguous(an_resnet_forward(r, an_contiguous(an_narrow(images, 0, 0, cut->own))));
    an_cut_use(former);
    int64_t shape[AN_MAX_DIMS];
    for (int d = 0; own && d < own->ndim; d++)
        shape[d] = d == 0 ? cut->batch : own->shape[d];
    an_tensor *y = own ? an_tensor_new(AN_F32, own->ndim, shape) : NULL;
    return y && join(y, own, cut, number) == AN_OK ? y : NULL;
}

/* NULL if an allocation fails before the other ranks expect anything. */
static an_tensor *compute_together(an_resnet *r, an_tensor *images, const an_cut *cut, bool sliced)
{
    static int64_t calls;
    int64_t n = an_resnet_state_floats(r), number = ++calls;
    an_tensor *state = an_tensor_new(AN_F32, 1, &n);
    if (!state)
        return NULL;
    an_resnet_state_write(r, an_f32(state));
    send_call((an_resnet_call){.command = AN_RESNET_FORWARD,
                               .id = an_resnet_id(r),
                               .number = number,
                               .options = *an_resnet_options_of(r),
                               .batch = images->shape[0],
                               .height = images->shape[1],
                               .width = images->shape[2],
                               .recomputed = an_resnet_recomputed(r),
                               .sliced = sliced,
                               .records = sliced && an_recording()});
    an_ranks_share_floats(an_f32(state), n);
    send_images(an_f32(images), an_numel(images) / cut->batch, cut);
    an_tensor *y = compute(r, images, cut, sliced, number);
    if (!y)
        an_ranks_abandon();
    an_processors_borrow();
    return y;
}

static an_tensor *compute_alone(an_resnet *r, an_tensor *images, const an_cut *cut, bool sliced)
{
    an_cut former = an_cut_use(sliced ? *cut : (an_cut){0});
    an_tensor *features = an_resnet_forward(r, images);
    an_cut_use(former);
    return features;
}

/* Whether a call may record an operation. */
static bool may_record(const an_resnet *r)
{
    an_module *m = an_resnet_module(r);
    for (int64_t i = 0; i < an_resnet_entries(r); i++)
        if (an_requires_grad(an_module_entry(m, an_resnet_first_entry(r) + i)->x))
            return true;
    return false;
}

an_tensor *an_shared_resnet_forward(an_resnet *r, an_tensor *images)
{
    const an_module *m = an_resnet_module(r);
    bool trains = an_module_training(m), sliced = trains && an_module_sliced(m);
    if (!images || images->ndim != 4 || images->shape[0] < 1 || (!sliced && an_ranks() == 1))
        return an_resnet_forward(r, images);
    if (images->shape[3] != an_resnet_options_of(r)->channels)
        return an_resnet_forward(r, images); /* which fails */
    bool shared = !an_requires_grad(images) && (sliced || (!trains && !may_record(r)));
    an_cut cut = an_cut_of(images->shape[0], shared);
    size_t mark = an_scope_begin();
    images = an_contiguous(images);
    if (!images)
        return an_scope_end(mark, NULL);
    return an_scope_end(mark, cut.shared ? compute_together(r, images, &cut, sliced)
                                         : compute_alone(r, images, &cut, sliced));
}

void an_shared_resnet_end(void)
{
    if (an_ranks() > 1 && an_rank() == 0)
        send_call((an_resnet_call){.command = AN_RESNET_END});
}
