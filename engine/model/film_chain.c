/* film_chain: the film denoiser's forward pass in a reverse chain, where all rows share one time
 * and no gradient is needed. With running moments a layer is affine before its softplus,
 *
 *     BN(e_t ⊙ (W h + b)) = W' h + b' ,   W' = diag(e_t ⊙ g) W ,  g = γ / √(var + eps) ,
 *
 * so each pass packs the four W' and then takes a few rows at a time through the whole network, so
 * that activations between layers stay in L2. */
#include <math.h>
#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/par.h"
#include "kernel/common/carve.h"
#include "kernel/matmul/packed.h"
#include "kernel/pointwise/map.h"
#include "model/film.h"

/* Rows of a block: at width 128 the input and output of a layer are 64 KiB and W' is 64 KiB. */
enum { ROWS = 64 };

/* W' packed, and b', padded with zeros to whole vectors. */
typedef struct {
    an_carve_part packed, padded_bias; /* shared */
    an_packed w;
    const float *bias;
} affine;

typedef struct {
    const float *y, *mg, *ml, *u;
    int64_t K, D, R;
    int64_t widest;                   /* columns of the widest layer, in or out */
    affine layer[AN_FILM_LAYERS + 1]; /* the last is the output                 */
    an_carve scratch;
    an_carve_part gain, shift, scaled; /* shared: (widest), (widest), (widest, widest)          */
    an_carve_part here, next;          /* own: (ROWS, widest) before and after a layer          */
    float *out;
} pass;

/* ── once per pass ──────────────────────────────────────────────────────────────────────── */

static const an_dense *dense_of(const an_film_network *f, int i)
{
    return i < AN_FILM_LAYERS ? &f->layer[i].lin : &f->out;
}

static void declare_parts(pass *p, const an_film_network *f)
{
    an_carve *c = &p->scratch;
    for (int i = 0; i <= AN_FILM_LAYERS; i++) {
        const an_dense *l = dense_of(f, i);
        int64_t out = l->weight->shape[0], in = l->weight->shape[1];
        p->layer[i].packed = an_carve_shared(c, an_packed_floats(in, out), sizeof(float));
        p->layer[i].padded_bias = an_carve_shared(c, an_round_up(out, AN_LANES), sizeof(float));
    }
    p->gain = an_carve_shared(c, p->widest, sizeof(float));
    p->shift = an_carve_shared(c, p->widest, sizeof(float));
    p->scaled = an_carve_shared(c, p->widest * p->widest, sizeof(float));
    p->here = an_carve_own(c, ROWS * p->widest, sizeof(float));
    p->next = an_carve_own(c, ROWS * p->widest, sizeof(float));
}

/* a ← gain ⊙ (W h + b) + shift. */
static void pack_affine(affine *a, const pass *p, const an_dense *l, const float *gain,
                        const float *shift)
{
    int64_t out = l->weight->shape[0], in = l->weight->shape[1];
    const float *w = an_f32(l->weight), *b = an_f32(l->bias);
    float *scaled = an_carve_at(&p->scratch, p->scaled);
    float *bias = an_carve_at(&p->scratch, a->padded_bias);
    for (int64_t o = 0; o < out; o++) {
        for (int64_t i = 0; i < in; i++)
            scaled[o * in + i] = gain[o] * w[o * in + i];
        bias[o] = gain[o] * b[o] + shift[o];
    }
    memset(bias + out, 0, sizeof(float) * (size_t)(an_round_up(out, AN_LANES) - out));
    a->w = an_k_pack(an_carve_at(&p->scratch, a->packed), true, scaled, in, in, out);
    a->bias = bias;
}

/* gain (D) ← e_t ⊙ g and shift (D) ← β − mean ⊙ g of a layer. */
static void fold_moments(float *gain, float *shift, const an_film_layer *l, int64_t t, int64_t D)
{
    const float *embed = an_f32(l->embed) + t * D, *mean = an_f32(l->norm.running_mean);
    const float *var = an_f32(l->norm.running_var), *gamma = an_f32(l->norm.weight);
    const float *beta = an_f32(l->norm.bias);
    for (int64_t c = 0; c < D; c++) {
        float g = (float)(gamma[c] / sqrt((double)var[c] + AN_BN_EPS));
        gain[c] = embed[c] * g;
        shift[c] = beta[c] - mean[c] * g;
    }
}

static void pack_layers(pass *p, const an_film_network *f, int64_t t)
{
    float *gain = an_carve_at(&p->scratch, p->gain), *shift = an_carve_at(&p->scratch, p->shift);
    for (int i = 0; i < AN_FILM_LAYERS; i++) {
        fold_moments(gain, shift, &f->layer[i], t, p->D);
        pack_affine(&p->layer[i], p, &f->layer[i].lin, gain, shift);
    }
    for (int64_t j = 0; j < p->K; j++) {
        gain[j] = 1;
        shift[j] = 0;
    }
    pack_affine(&p->layer[AN_FILM_LAYERS], p, &f->out, gain, shift);
}

/* ── a block of rows ────────────────────────────────────────────────────────────────────── */

/* h (rows, 3K) ← y, mg, ml of the rows from `first`. */
static void gather(const pass *p, float *h, int64_t first, int64_t rows)
{
    size_t line = sizeof(float) * (size_t)p->K;
    for (int64_t r = 0; r < rows; r++, h += 3 * p->K) {
        int64_t image = (first + r) / p->R * p->K;
        memcpy(h, p->y + (first + r) * p->K, line);
        memcpy(h + p->K, p->mg + image, line);
        memcpy(h + 2 * p->K, p->ml + image, line);
    }
}

/* to (rows, w.N) ← from (rows, w.K) W'ᵀ + b' */
static void apply(const an_packed *w, const float *bias, float *to, const float *from, int64_t rows)
{
    an_k_packed_product(to, w->N, from, w->K, rows, w, bias, false, NULL);
}

static void multiply_by_image(const pass *p, float *h, int64_t first, int64_t rows)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < p->D; c++)
            h[r * p->D + c] *= p->u[(first + r) / p->R * p->D + c];
}

/* Rows first … first + rows − 1 of the output. */
static void run_rows(const pass *p, int64_t first, int64_t rows)
{
    float *here = an_carve_at(&p->scratch, p->here), *next = an_carve_at(&p->scratch, p->next);
    gather(p, here, first, rows);
    for (int i = 0; i < AN_FILM_LAYERS; i++) {
        apply(&p->layer[i].w, p->layer[i].bias, next, here, rows);
        an_k_map_forward(AN_SOFTPLUS, next, next, rows * p->D);
        if (i == 0)
            multiply_by_image(p, next, first, rows);
        float *swap = here;
        here = next;
        next = swap;
    }
    /* K columns and the zeros after them: whole vectors are faster and give the same bits */
    const affine *last = &p->layer[AN_FILM_LAYERS];
    an_packed whole = {last->w.data, p->D, an_round_up(p->K, AN_LANES)};
    apply(&whole, last->bias, next, here, rows);
    for (int64_t r = 0; r < rows; r++)
        memcpy(p->out + (first + r) * p->K, next + r * whole.N, sizeof(float) * (size_t)p->K);
}

an_tensor *an_film_chain(const an_film_network *f, const an_denoiser_context *context, an_tensor *u,
                         an_tensor *y, int64_t t)
{
    an_tensor *out = u && y ? an_tensor_like(y) : NULL;
    if (!out)
        return NULL;
    AN_ASSERT(y->shape[0] % context->images == 0 && u->shape[0] == context->images);
    AN_ASSERT(an_is_contiguous(y) && an_is_contiguous(u));
    AN_ASSERT(t >= 0 && t < f->layer[0].embed->shape[0]);
    pass p = {.y = an_f32(y),
              .mg = an_f32(context->mg),
              .ml = an_f32(context->ml),
              .u = an_f32(u),
              .K = y->shape[1],
              .D = u->shape[1],
              .R = y->shape[0] / context->images,
              .out = an_f32(out)};
    p.widest = an_round_up(an_max(p.D, 3 * p.K), AN_LANES);
    declare_parts(&p, f);
    if (an_carve_take(&p.scratch))
        return NULL;
    pack_layers(&p, f, t);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t first = 0; first < y->shape[0]; first += ROWS)
        run_rows(&p, first, an_min(ROWS, y->shape[0] - first));
    an_carve_release(&p.scratch);
    return out;
}
