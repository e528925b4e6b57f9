/* conv_patches: see conv_patches.h. A task is some whole images or, for a weight gradient, a chunk
 * of images whose sums are added in chunk order. */
#include "kernel/conv/conv_patches.h"

#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/par.h"
#include "base/simd.h"
#include "kernel/common/carve.h"
#include "kernel/matmul/gemm.h"
#include "kernel/matmul/packed.h"

enum {
    FEW_CHANNELS = 4,
    L = AN_LANES,   /* floats copied or added at a time; arrays end with L unused ones        */
    POSITIONS = 64, /* of a block of output lines (one line at least): 64 patches of 3×3×4 are
                       9 KiB, a third of L1                                                  */
    CHUNKS = 8      /* of images, at most: each needs a copy of dW                           */
};

typedef struct {
    const an_conv_shape *s;
    int64_t H, W;        /* of a padded image                                       */
    int64_t run, line;   /* floats of a line of the kernel; rounded up to 16        */
    int64_t depth;       /* of a patch                                              */
    int64_t lines;       /* output lines of a block                                 */
    int64_t image, rows; /* floats of a padded image and of a block's rows          */
} layout;

/* A block's rows hold patches, or `by_lines` (kh, line) floats each. */
static layout layout_of(const an_conv_shape *s, bool by_lines)
{
    layout l = {.s = s,
                .H = (s->Ho - 1) * s->stride + s->kh,
                .W = (s->Wo - 1) * s->stride + s->kw,
                .run = s->kw * s->C};
    l.line = an_round_up(l.run, L);
    l.depth = s->kh * l.run;
    l.lines = an_min(an_div_up(POSITIONS, s->Wo), s->Ho);
    l.image = an_round_up(l.H * l.W * s->C + L, L);
    l.rows = l.lines * s->Wo * (by_lines ? s->kh * l.line : l.depth) + L;
    return l;
}

bool an_k_conv_patches_fit(const an_conv_shape *s)
{
    return s->C <= FEW_CHANNELS && s->kw > 1 && s->O % L == 0;
}

/* ── an image and its patches ───────────────────────────────────────────────────────────────── */

/* to (H, W, C of the layout) ← image b of x between zeros. */
static void pad(float *to, const float *x, int64_t b, const layout *l)
{
    const an_conv_shape *s = l->s;
    int64_t width = an_min(l->W - s->pad_x, s->W), from = b * s->H * s->W * s->C;
    memset(to, 0, sizeof(float) * (size_t)l->image);
    for (int64_t i = 0; i < s->H && i + s->pad_y < l->H && width > 0; i++)
        memcpy(to + ((i + s->pad_y) * l->W + s->pad_x) * s->C, x + from + i * s->W * s->C,
               sizeof(float) * (size_t)(width * s->C));
}

/* P ← the patches of output lines lo … hi−1. Each copy may end in what the next one overwrites. */
AN_SIMD static void lay_out(float *restrict P, const float *restrict image, int64_t lo, int64_t hi,
                            const layout *l)
{
    const an_conv_shape *s = l->s;
    int64_t step = s->stride * s->C;
    for (int64_t i = lo; i < hi; i++)
        for (int64_t j = 0; j < s->Wo; j++)
            for (int64_t u = 0; u < s->kh; u++, P += l->run) {
                const float *from = image + (i * s->stride + u) * l->W * s->C + j * step;
                for (int64_t at = 0; at < l->run; at += L)
                    for (int k = 0; k < L; k++)
                        P[at + k] = from[at + k];
            }
}

/* The inverse of lay_out(): adds rows (kh, line) to the image. Neighbouring patches share floats;
 * they are not added one right after the other, because a vector that overlaps two vectors stored
 * just before is slow to load (store forwarding fails). */
AN_SIMD static void add_back(float *restrict image, const float *restrict rows, int64_t lo,
                             int64_t hi, const layout *l)
{
    const an_conv_shape *s = l->s;
    int64_t step = s->stride * s->C, apart = an_div_up(l->line, step), row = s->kh * l->line;
    for (int64_t i = lo; i < hi; i++, rows += s->Wo * row)
        for (int64_t first = 0; first < apart; first++)
            for (int64_t j = first; j < s->Wo; j += apart)
                for (int64_t u = 0; u < s->kh; u++) {
                    float *to = image + (i * s->stride + u) * l->W * s->C + j * step;
                    const float *from = rows + j * row + u * l->line;
                    for (int64_t at = 0; at < l->line; at += L)
                        for (int k = 0; k < L; k++)
                            to[at + k] += from[at + k];
                }
}

/* dx (H, W, C) ←, or +=, the padded image without its padding. */
static void unpad(float *dx, const float *image, bool accumulate, const layout *l)
{
    const an_conv_shape *s = l->s;
    int64_t line = s->W * s->C, width = an_min(l->W - s->pad_x, s->W) * s->C;
    for (int64_t i = 0; i < s->H; i++, dx += line) {
        const float *from = image + ((i + s->pad_y) * l->W + s->pad_x) * s->C;
        int64_t inside = i + s->pad_y < l->H && width > 0 ? width : 0;
        for (int64_t k = 0; k < inside; k++)
            dx[k] = from[k] + (accumulate ? dx[k] : 0);
        for (int64_t k = inside; k < line && !accumulate; k++)
            dx[k] = 0;
    }
}

/* ── weights ────────────────────────────────────────────────────────────────────────────────── */

/* Packs W (depth, O). */
static an_packed pack(float *data, const float *w, const layout *l)
{
    const an_conv_shape *s = l->s;
    for (int64_t p = 0; p < an_panel_count(s->O); p++)
        an_k_pack_permuted(data + an_panel_start(l->depth, p), an_panel_width(s->O, p),
                           w + p * AN_PANEL * l->depth, l->depth, an_panel_columns(s->O, p),
                           l->depth, s->kh * s->kw, s->C);
    return (an_packed){data, l->depth, s->O};
}

/* Packs Wᵀ (O, kh·line), each line of a kernel padded with zeros, by way of `wide`. */
static an_packed pack_transposed(float *data, float *wide, const float *w, const layout *l)
{
    const an_conv_shape *s = l->s;
    int64_t columns = s->kh * l->line;
    memset(wide, 0, sizeof(float) * (size_t)(s->O * columns));
    for (int64_t o = 0; o < s->O; o++)
        for (int64_t c = 0; c < s->C; c++)
            for (int64_t u = 0; u < s->kh; u++)
                for (int64_t v = 0; v < s->kw; v++)
                    wide[o * columns + u * l->line + v * s->C + c] = *w++;
    return an_k_pack(data, false, wide, columns, s->O, columns);
}

/* ── forward, and the data gradient ─────────────────────────────────────────────────────────── */

typedef struct {
    layout l;
    float *out;          /* y or dx                                     */
    const float *in, *b; /* x or dy                                     */
    bool accumulate;
    an_packed w;
    an_carve scratch;
    an_carve_part image, rows; /* own */
} image_job;

static void forward_images(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const image_job *j = context;
    const layout *l = &j->l;
    const an_conv_shape *s = l->s;
    float *image = an_carve_at(&j->scratch, j->image), *P = an_carve_at(&j->scratch, j->rows);
    (void)chunk;
    for (int64_t b = lo; b < hi; b++) {
        pad(image, j->in, b, l);
        for (int64_t i = 0; i < s->Ho; i += l->lines) {
            int64_t end = an_min(i + l->lines, s->Ho);
            lay_out(P, image, i, end, l);
            an_k_packed_product(j->out + (b * s->Ho + i) * s->Wo * s->O, s->O, P, l->depth,
                                (end - i) * s->Wo, &j->w, j->b, false, NULL);
        }
    }
}

static void data_images(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const image_job *j = context;
    const layout *l = &j->l;
    const an_conv_shape *s = l->s;
    float *image = an_carve_at(&j->scratch, j->image), *rows = an_carve_at(&j->scratch, j->rows);
    int64_t columns = s->kh * l->line;
    (void)chunk;
    for (int64_t b = lo; b < hi; b++) {
        memset(image, 0, sizeof(float) * (size_t)l->image);
        for (int64_t i = 0; i < s->Ho; i += l->lines) {
            int64_t end = an_min(i + l->lines, s->Ho);
            an_k_packed_product(rows, columns, j->in + (b * s->Ho + i) * s->Wo * s->O, s->O,
                                (end - i) * s->Wo, &j->w, NULL, false, NULL);
            add_back(image, rows, i, end, l);
        }
        unpad(j->out + b * s->H * s->W * s->C, image, j->accumulate, l);
    }
}

/* Images of a task. */
static int64_t grain_of(const an_conv_shape *s)
{
    return an_grain(s->B, s->Ho * s->Wo, 16 * POSITIONS);
}

static void carve_own(image_job *j)
{
    j->image = an_carve_own(&j->scratch, j->l.image, sizeof(float));
    j->rows = an_carve_own(&j->scratch, j->l.rows, sizeof(float));
}

an_code an_k_conv_patches_forward(float *y, const float *x, const float *w, const float *b,
                                  const an_conv_shape *s)
{
    AN_ASSERT(an_k_conv_patches_fit(s));
    image_job j = {.l = layout_of(s, false), .out = y, .in = x, .b = b};
    an_carve_part packed =
        an_carve_shared(&j.scratch, an_packed_floats(j.l.depth, s->O), sizeof(float));
    carve_own(&j);
    if (an_carve_take(&j.scratch))
        return AN_ENOMEM;
    j.w = pack(an_carve_at(&j.scratch, packed), w, &j.l);
    an_par_for(s->B, grain_of(s), forward_images, &j);
    an_carve_release(&j.scratch);
    return AN_OK;
}

an_code an_k_conv_patches_data(float *dx, const float *dy, const float *w, bool accumulate,
                               const an_conv_shape *s)
{
    AN_ASSERT(an_k_conv_patches_fit(s));
    image_job j = {.l = layout_of(s, true), .out = dx, .in = dy, .accumulate = accumulate};
    int64_t columns = s->kh * j.l.line;
    an_carve_part packed =
        an_carve_shared(&j.scratch, an_packed_floats(s->O, columns), sizeof(float));
    an_carve_part wide = an_carve_shared(&j.scratch, s->O * columns, sizeof(float));
    carve_own(&j);
    if (an_carve_take(&j.scratch))
        return AN_ENOMEM;
    j.w = pack_transposed(an_carve_at(&j.scratch, packed), an_carve_at(&j.scratch, wide), w, &j.l);
    an_par_for(s->B, grain_of(s), data_images, &j);
    an_carve_release(&j.scratch);
    return AN_OK;
}

/* ── weight gradient ────────────────────────────────────────────────────────────────────────── */

/* dW (depth, O) ← the sum over images lo … hi−1; `image` and P are work space. */
static void sum_images(float *dW, float *image, float *P, const float *dy, const float *x,
                       int64_t lo, int64_t hi, const layout *l)
{
    const an_conv_shape *s = l->s;
    for (int64_t b = lo; b < hi; b++) {
        pad(image, x, b, l);
        for (int64_t i = 0; i < s->Ho; i += l->lines) {
            int64_t end = an_min(i + l->lines, s->Ho);
            lay_out(P, image, i, end, l);
            an_k_gemm_outer(dW, s->O, l->depth, s->O, (end - i) * s->Wo, P, l->depth,
                            dy + (b * s->Ho + i) * s->Wo * s->O, s->O, b > lo || i > 0, NULL);
        }
    }
}

/* dw (O, C, kh, kw) += Σ_chunk dW (depth, O), chunks in order. */
static void add_chunks(float *dw, const float *dW, int64_t chunks, const layout *l)
{
    const an_conv_shape *s = l->s;
    int64_t area = s->kh * s->kw;
    for (int64_t k = 0; k < l->depth; k++)
        for (int64_t o = 0; o < s->O; o++) {
            float sum = 0;
            for (int64_t chunk = 0; chunk < chunks; chunk++)
                sum += dW[(chunk * l->depth + k) * s->O + o];
            dw[(o * s->C + k % s->C) * area + k / s->C] += sum;
        }
}

an_code an_k_conv_patches_weight(float *dw, const float *dy, const float *x, const an_conv_shape *s)
{
    AN_ASSERT(an_k_conv_patches_fit(s));
    layout l = layout_of(s, false);
    int64_t grain = an_div_up(s->B, CHUNKS), chunks = an_chunks(s->B, grain), n = l.depth * s->O;
    an_carve scratch = {0};
    an_carve_part sums = an_carve_shared(&scratch, chunks * n, sizeof(float));
    an_carve_part image = an_carve_own(&scratch, l.image, sizeof(float));
    an_carve_part rows = an_carve_own(&scratch, l.rows, sizeof(float));
    if (an_carve_take(&scratch))
        return AN_ENOMEM;
    float *dW = an_carve_at(&scratch, sums);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t chunk = 0; chunk < chunks; chunk++)
        sum_images(dW + chunk * n, an_carve_at(&scratch, image), an_carve_at(&scratch, rows), dy, x,
                   chunk * grain, an_min((chunk + 1) * grain, s->B), &l);
    add_chunks(dw, dW, chunks, &l);
    an_carve_release(&scratch);
    return AN_OK;
}
