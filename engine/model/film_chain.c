/* film_chain: the film denoiser's pass in a reverse chain, where all rows are at one time and
 * nothing is kept. With running moments a layer is affine before its softplus,
 *
 *     BN(e_t ⊙ (W h + b)) = W' h + b' ,   W' = diag(e_t ⊙ g) W ,  g = γ / √(var + eps) ,
 *
 * so each pass packs three small W' and then takes a few rows at a time through the whole
 * network: what is between two layers stays in the nearest cache. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/par.h"
#include "base/memory/scratch.h"
#include "kernel/pointwise/map.h"
#include "kernel/matmul/block.h"
#include "model/film.h"

enum {
    ROWS = 64, /* of a block: 96 KB between two layers of width 128 */
    WHOLE = 16 /* columns of a product come in sixteens             */
};
static const double EPS = 1e-5;

/* W' packed, and b'. */
typedef struct {
    an_columns w;
    const float *bias;
    int64_t out, in;
} affine;

typedef struct {
    const float *y, *mg, *ml, *u;
    int64_t K, D, R;
    affine layer[AN_FILM_LAYERS + 1]; /* the last is the output */
} pass;

static int64_t whole(int64_t n)
{
    return (n + WHOLE - 1) / WHOLE * WHOLE;
}

static int64_t affine_floats(const an_dense *l)
{
    int64_t out = l->weight->shape[0], in = l->weight->shape[1];
    return whole(an_k_packed(out, in)) + whole(out);
}

/* gain ⊙ (W h + b) + shift at `to`; `spare` holds W's numbers. */
static affine make_affine(float *to, float *spare, const an_dense *l, const float *gain,
                          const float *shift)
{
    int64_t out = l->weight->shape[0], in = l->weight->shape[1];
    const float *w = an_f32(l->weight), *b = an_f32(l->bias);
    float *bias = to + whole(an_k_packed(out, in));
    for (int64_t o = 0; o < out; o++) {
        for (int64_t i = 0; i < in; i++)
            spare[o * in + i] = gain[o] * w[o * in + i];
        bias[o] = gain[o] * b[o] + shift[o];
    }
    memset(bias + out, 0, sizeof(float) * (size_t)(whole(out) - out));
    return (affine){an_k_pack(to, spare, in, out, in), bias, out, in};
}

/* gain (D) = e_t ⊙ g and shift (D) = β − mean ⊙ g of a layer. */
static void moments(float *gain, float *shift, const an_film_layer *l, int64_t t, int64_t D)
{
    const float *embed = an_f32(l->embed) + t * D, *mean = an_f32(l->norm.running_mean);
    const float *var = an_f32(l->norm.running_var), *gamma = an_f32(l->norm.weight);
    const float *beta = an_f32(l->norm.bias);
    for (int64_t c = 0; c < D; c++) {
        float g = (float)(gamma[c] / sqrt((double)var[c] + EPS));
        gain[c] = embed[c] * g;
        shift[c] = beta[c] - mean[c] * g;
    }
}

/* `spare`: the numbers of the largest weight, and two vectors of the wider of D and K. */
static void prepare(pass *p, const an_film_network *f, int64_t t, float *at, float *spare,
                    int64_t widest)
{
    float *gain = spare, *shift = spare + widest;
    spare += 2 * widest;
    for (int i = 0; i < AN_FILM_LAYERS; i++) {
        moments(gain, shift, &f->layer[i], t, p->D);
        p->layer[i] = make_affine(at, spare, &f->layer[i].lin, gain, shift);
        at += affine_floats(&f->layer[i].lin);
    }
    for (int64_t j = 0; j < p->K; j++) {
        gain[j] = 1;
        shift[j] = 0;
    }
    p->layer[AN_FILM_LAYERS] = make_affine(at, spare, &f->out, gain, shift);
}

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

static void apply(const affine *l, float *to, const float *from, int64_t rows)
{
    an_k_block(to, l->out, from, l->in, rows, l->w, l->bias, l->out, l->in);
}

/* Rows first … first + rows − 1; a and b hold as many lines of the widest layer. */
static void run(const pass *p, float *a, float *b, int64_t first, int64_t rows, float *out)
{
    gather(p, a, first, rows);
    for (int i = 0; i < AN_FILM_LAYERS; i++) {
        apply(&p->layer[i], b, a, rows);
        an_k_map_forward(AN_SOFTPLUS, b, b, rows * p->D);
        for (int64_t r = 0; r < rows && i == 0; r++)
            for (int64_t c = 0; c < p->D; c++)
                b[r * p->D + c] *= p->u[(first + r) / p->R * p->D + c];
        float *swap = a;
        a = b;
        b = swap;
    }
    /* whole sixteens of columns, then what is wanted */
    const affine *last = &p->layer[AN_FILM_LAYERS];
    int64_t wide = whole(p->K);
    an_k_block(b, wide, a, p->D, rows, last->w, last->bias, wide, p->D);
    for (int64_t r = 0; r < rows; r++)
        memcpy(out + (first + r) * p->K, b + r * wide, sizeof(float) * (size_t)p->K);
}

static void run_all(const pass *p, int64_t total, float *scratch, int64_t line, float *out)
{
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t first = 0; first < total; first += ROWS) {
        float *a = scratch + omp_get_thread_num() * 2 * ROWS * line;
        run(p, a, a + ROWS * line, first, total - first < ROWS ? total - first : ROWS, out);
    }
}

an_tensor *an_film_rows(const an_film_network *f, const an_context *context, an_tensor *u,
                        an_tensor *y, int64_t t)
{
    an_tensor *out = u && y ? an_tensor_like(y) : NULL;
    if (!out)
        return NULL;
    pass p = {.y = an_f32(y),
              .mg = an_f32(context->mg),
              .ml = an_f32(context->ml),
              .u = an_f32(u),
              .K = y->shape[1],
              .D = u->shape[1],
              .R = y->shape[0] / context->images};
    int64_t line = whole(p.D > 3 * p.K ? p.D : 3 * p.K), packed = affine_floats(&f->out);
    for (int i = 0; i < AN_FILM_LAYERS; i++)
        packed += affine_floats(&f->layer[i].lin);
    int64_t spare = line * line + 2 * line, own = an_threads() * 2 * ROWS * line;
    float *scratch = an_scratch_take(sizeof(float) * (size_t)(packed + spare + own));
    if (!scratch)
        return NULL;
    prepare(&p, f, t, scratch, scratch + packed, line);
    run_all(&p, y->shape[0], scratch + packed + spare, line, an_f32(out));
    an_scratch_give(scratch);
    return out;
}
