/* cross_attention: the default denoiser, a transformer over K label tokens that reads the image
 * through cross-attention (METHOD §5; blocks as in DiT, Peebles & Xie, 2212.09748, fig. 3).
 *
 *     x_j = Linear[y_t,j, m^g_j, m^l_j] + class_j ;   c = SiLU(MLP(sinusoid(t)))
 *     block: x += (1 + gate) · f(LN(x)(1 + scale) + shift)   for f = self-attention,
 *            cross-attention to the image tokens, MLP;  the nine vectors are Linear(c)
 *     ε̂_j = Linear(LN(x_j)(1 + scale) + shift)
 * With `candidates` there is a token for each of the C classes that the priors rank highest and one
 * for the rest, whose estimate the priors divide among its classes. Image tokens: LN[ Linear(F) +
 * position ; Linear(crops) + crop type ]; encode computes their keys and values once per image. DiT
 * initialises its gates to 0 in order to train 28 blocks. This network is shallow and its last
 * layer starts at 0; gates of 0 before it would at first keep gradients from the blocks. The
 * modulation therefore starts at 0 and the gate enters as 1 + gate: a new network is a plain
 * pre-norm transformer. */
#include "model/cross_attention.h"

#include <math.h>

#include "grad/ops.h"
#include "grad/tape.h"
#include "model/position.h"
#include "tensor/scope.h"

typedef an_cross_network network;
typedef an_cross_block block;
typedef an_cross_attention attention;

static const double MAX_PERIOD = 10000, EPS = 1e-5;

/* ── building ──────────────────────────────────────────────────────────────────── */

static attention make_attention(an_module *m, const char *name, int64_t D)
{
    return (attention){
        .q = an_dense_new(m, an_name("%s.q", name).text, D, D),
        .k = an_dense_new(m, an_name("%s.k", name).text, D, D),
        .v = an_dense_new(m, an_name("%s.v", name).text, D, D),
        .out = an_dense_new(m, an_name("%s.out", name).text, D, D),
    };
}

static block make_block(an_module *m, const char *name, int64_t D, int64_t hidden)
{
    return (block){
        .modulation = an_dense_zero(m, an_name("%s.modulation", name).text, D, 9 * D),
        .self = make_attention(m, an_name("%s.self", name).text, D),
        .cross = make_attention(m, an_name("%s.cross", name).text, D),
        .mlp0 = an_dense_new(m, an_name("%s.mlp.0", name).text, D, hidden),
        .mlp2 = an_dense_new(m, an_name("%s.mlp.2", name).text, hidden, D),
    };
}

static an_code build(void *self, an_module *m, const char *prefix, const an_denoiser_options *o)
{
    network *n = self;
    int64_t D = o->dim;
    n->K = o->classes;
    n->D = D;
    n->blocks = (int)o->blocks;
    n->heads = (int)o->heads;
    n->unordered = o->unordered;
    n->logits = o->logits;
    n->candidates = o->candidates < o->classes ? o->candidates : 0;
    n->token = an_dense_new(m, an_name("%s.token", prefix).text, 3, D);
    int64_t embedded[] = {n->candidates ? o->classes + 1 : o->classes, D};
    n->class_embedding = an_module_param(m, an_name("%s.class.weight", prefix).text,
                                         an_init_normal(1), 2, embedded, false);
    n->time0 = an_dense_new(m, an_name("%s.time.0", prefix).text, D, D);
    n->time2 = an_dense_new(m, an_name("%s.time.2", prefix).text, D, D);
    n->features = an_dense_new(m, an_name("%s.features", prefix).text, o->features, D);
    if (o->crop_features) {
        n->crops = an_dense_new(m, an_name("%s.crops", prefix).text, o->crop_features, D);
        n->crop_type = an_module_param(m, an_name("%s.crop_type", prefix).text, an_init_normal(1),
                                       1, &D, false);
    }
    n->token_norm = an_ln_new(m, an_name("%s.token_norm", prefix).text, D);
    n->hidden = (int64_t)((double)D * o->mlp_ratio);
    for (int i = 0; i < n->blocks; i++)
        n->block[i] = make_block(m, an_name("%s.blocks.%d", prefix, i).text, D, n->hidden);
    n->out_modulation = an_dense_zero(m, an_name("%s.out_modulation", prefix).text, D, 2 * D);
    n->out = an_dense_zero(m, an_name("%s.out", prefix).text, D, 1);
    return an_module_failed(m);
}

static void release(void *self)
{
    an_release(((network *)self)->position);
}

/* ── once per image ──────────────────────────────────────────────────────────── */

/* The position vectors of an h×w grid, kept until the grid changes. */
static an_tensor *positions(network *n, int64_t h, int64_t w)
{
    if (n->position && n->position->shape[0] == h && n->position->shape[1] == w)
        return n->position;
    an_release(n->position);
    n->position = an_position_grid(h, w, n->D);
    if (n->position)
        an_retain(n->position);
    return n->position;
}

/* The image tokens (B, N, D). */
static an_tensor *image_tokens(network *n, an_tensor *features, an_tensor *crops)
{
    int64_t B = features->shape[0], h = features->shape[1], w = features->shape[2];
    an_tensor *grid = an_dense_apply(&n->features, features);
    if (!n->unordered)
        grid = an_add(grid, positions(n, h, w));
    an_tensor *tokens = an_reshape(grid, 3, (int64_t[]){B, h * w, n->D});
    if (crops) {
        an_tensor *parts[] = {tokens, an_add(an_dense_apply(&n->crops, crops), n->crop_type)};
        tokens = parts[0] && parts[1] ? an_concat(parts, 2, 1) : NULL;
    }
    return an_ln_apply(&n->token_norm, tokens);
}

/* The classes that both priors together rank highest. They depend only on the image, in training as
 * in a chain: a true class that is not among them belongs to the rest. */
static an_tensor *choose(const network *n, const an_denoiser_context *c)
{
    return an_candidates_choose(an_add(an_detach(c->mg), an_detach(c->ml)), n->candidates);
}

static an_code encode(void *self, an_denoiser_context *c, an_tensor *features, an_tensor *crops)
{
    network *n = self;
    if (n->candidates && !(c->candidates = choose(n, c)))
        return an_err_code();
    an_tensor *tokens = image_tokens(n, features, crops);
    for (int i = 0; i < n->blocks; i++) {
        c->kept[2 * i] = an_dense_apply(&n->block[i].cross.k, tokens);
        c->kept[2 * i + 1] = an_dense_apply(&n->block[i].cross.v, tokens);
        if (!c->kept[2 * i] || !c->kept[2 * i + 1])
            return an_err_code();
    }
    return AN_OK;
}

/* ── per step ────────────────────────────────────────────────────────────────── */

/* LN(x)(1 + scale) + shift, with shift and scale in vectors i and i + 1 of v (times, …·D). */
static an_tensor *modulate(const network *n, an_tensor *x, an_tensor *v, int i)
{
    return an_adaptive_norm(x, v, i * n->D, EPS);
}

/* x + (1 + gate)·y, with the gate in vector i of v. */
static an_tensor *add_gated(const network *n, an_tensor *x, an_tensor *y, an_tensor *v, int i)
{
    return an_gated_join(x, y, v, i * n->D);
}

static an_tensor *self_attention(const network *n, const attention *a, an_tensor *x)
{
    an_tensor *y = an_attention(an_dense_apply(&a->q, x), an_dense_apply(&a->k, x),
                                an_dense_apply(&a->v, x), n->heads, NULL);
    return an_dense_apply(&a->out, y);
}

static an_tensor *cross_attention(const network *n, const attention *a, an_tensor *x, an_tensor *k,
                                  an_tensor *v, an_tensor **map)
{
    an_tensor *y = an_attention(an_dense_apply(&a->q, x), k, v, n->heads, map);
    return an_dense_apply(&a->out, y);
}

static an_tensor *block_forward(const network *n, int i, const an_denoiser_context *context,
                                an_tensor *x, an_tensor *c, an_tensor **map)
{
    const block *b = &n->block[i];
    an_tensor *v = an_dense_apply(&b->modulation, c);
    an_tensor *y = self_attention(n, &b->self, modulate(n, x, v, 0));
    x = add_gated(n, x, y, v, 2);
    y = cross_attention(n, &b->cross, modulate(n, x, v, 3), context->kept[2 * i],
                        context->kept[2 * i + 1], map);
    x = add_gated(n, x, y, v, 5);
    y = an_map(an_dense_apply(&b->mlp0, modulate(n, x, v, 6)), AN_GELU);
    return add_gated(n, x, an_dense_apply(&b->mlp2, y), v, 8);
}

/* The values x (rows, K) of the classes as a column of the input of the L tokens, which are the K
 * classes, or the candidates and the rest. The value of the rest is `scale` times the sum over its
 * classes. */
static an_tensor *column(const an_denoiser_context *c, an_tensor *x, double scale)
{
    if (c->candidates)
        x = an_candidates_gather(x, c->candidates, scale);
    return x ? an_reshape(x, 3, (int64_t[]){x->shape[0], x->shape[1], 1}) : NULL;
}

/* The label tokens (B·R, L, D). The sum of y over the rest contains the noise of all its classes;
 * divided by the root of their number, it has the scale of a single class. The sums of the priors
 * are probabilities. */
static an_tensor *label_tokens(const network *n, const an_denoiser_context *c, an_tensor *y)
{
    int64_t R = y->shape[0] / c->images, rest = n->K - n->candidates;
    an_tensor *parts[] = {
        column(c, y, 1 / sqrt((double)rest)),
        an_repeat_rows(column(c, c->mg, 1), R),
        an_repeat_rows(column(c, c->ml, 1), R),
    };
    if (!parts[0] || !parts[1] || !parts[2])
        return NULL;
    an_tensor *x = an_dense_apply(&n->token, an_concat(parts, 3, 2));
    if (!c->candidates)
        return an_add(x, n->class_embedding);
    return an_add(x, an_repeat_rows(an_embedding(n->class_embedding, c->candidates), R));
}

/* The condition (times, D). */
static an_tensor *condition(const network *n, an_tensor *t)
{
    an_tensor *c = an_dense_apply(&n->time0, an_timestep_embedding(t, n->D, MAX_PERIOD));
    return an_map(an_dense_apply(&n->time2, an_map(c, AN_SILU)), AN_SILU);
}

/* Whether no gradient of this pass is required. */
static bool is_inference(const network *n, const an_denoiser_context *context, an_tensor *y)
{
    return !an_requires_grad(n->out.weight) && !an_requires_grad(context->kept[0]) &&
           !an_requires_grad(y);
}

/* A step of a reverse chain: all rows at one time, no gradients. */
static an_tensor *chain_forward(const network *n, const an_denoiser_context *context, an_tensor *y,
                                an_tensor *t)
{
    an_tensor *c = condition(n, an_view_narrow(t, 0, 0, 1));
    an_tensor *modulation[AN_MAX_BLOCKS + 1];
    for (int i = 0; i < n->blocks; i++)
        modulation[i] = an_dense_apply(&n->block[i].modulation, c);
    modulation[n->blocks] = an_dense_apply(&n->out_modulation, c);
    return an_cross_attention_chain(n, context, modulation, an_contiguous(y));
}

/* The output (B·R, K) of the classes from that of the tokens (B·R, L, 1); likewise *map [opt]. */
static an_tensor *of_classes(const network *n, const an_denoiser_context *c, an_tensor *x,
                             an_tensor **map)
{
    if (!x)
        return NULL;
    x = an_reshape(x, 2, (int64_t[]){x->shape[0], x->shape[1]});
    if (!n->candidates)
        return x;
    if (map && !(*map = an_candidates_maps(*map, c->candidates, n->K)))
        return NULL;
    return an_candidates_spread(x, an_add(c->mg, c->ml), c->candidates, n->logits);
}

static an_tensor *forward(void *self, const an_denoiser_context *context, an_tensor *y,
                          an_tensor *t, an_tensor **map)
{
    const network *n = self;
    if (!n->candidates && !map && an_denoiser_times_equal(t) && is_inference(n, context, y))
        return chain_forward(n, context, y, t);
    an_tensor *c = condition(n, t);
    an_tensor *x = label_tokens(n, context, y);
    for (int i = 0; i < n->blocks; i++) {
        bool last = i == n->blocks - 1;
        size_t mark = an_scope_begin();
        an_tensor *out = block_forward(n, i, context, x, c, last ? map : NULL);
        if (last) /* left in the caller's scope, as is the map */
            x = out;
        else
            x = an_scope_end(mark, out);
    }
    an_tensor *v = an_dense_apply(&n->out_modulation, c);
    return of_classes(n, context, an_dense_apply(&n->out, modulate(n, x, v, 0)), map);
}

const an_denoiser_methods an_cross_attention_methods = {.bytes = sizeof(network),
                                                        .build = build,
                                                        .encode = encode,
                                                        .forward = forward,
                                                        .release = release};
