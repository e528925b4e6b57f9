/* cross_attention_chain: the denoiser's pass in a reverse chain, where all rows are at one
 * time and nothing is kept. A few rows at a time go through the whole network, so that what
 * is between two layers stays in the nearest caches; weights are packed once per pass.
 *
 * The first block's q, k and v need no product of width D: its tokens are combinations
 * x_j = y_j·w0 + mg_j·w1 + ml_j·w2 + e_j of vectors that all rows share (e_j = class_j +
 * bias). Let w', e' be these without their mean over D: LN(x_j) = rstd·(y_j·w0' + …), so
 *
 *     W(LN(x_j)(1 + k) + s) + b = rstd·(y_j·V w0' + mg_j·V w1' + ml_j·V w2' + V e_j') + Ws + b
 * with V = W diag(1 + k): four numbers times vectors that are made once per pass. */
#include <omp.h>
#include <string.h>

#include "base/par.h"
#include "base/memory/scratch.h"
#include "kernel/pointwise/map.h"
#include "kernel/attention/attention.h"
#include "kernel/matmul/block.h"
#include "kernel/norm/adaptive_norm.h"
#include "kernel/matmul/panel.h"
#include "model/cross_attention.h"

enum {
    FEW = 56,   /* tokens that make a block of rows worth its while */
    MANY = 192, /* and those that still fit the nearest caches      */
    LAST = 16,  /* columns of the packed last layer, which has one output */
    FORMS = 4   /* vectors that a token combines: of y, mg, ml, 1   */
};
static const double EPS = 1e-5;

/* A dense layer with its weights packed. */
typedef struct {
    const float *panels, *bias;
    int64_t out, in;
} ready;

typedef struct {
    ready q, k, v, out, cross_q, cross_out, mlp0, mlp2;
    const float *modulation; /* (9D) */
} layer;

typedef struct {
    const an_cross_network *n;
    const an_context *context;
    const float *y, *modulation; /* modulation (2D) of the output */
    int64_t R;
    layer layer[AN_MOST_BLOCKS];
    ready last;
    float *token; /* (K, FORMS, D)  x_j from (y, mg, ml, 1)                    */
    float *first; /* (K, FORMS, 3D) q, k, v of the first block from rstd·(…)   */
    float *start; /* (3D)           what is added to them                      */
} pass;

/* ── once per pass ────────────────────────────────────────────────────────────────── */

/* Parts of one piece of scratch, on whole cache lines; while `at` is NULL it only counts. */
typedef struct {
    float *at;
    int64_t used;
} purse;

static float *spend(purse *p, int64_t numbers)
{
    float *part = p->at ? p->at + p->used : NULL;
    p->used += (numbers + 15) / 16 * 16;
    return part;
}

static ready pack(purse *p, const an_dense *l)
{
    ready r = {.bias = an_f32(l->bias), .out = l->weight->shape[0], .in = l->weight->shape[1]};
    float *to = spend(p, an_panel_floats(r.in, r.out));
    r.panels = to;
    for (int64_t panel = 0; to && panel < an_panel_count(r.out); panel++)
        an_k_panel_pack(to + panel * r.in * AN_MICRO_COLUMNS, true, an_f32(l->weight), r.in, r.in,
                        r.out, panel);
    return r;
}

static void pack_layer(purse *p, layer *l, const an_cross_block *b)
{
    l->q = pack(p, &b->self.q);
    l->k = pack(p, &b->self.k);
    l->v = pack(p, &b->self.v);
    l->out = pack(p, &b->self.out);
    l->cross_q = pack(p, &b->cross.q);
    l->cross_out = pack(p, &b->cross.out);
    l->mlp0 = pack(p, &b->mlp0);
    l->mlp2 = pack(p, &b->mlp2);
}

/* y (rows, out), rows `ldy` apart, = x (rows, in) Wᵀ [+ b] */
static void apply(const ready *l, float *y, int64_t ldy, const float *x, int64_t rows, bool bias)
{
    an_k_panel_rows(y, ldy, x, l->in, l->panels, rows, l->in, l->out, bias ? l->bias : NULL, false,
                    NULL);
}

static void apply_three(const layer *l, float *y, const float *x, int64_t rows, bool bias)
{
    int64_t D = l->q.out;
    apply(&l->q, y, 3 * D, x, rows, bias);
    apply(&l->k, y + D, 3 * D, x, rows, bias);
    apply(&l->v, y + 2 * D, 3 * D, x, rows, bias);
}

/* The vectors of `token`, and of `first` by way of them without their mean and scaled. */
static void combine(pass *p, float *centred)
{
    const an_cross_network *n = p->n;
    int64_t D = n->D, rows = n->K * FORMS;
    const float *w = an_f32(n->token.weight), *bias = an_f32(n->token.bias);
    for (int64_t j = 0; j < n->K; j++)
        for (int64_t c = 0; c < D; c++) {
            float *to = p->token + j * FORMS * D + c;
            for (int64_t form = 0; form < FORMS - 1; form++)
                to[form * D] = w[c * (FORMS - 1) + form];
            to[(FORMS - 1) * D] = bias[c] + an_f32(n->class_embedding)[j * D + c];
        }
    const layer *l = &p->layer[0];
    an_k_centre_rows(centred, p->token, l->modulation + D, rows, D);
    apply_three(l, p->first, centred, rows, false);
    apply_three(l, p->start, l->modulation, 1, true);
}

static void prepare(pass *p, purse *money)
{
    const an_cross_network *n = p->n;
    for (int i = 0; i < n->blocks; i++)
        pack_layer(money, &p->layer[i], &n->block[i]);
    p->last = pack(money, &n->out);
    p->token = spend(money, n->K * FORMS * n->D);
    p->first = spend(money, n->K * FORMS * 3 * n->D);
    p->start = spend(money, 3 * n->D);
    float *centred = spend(money, n->K * FORMS * n->D);
    if (centred)
        combine(p, centred);
}

/* ── a block of rows ──────────────────────────────────────────────────────────────── */

/* Rows `first` … `first + rows − 1` of y on their way; arrays of rows·K tokens. */
typedef struct {
    int64_t first, rows, tokens;
    float *x;    /* (tokens, D)                                     */
    float *u;    /* (tokens, D)  into the next product              */
    float *wide; /* (tokens, 3D or hidden)                          */
    float *mix;  /* (tokens, D)  out of attention or a sub-layer    */
    float *form; /* (tokens, FORMS)                                 */
    float *rstd; /* (tokens)                                        */
    float *attend;
} block;

/* x, and the first block's q, k and v into `wide`. */
static void begin(const pass *p, const block *b)
{
    int64_t K = p->n->K, D = p->n->D;
    const float *mg = an_f32(p->context->mg), *ml = an_f32(p->context->ml);
    for (int64_t i = 0; i < b->tokens; i++) {
        int64_t row = b->first + i / K, j = i % K, image = row / p->R;
        const float numbers[FORMS] = {p->y[row * K + j], mg[image * K + j], ml[image * K + j], 1};
        memcpy(b->form + i * FORMS, numbers, sizeof numbers);
    }
    for (int64_t j = 0; j < K; j++)
        an_k_block(b->x + j * D, K * D, b->form + j * FORMS, K * FORMS, b->rows,
                   an_k_columns(p->token + j * FORMS * D, D), NULL, D, FORMS);
    an_k_row_rstd(b->rstd, b->x, EPS, b->tokens, D);
    for (int64_t i = 0; i < b->tokens * FORMS; i++)
        b->form[i] *= b->rstd[i / FORMS];
    for (int64_t j = 0; j < K; j++)
        an_k_block(b->wide + j * 3 * D, 3 * K * D, b->form + j * FORMS, K * FORMS, b->rows,
                   an_k_columns(p->first + j * FORMS * 3 * D, 3 * D), p->start, 3 * D, FORMS);
}

/* mix = attention of each row's tokens among themselves; q, k, v are in `wide`. */
static void attend_self(const pass *p, const block *b)
{
    int64_t K = p->n->K, D = p->n->D;
    for (int64_t r = 0; r < b->rows; r++) {
        const float *q = b->wide + r * K * 3 * D;
        an_k_attend(b->mix + r * K * D, D,
                    &(an_attend){.q = q,
                                 .k = q + D,
                                 .v = q + 2 * D,
                                 .ldq = 3 * D,
                                 .ldk = 3 * D,
                                 .queries = K,
                                 .Lk = K,
                                 .heads = p->n->heads,
                                 .d = D / p->n->heads},
                    b->attend);
    }
}

/* mix = attention of the tokens to those of their image; q is in `wide`. */
static void attend_image(const pass *p, const block *b, int i)
{
    int64_t K = p->n->K, D = p->n->D, end = b->first + b->rows;
    const an_tensor *k = p->context->kept[2 * i], *v = p->context->kept[2 * i + 1];
    int64_t N = k->shape[1];
    for (int64_t row = b->first, next; row < end; row = next) {
        int64_t image = row / p->R, at = (row - b->first) * K * D;
        next = (image + 1) * p->R < end ? (image + 1) * p->R : end;
        an_k_attend(b->mix + at, D,
                    &(an_attend){.q = b->wide + at,
                                 .k = an_f32(k) + image * N * D,
                                 .v = an_f32(v) + image * N * D,
                                 .ldq = D,
                                 .ldk = D,
                                 .queries = (next - row) * K,
                                 .Lk = N,
                                 .heads = p->n->heads,
                                 .d = D / p->n->heads},
                    b->attend);
    }
}

/* The end of a sub-layer, x += (1 + gate)·y, and the beginning of the next, whose shift and
 * scale are at `next`. */
static void join(const pass *p, const block *b, const float *y, const float *gate,
                 const float *next)
{
    int64_t D = p->n->D;
    an_k_gated_residual_norm(b->u, b->x, y, gate, next + D, next, EPS, b->tokens, D);
}

/* One block of the network: from q, k and v in `wide` to u for what comes after it. */
static void run_layer(const pass *p, const block *b, int i, const float *next)
{
    const layer *l = &p->layer[i];
    const float *v = l->modulation;
    int64_t D = p->n->D, tokens = b->tokens;
    attend_self(p, b);
    apply(&l->out, b->wide, D, b->mix, tokens, true);
    join(p, b, b->wide, v + 2 * D, v + 3 * D);
    apply(&l->cross_q, b->wide, D, b->u, tokens, true);
    attend_image(p, b, i);
    apply(&l->cross_out, b->wide, D, b->mix, tokens, true);
    join(p, b, b->wide, v + 5 * D, v + 6 * D);
    apply(&l->mlp0, b->wide, l->mlp0.out, b->u, tokens, true);
    an_k_map_forward(AN_GELU, b->wide, b->wide, tokens * l->mlp0.out);
    apply(&l->mlp2, b->mix, D, b->wide, tokens, true);
    join(p, b, b->mix, v + 8 * D, next);
}

static void run(const pass *p, const block *b, float *out)
{
    int last = p->n->blocks - 1;
    begin(p, b);
    for (int i = 0; i <= last; i++) {
        run_layer(p, b, i, i < last ? p->layer[i + 1].modulation : p->modulation);
        if (i < last)
            apply_three(&p->layer[i + 1], b->wide, b->u, b->tokens, true);
    }
    float *wide = b->wide; /* one column would be slow: its pack has 16 */
    an_k_panel_rows(wide, LAST, b->u, p->n->D, p->last.panels, b->tokens, p->n->D, LAST, NULL,
                    false, NULL);
    for (int64_t i = 0; i < b->tokens; i++)
        out[b->first * p->n->K + i] = wide[i * LAST] + p->last.bias[0];
}

/* ── the pass ─────────────────────────────────────────────────────────────────────── */

/* Rows of a block, from the sizes of the problem alone: the draws of one image or of a few
 * whole images, for they share keys; part of them where those are too many. */
static int64_t rows_of_block(int64_t R, int64_t K)
{
    if (R * K > MANY)
        return MANY / K > 1 ? MANY / K : 1;
    return (FEW + R * K - 1) / (R * K) * R;
}

static block cut(purse *money, const an_cross_network *n, int64_t rows, int64_t images)
{
    int64_t D = n->D, tokens = rows * n->K, wide = n->hidden > 3 * D ? n->hidden : 3 * D;
    int64_t keys = images > n->K ? images : n->K;
    return (block){.x = spend(money, tokens * D),
                   .u = spend(money, tokens * D),
                   .wide = spend(money, tokens * (wide > LAST ? wide : LAST)),
                   .mix = spend(money, tokens * D),
                   .form = spend(money, tokens * FORMS),
                   .rstd = spend(money, tokens),
                   .attend = spend(money, an_k_attend_scratch(keys, D / n->heads))};
}

typedef struct {
    const pass *p;
    int64_t rows;         /* of a block                       */
    float *scratch, *out; /* scratch: `share` floats a thread */
    int64_t share;
} blocks;

static void run_block(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const blocks *all = context;
    const pass *p = all->p;
    purse own = {.at = all->scratch + omp_get_thread_num() * all->share};
    block b = cut(&own, p->n, all->rows, p->context->kept[0]->shape[1]);
    (void)chunk;
    b.first = lo;
    b.rows = hi - lo;
    b.tokens = b.rows * p->n->K;
    run(p, &b, all->out);
}

an_tensor *an_cross_rows(const an_cross_network *n, const an_context *context,
                         an_tensor *const *modulation, an_tensor *y)
{
    an_tensor *out = y ? an_tensor_like(y) : NULL;
    if (!out)
        return NULL;
    pass p = {.n = n, .context = context, .y = an_f32(y), .R = y->shape[0] / context->images};
    for (int i = 0; i <= n->blocks; i++) {
        if (!modulation[i])
            return NULL;
        *(i < n->blocks ? &p.layer[i].modulation : &p.modulation) = an_f32(modulation[i]);
    }
    int64_t rows = rows_of_block(p.R, n->K);
    purse shared = {0}, own = {0};
    prepare(&p, &shared);
    cut(&own, n, rows, context->kept[0]->shape[1]);
    float *scratch =
        an_scratch_take(sizeof(float) * (size_t)(shared.used + an_threads() * own.used));
    if (!scratch)
        return NULL;
    prepare(&p, &(purse){.at = scratch});
    blocks all = {&p, rows, scratch + shared.used, an_f32(out), own.used};
    an_par_for(y->shape[0], rows, run_block, &all);
    an_scratch_give(scratch);
    return out;
}
