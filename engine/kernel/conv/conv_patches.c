/* conv_patches: see conv_patches.h. A thread takes whole images, a weight gradient chunks of them
 * whose sums are added in order. */
#include "kernel/conv/conv_patches.h"

#include <omp.h>
#include <string.h>

#include "base/par.h"
#include "base/memory/scratch.h"
#include "base/simd.h"
#include "kernel/matmul/gemm.h"
#include "kernel/matmul/panel.h"

enum {
    FEW_CHANNELS = 4,
    L = AN_MICRO_HALF, /* floats copied or added at a time; arrays end in as many unused ones */
    POSITIONS = 64,    /* of a block of output lines, at least one line                       */
    CHUNKS = 8         /* partial weight gradients, at most                                   */
};

typedef struct {
    const an_conv_shape *s;
    int64_t H, W;        /* of a padded image                                       */
    int64_t run, line;   /* floats of a line of the kernel; in sixteens             */
    int64_t depth;       /* of a patch                                              */
    int64_t lines;       /* output lines of a block                                 */
    int64_t image, rows; /* floats of a padded image and of a block's rows          */
    size_t own;          /* bytes of both                                           */
} layout;

static int64_t up(int64_t n, int64_t d)
{
    return (n + d - 1) / d;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A block's rows hold patches, or `by_lines` (kh, line) floats each. */
static layout layout_of(const an_conv_shape *s, bool by_lines)
{
    layout l = {.s = s,
                .H = (s->Ho - 1) * s->stride + s->kh,
                .W = (s->Wo - 1) * s->stride + s->kw,
                .run = s->kw * s->C};
    l.line = up(l.run, L) * L;
    l.depth = s->kh * l.run;
    l.lines = smaller(up(POSITIONS, s->Wo), s->Ho);
    l.image = up(l.H * l.W * s->C + L, L) * L;
    l.rows = l.lines * s->Wo * (by_lines ? s->kh * l.line : l.depth) + L;
    l.own = an_scratch_line(sizeof(float) * (size_t)(l.image + l.rows));
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
    int64_t width = smaller(l->W - s->pad_x, s->W), from = b * s->H * s->W * s->C;
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

/* The other way: adds rows (kh, line) to the image. Patches that share floats are added one after
 * the other with others between, for a sum that was just stored is slow to load in pieces. */
AN_SIMD static void add_back(float *restrict image, const float *restrict rows, int64_t lo,
                             int64_t hi, const layout *l)
{
    const an_conv_shape *s = l->s;
    int64_t step = s->stride * s->C, apart = up(l->line, step), row = s->kh * l->line;
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

/* dx (H, W, C) ←, or +=, what of the padded image is inside. */
static void unpad(float *dx, const float *image, bool accumulate, const layout *l)
{
    const an_conv_shape *s = l->s;
    int64_t line = s->W * s->C, width = smaller(l->W - s->pad_x, s->W) * s->C;
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

/* Panels (panel.h) of W (depth, O). */
static void pack(float *panels, const float *w, const layout *l)
{
    const an_conv_shape *s = l->s;
    for (int64_t p = 0; p < an_panel_count(s->O); p++)
        an_k_panel_transpose(panels + p * l->depth * AN_MICRO_COLUMNS, an_panel_width(s->O, p),
                             w + p * AN_MICRO_COLUMNS * l->depth, l->depth,
                             an_panel_columns(s->O, p), l->depth, s->kh * s->kw, s->C);
}

/* wide (O, kh·line) ← Wᵀ, the lines of a kernel filled up with zeros; then its panels. */
static void pack_turned(float *panels, float *wide, const float *w, const layout *l)
{
    const an_conv_shape *s = l->s;
    int64_t columns = s->kh * l->line;
    memset(wide, 0, sizeof(float) * (size_t)(s->O * columns));
    for (int64_t o = 0; o < s->O; o++)
        for (int64_t c = 0; c < s->C; c++)
            for (int64_t u = 0; u < s->kh; u++)
                for (int64_t v = 0; v < s->kw; v++)
                    wide[o * columns + u * l->line + v * s->C + c] = *w++;
    for (int64_t p = 0; p < an_panel_count(columns); p++)
        an_k_panel_pack(panels + p * s->O * AN_MICRO_COLUMNS, false, wide, columns, s->O, columns,
                        p);
}

/* ── forward, and the data gradient ─────────────────────────────────────────────────────────── */

typedef struct {
    layout l;
    float *out;          /* y or dx                                     */
    const float *in, *b; /* x or dy                                     */
    bool accumulate;
    float *panels;
    char *own; /* a padded image and a block's rows per thread */
} image_job;

static float *mine(const image_job *j)
{
    return (float *)(j->own + (size_t)omp_get_thread_num() * j->l.own);
}

static void forward_images(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const image_job *j = context;
    const layout *l = &j->l;
    const an_conv_shape *s = l->s;
    float *image = mine(j), *P = image + l->image;
    (void)chunk;
    for (int64_t b = lo; b < hi; b++) {
        pad(image, j->in, b, l);
        for (int64_t i = 0; i < s->Ho; i += l->lines) {
            int64_t end = smaller(i + l->lines, s->Ho);
            lay_out(P, image, i, end, l);
            an_k_panel_rows(j->out + (b * s->Ho + i) * s->Wo * s->O, s->O, P, l->depth, j->panels,
                            (end - i) * s->Wo, l->depth, s->O, j->b, false, NULL);
        }
    }
}

static void data_images(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const image_job *j = context;
    const layout *l = &j->l;
    const an_conv_shape *s = l->s;
    float *image = mine(j), *rows = image + l->image;
    int64_t columns = s->kh * l->line;
    (void)chunk;
    for (int64_t b = lo; b < hi; b++) {
        memset(image, 0, sizeof(float) * (size_t)l->image);
        for (int64_t i = 0; i < s->Ho; i += l->lines) {
            int64_t end = smaller(i + l->lines, s->Ho);
            an_k_panel_rows(rows, columns, j->in + (b * s->Ho + i) * s->Wo * s->O, s->O, j->panels,
                            (end - i) * s->Wo, s->O, columns, NULL, false, NULL);
            add_back(image, rows, i, end, l);
        }
        unpad(j->out + b * s->H * s->W * s->C, image, j->accumulate, l);
    }
}

/* Images a thread takes at a time. */
static int64_t grain_of(const an_conv_shape *s)
{
    return an_grain(s->B, s->Ho * s->Wo, 16 * POSITIONS);
}

an_code an_k_conv_patches_forward(float *y, const float *x, const float *w, const float *b,
                                  const an_conv_shape *s)
{
    image_job j = {.l = layout_of(s, false), .out = y, .in = x, .b = b};
    size_t shared = an_scratch_line(sizeof(float) * (size_t)an_panel_floats(j.l.depth, s->O));
    j.panels = an_scratch_take(shared + (size_t)an_threads() * j.l.own);
    if (!j.panels)
        return AN_ENOMEM;
    j.own = (char *)j.panels + shared;
    pack(j.panels, w, &j.l);
    an_par_for(s->B, grain_of(s), forward_images, &j);
    an_scratch_give(j.panels);
    return AN_OK;
}

an_code an_k_conv_patches_data(float *dx, const float *dy, const float *w, bool accumulate,
                               const an_conv_shape *s)
{
    image_job j = {.l = layout_of(s, true), .out = dx, .in = dy, .accumulate = accumulate};
    int64_t columns = s->kh * j.l.line;
    size_t panels = an_scratch_line(sizeof(float) * (size_t)an_panel_floats(s->O, columns));
    size_t wide = an_scratch_line(sizeof(float) * (size_t)(s->O * columns));
    j.panels = an_scratch_take(panels + wide + (size_t)an_threads() * j.l.own);
    if (!j.panels)
        return AN_ENOMEM;
    j.own = (char *)j.panels + panels + wide;
    pack_turned(j.panels, (float *)((char *)j.panels + panels), w, &j.l);
    an_par_for(s->B, grain_of(s), data_images, &j);
    an_scratch_give(j.panels);
    return AN_OK;
}

/* ── weight gradient ────────────────────────────────────────────────────────────────────────── */

/* dW (depth, O) ← the sum over images lo … hi−1. */
static void sum_images(float *dW, float *image, const float *dy, const float *x, int64_t lo,
                       int64_t hi, const layout *l)
{
    const an_conv_shape *s = l->s;
    float *P = image + l->image;
    for (int64_t b = lo; b < hi; b++) {
        pad(image, x, b, l);
        for (int64_t i = 0; i < s->Ho; i += l->lines) {
            int64_t end = smaller(i + l->lines, s->Ho);
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
    layout l = layout_of(s, false);
    int64_t grain = up(s->B, CHUNKS), chunks = an_chunks(s->B, grain), n = l.depth * s->O;
    size_t sums = an_scratch_line(sizeof(float) * (size_t)(chunks * n));
    char *all = an_scratch_take(sums + (size_t)an_threads() * l.own);
    if (!all)
        return AN_ENOMEM;
    float *dW = (float *)all;
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t chunk = 0; chunk < chunks; chunk++)
        sum_images(dW + chunk * n, (float *)(all + sums + (size_t)omp_get_thread_num() * l.own), dy,
                   x, chunk * grain, smaller((chunk + 1) * grain, s->B), &l);
    add_chunks(dw, dW, chunks, &l);
    an_scratch_give(all);
    return AN_OK;
}
