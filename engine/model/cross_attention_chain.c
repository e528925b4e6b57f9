/* cross_attention_chain: the denoiser's forward pass in a reverse chain, where all rows share one
 * time and no gradient is needed. A few rows at a time go through the whole network, so that
 * activations between layers stay in L1 and L2; weights are packed once per pass.
 *
 * The first block's q, k and v need no product of width D: their tokens are linear combinations
 * x_j = y_j·w0 + mg_j·w1 + ml_j·w2 + e_j of vectors that all rows share (e_j = class_j + bias).
 * With w', e' for these vectors minus their mean over D, LN(x_j) = rstd·(y_j·w0' + …), so
 *
 *     W(LN(x_j)(1 + k) + s) + b = rstd·(y_j·V w0' + mg_j·V w1' + ml_j·V w2' + V e_j') + Ws + b
 *
 * with V = W diag(1 + k): four coefficients times vectors that are computed once per pass. */
#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/par.h"
#include "kernel/common/carve.h"
#include "kernel/pointwise/map.h"
#include "kernel/attention/attention.h"
#include "kernel/norm/adaptive_norm.h"
#include "kernel/matmul/packed.h"
#include "model/cross_attention.h"

enum {
    FEW = 56,   /* from this many tokens on, a block of rows reuses the packed weights enough   */
    MANY = 192, /* tokens up to which a block's activations fit L2: at D 128 and 3D wide, 96
                   KiB each and 288 KiB                                                        */
    TERMS = 4   /* vectors that are combined to a token; the coefficients are y, mg, ml, 1      */
};
static const double EPS = 1e-5;

/* The dense layers of a block. */
enum { SELF_Q, SELF_K, SELF_V, SELF_OUT, CROSS_Q, CROSS_OUT, MLP_IN, MLP_OUT, DENSE };

typedef struct {
    const an_dense *source;
    an_carve_part part; /* shared: the packed weights */
    an_packed w;
    const float *bias;
} packed_dense;

typedef struct {
    packed_dense dense[DENSE];
    const float *modulation; /* (9D) */
} layer;

/* A thread's work space for a block of rows, that is `tokens` tokens. */
typedef struct {
    an_carve_part x, u, wide, mix, coefficient, rstd, attend;
} block_parts;

typedef struct {
    const an_cross_network *n;
    const an_denoiser_context *context;
    const float *y, *modulation; /* modulation (2D) of the output */
    int64_t R;
    layer layer[AN_MAX_BLOCKS];
    packed_dense last;
    an_carve scratch;
    block_parts own;
    an_carve_part token, centred, first, packed_token, packed_first, offset; /* shared */
    float *out;
} pass;

/* ── once per pass ────────────────────────────────────────────────────────────────── */

static const an_dense *dense_of(const an_cross_block *b, int i)
{
    const an_dense *all[DENSE] = {
        [SELF_Q] = &b->self.q,     [SELF_K] = &b->self.k,   [SELF_V] = &b->self.v,
        [SELF_OUT] = &b->self.out, [CROSS_Q] = &b->cross.q, [CROSS_OUT] = &b->cross.out,
        [MLP_IN] = &b->mlp0,       [MLP_OUT] = &b->mlp2};
    return all[i];
}

static packed_dense declare_dense(an_carve *c, const an_dense *l)
{
    int64_t floats = an_packed_floats(l->weight->shape[1], l->weight->shape[0]);
    return (packed_dense){.source = l, .part = an_carve_shared(c, floats, sizeof(float))};
}

static void declare_shared(pass *p)
{
    an_carve *c = &p->scratch;
    const an_cross_network *n = p->n;
    int64_t D = n->D, terms = n->K * TERMS;
    for (int i = 0; i < n->blocks; i++)
        for (int d = 0; d < DENSE; d++)
            p->layer[i].dense[d] = declare_dense(c, dense_of(&n->block[i], d));
    p->last = declare_dense(c, &n->out);
    p->token = an_carve_shared(c, terms * D, sizeof(float));
    p->centred = an_carve_shared(c, terms * D, sizeof(float));
    p->first = an_carve_shared(c, terms * 3 * D, sizeof(float));
    p->packed_token = an_carve_shared(c, n->K * an_packed_floats(TERMS, D), sizeof(float));
    p->packed_first = an_carve_shared(c, n->K * an_packed_floats(TERMS, 3 * D), sizeof(float));
    p->offset = an_carve_shared(c, 3 * D, sizeof(float));
}

static void pack_dense(const an_carve *c, packed_dense *l)
{
    int64_t out = l->source->weight->shape[0], in = l->source->weight->shape[1];
    l->w = an_k_pack(an_carve_at(c, l->part), true, an_f32(l->source->weight), in, in, out);
    l->bias = an_f32(l->source->bias);
}

/* y (rows, out), rows `ldy` apart, ← x (rows, in) Wᵀ [+ b] */
static void apply(const packed_dense *l, float *y, int64_t ldy, const float *x, int64_t rows,
                  bool bias)
{
    an_k_packed_product(y, ldy, x, l->w.K, rows, &l->w, bias ? l->bias : NULL, false, NULL);
}

/* y (rows, 3D) ← q, k and v. */
static void apply_qkv(const layer *l, float *y, const float *x, int64_t rows, bool bias)
{
    int64_t D = l->dense[SELF_Q].w.N;
    apply(&l->dense[SELF_Q], y, 3 * D, x, rows, bias);
    apply(&l->dense[SELF_K], y + D, 3 * D, x, rows, bias);
    apply(&l->dense[SELF_V], y + 2 * D, 3 * D, x, rows, bias);
}

/* token (K, TERMS, D) ← the vectors that are combined to x_j. */
static void fill_token(float *token, const an_cross_network *n)
{
    const float *w = an_f32(n->token.weight), *bias = an_f32(n->token.bias);
    int64_t D = n->D;
    for (int64_t j = 0; j < n->K; j++)
        for (int64_t c = 0; c < D; c++) {
            float *to = token + j * TERMS * D + c;
            for (int64_t term = 0; term < TERMS - 1; term++)
                to[term * D] = w[c * (TERMS - 1) + term];
            to[(TERMS - 1) * D] = bias[c] + an_f32(n->class_embedding)[j * D + c];
        }
}

/* packed ← `count` matrices (TERMS, columns), one after another. */
static void pack_terms(float *packed, const float *terms, int64_t count, int64_t columns)
{
    for (int64_t j = 0; j < count; j++)
        an_k_pack(packed + j * an_packed_floats(TERMS, columns), false, terms + j * TERMS * columns,
                  columns, TERMS, columns);
}

/* Packs the weights, and the vectors that x and the first block's q, k and v are combined from. */
static void prepare(pass *p)
{
    const an_carve *c = &p->scratch;
    int64_t K = p->n->K, D = p->n->D;
    for (int i = 0; i < p->n->blocks; i++)
        for (int d = 0; d < DENSE; d++)
            pack_dense(c, &p->layer[i].dense[d]);
    pack_dense(c, &p->last);
    const layer *l = &p->layer[0];
    float *token = an_carve_at(c, p->token), *centred = an_carve_at(c, p->centred);
    float *first = an_carve_at(c, p->first);
    fill_token(token, p->n);
    an_k_centre_rows(centred, token, l->modulation + D, K * TERMS, D);
    apply_qkv(l, first, centred, K * TERMS, false);
    apply_qkv(l, an_carve_at(c, p->offset), l->modulation, 1, true);
    pack_terms(an_carve_at(c, p->packed_token), token, K, D);
    pack_terms(an_carve_at(c, p->packed_first), first, K, 3 * D);
}

/* ── a block of rows ──────────────────────────────────────────────────────────────── */

/* Rows `first` … `first + rows − 1` of y, which are rows·K tokens, and their intermediate results.
 */
typedef struct {
    int64_t first, rows, tokens;
    float *x;           /* (tokens, D)                                     */
    float *u;           /* (tokens, D)  input of the next product          */
    float *wide;        /* (tokens, 3D or hidden)                          */
    float *mix;         /* (tokens, D)  output of attention or a sub-layer */
    float *coefficient; /* (tokens, TERMS)                                 */
    float *rstd;        /* (tokens)                                        */
    float *attend;      /* scratch of an_k_attend()                        */
} block;

/* to ← per class j, `coefficient` times the packed vectors (TERMS, columns) of class j. */
static void combine(float *to, const block *b, const float *packed, int64_t K, int64_t columns,
                    const float *offset)
{
    for (int64_t j = 0; j < K; j++) {
        an_packed vectors = {packed + j * an_packed_floats(TERMS, columns), TERMS, columns};
        an_k_packed_product(to + j * columns, K * columns, b->coefficient + j * TERMS, K * TERMS,
                            b->rows, &vectors, offset, false, NULL);
    }
}

/* x, and the first block's q, k and v in `wide`. */
static void begin(const pass *p, const block *b)
{
    int64_t K = p->n->K, D = p->n->D;
    const float *mg = an_f32(p->context->mg), *ml = an_f32(p->context->ml);
    for (int64_t i = 0; i < b->tokens; i++) {
        int64_t row = b->first + i / K, j = i % K, image = row / p->R;
        const float of_token[TERMS] = {p->y[row * K + j], mg[image * K + j], ml[image * K + j], 1};
        memcpy(b->coefficient + i * TERMS, of_token, sizeof of_token);
    }
    combine(b->x, b, an_carve_at(&p->scratch, p->packed_token), K, D, NULL);
    an_k_row_rstd(b->rstd, b->x, EPS, b->tokens, D);
    for (int64_t i = 0; i < b->tokens * TERMS; i++)
        b->coefficient[i] *= b->rstd[i / TERMS];
    combine(b->wide, b, an_carve_at(&p->scratch, p->packed_first), K, 3 * D,
            an_carve_at(&p->scratch, p->offset));
}

/* mix = attention among each row's tokens; q, k, v are in `wide`. */
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

/* Ends a sub-layer, x += (1 + gate)·y, and begins the next, whose shift and scale are at `next`. */
static void join(const pass *p, const block *b, const float *y, const float *gate,
                 const float *next)
{
    int64_t D = p->n->D;
    an_k_gated_residual_norm(b->u, b->x, y, gate, next + D, next, EPS, b->tokens, D);
}

/* One block of the network: from q, k and v in `wide` to u, the input of what follows. */
static void run_layer(const pass *p, const block *b, int i, const float *next)
{
    const layer *l = &p->layer[i];
    const packed_dense *dense = l->dense;
    const float *v = l->modulation;
    int64_t D = p->n->D, tokens = b->tokens, hidden = dense[MLP_IN].w.N;
    attend_self(p, b);
    apply(&dense[SELF_OUT], b->wide, D, b->mix, tokens, true);
    join(p, b, b->wide, v + 2 * D, v + 3 * D);
    apply(&dense[CROSS_Q], b->wide, D, b->u, tokens, true);
    attend_image(p, b, i);
    apply(&dense[CROSS_OUT], b->wide, D, b->mix, tokens, true);
    join(p, b, b->wide, v + 5 * D, v + 6 * D);
    apply(&dense[MLP_IN], b->wide, hidden, b->u, tokens, true);
    an_k_map_forward(AN_GELU, b->wide, b->wide, tokens * hidden);
    apply(&dense[MLP_OUT], b->mix, D, b->wide, tokens, true);
    join(p, b, b->mix, v + 8 * D, next);
}

static void run_block(const pass *p, const block *b)
{
    int last = p->n->blocks - 1;
    begin(p, b);
    for (int i = 0; i <= last; i++) {
        run_layer(p, b, i, i < last ? p->layer[i + 1].modulation : p->modulation);
        if (i < last)
            apply_qkv(&p->layer[i + 1], b->wide, b->u, b->tokens, true);
    }
    /* the last layer's only column and the zeros after it: a whole vector is faster */
    an_packed whole = {p->last.w.data, p->n->D, AN_LANES};
    an_k_packed_product(b->wide, AN_LANES, b->u, p->n->D, b->tokens, &whole, NULL, false, NULL);
    for (int64_t i = 0; i < b->tokens; i++)
        p->out[b->first * p->n->K + i] = b->wide[i * AN_LANES] + p->last.bias[0];
}

/* ── the pass ─────────────────────────────────────────────────────────────────────── */

/* Rows of a block, from the sizes of the problem alone: the draws of one image or of a few whole
 * images, which share keys, or part of one image's draws if there are too many. */
static int64_t rows_of_block(int64_t R, int64_t K)
{
    if (R * K > MANY)
        return an_max(MANY / K, 1);
    return an_div_up(FEW, R * K) * R;
}

static void declare_own(pass *p, int64_t rows)
{
    an_carve *c = &p->scratch;
    int64_t D = p->n->D, tokens = rows * p->n->K, per_image = p->context->kept[0]->shape[1];
    int64_t wide = an_max(an_max(p->n->hidden, 3 * D), AN_LANES), keys = an_max(per_image, p->n->K);
    p->own = (block_parts){
        .x = an_carve_own(c, tokens * D, sizeof(float)),
        .u = an_carve_own(c, tokens * D, sizeof(float)),
        .wide = an_carve_own(c, tokens * wide, sizeof(float)),
        .mix = an_carve_own(c, tokens * D, sizeof(float)),
        .coefficient = an_carve_own(c, tokens * TERMS, sizeof(float)),
        .rstd = an_carve_own(c, tokens, sizeof(float)),
        .attend = an_carve_own(c, an_k_attend_scratch(keys, D / p->n->heads), sizeof(float))};
}

static void run_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const pass *p = context;
    const an_carve *c = &p->scratch;
    (void)chunk;
    block b = {.first = lo,
               .rows = hi - lo,
               .tokens = (hi - lo) * p->n->K,
               .x = an_carve_at(c, p->own.x),
               .u = an_carve_at(c, p->own.u),
               .wide = an_carve_at(c, p->own.wide),
               .mix = an_carve_at(c, p->own.mix),
               .coefficient = an_carve_at(c, p->own.coefficient),
               .rstd = an_carve_at(c, p->own.rstd),
               .attend = an_carve_at(c, p->own.attend)};
    run_block(p, &b);
}

an_tensor *an_cross_attention_chain(const an_cross_network *n, const an_denoiser_context *context,
                                    an_tensor *const *modulation, an_tensor *y)
{
    an_tensor *out = y ? an_tensor_like(y) : NULL;
    if (!out)
        return NULL;
    AN_ASSERT(y->shape[0] % context->images == 0 && y->shape[1] == n->K && an_is_contiguous(y));
    pass p = {.n = n,
              .context = context,
              .y = an_f32(y),
              .R = y->shape[0] / context->images,
              .out = an_f32(out)};
    for (int i = 0; i <= n->blocks; i++) {
        if (!modulation[i])
            return NULL;
        AN_ASSERT(an_numel(modulation[i]) == (i < n->blocks ? 9 : 2) * n->D);
        *(i < n->blocks ? &p.layer[i].modulation : &p.modulation) = an_f32(modulation[i]);
    }
    int64_t rows = rows_of_block(p.R, n->K);
    declare_shared(&p);
    declare_own(&p, rows);
    if (an_carve_take(&p.scratch))
        return NULL;
    prepare(&p);
    an_par_for(y->shape[0], rows, run_rows, &p);
    an_carve_release(&p.scratch);
    return out;
}
