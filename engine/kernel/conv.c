/* conv: convolution as a product of column tiles with repacked weights (Chellapilla et al.,
 * "High performance convolutional neural networks for document processing", 2006, done
 * a cache-sized tile at a time). Each is one single-threaded gemm per tile:
 *   forward            y    = cols(x) · P                P (kh·kw·C, O)
 *   backward, data     dx  += cols(dy) · flipped P       stride 1: a convolution again
 *                      dx  += scatter(dy · Pᵀ)           any other stride
 *   backward, weights  dPᵀ  = dyᵀ · cols(x)              partial sums per chunk of images
 * 3×3 kernels at stride 1 go by way of winograd.h where their sizes fit it; few positions with
 * many channels by way of conv_few.h. */
#include "kernel/conv.h"

#include <omp.h>

#include "base/mem.h"
#include "base/par.h"
#include "kernel/columns.h"
#include "kernel/conv_few.h"
#include "kernel/gemm.h"
#include "kernel/rowsum.h"
#include "kernel/winograd.h"

enum {
    WEIGHT_CHUNKS = 8, /* of images, at most; whatever the number of threads */
    SMALL = 2048       /* pairs of channels: not worth waking threads for     */
};

an_conv_shape an_k_conv_shape(int64_t B, int64_t H, int64_t W, int64_t C,
                              int64_t O, int64_t kh, int64_t kw, int64_t stride, int64_t pad)
{
    int64_t free_y = H + 2 * pad - kh, free_x = W + 2 * pad - kw;
    return (an_conv_shape){
        .B = B, .H = H, .W = W, .C = C, .O = O, .kh = kh, .kw = kw,
        .stride = stride, .pad_y = pad, .pad_x = pad,
        .Ho = free_y < 0 ? 0 : free_y / stride + 1,
        .Wo = free_x < 0 ? 0 : free_x / stride + 1,
    };
}

/* ── scratch ── one allocation: `head` floats, then a column tile per thread ───────── */

typedef struct {
    float *head;
    float *tiles;
    int64_t tile; /* floats per tile */
    int threads;
} scratch;

static an_code take_scratch(scratch *k, int64_t head, const an_conv_shape *s)
{
    head = (head + 15) / 16 * 16; /* tiles start on a cache line */
    k->threads = an_threads();
    k->tile = an_k_is_pointwise(s) ? 0 : (an_k_tile_rows(s) * an_k_patch(s) + 15) / 16 * 16;
    k->head = an_alloc(sizeof(float) * (size_t)(head + k->threads * k->tile));
    if (!k->head)
        return AN_ENOMEM;
    k->tiles = k->head + head;
    return AN_OK;
}

static float *own_tile(const scratch *k)
{
    return k->tiles + omp_get_thread_num() * k->tile;
}

/* Rows lo … hi−1 of the column matrix of x: gathered, or where they already lie. */
static const float *columns(float *tile, const float *x, int64_t lo, int64_t hi,
                            const an_conv_shape *s)
{
    if (an_k_is_pointwise(s))
        return x + lo * s->C;
    an_k_gather(tile, x, lo, hi, s);
    return tile;
}

static int64_t tile_end(const an_conv_shape *s, int64_t lo, int64_t end)
{
    int64_t hi = lo + an_k_tile_rows(s);
    return hi < end ? hi : end;
}

/* ── weights ──────────────────────────────────────────────────────────────────────── */

/* P (kh,kw,C,O) ← w (O,C,kh,kw). */
static void pack(float *P, const float *w, const an_conv_shape *s)
{
    int64_t area = s->kh * s->kw;
#pragma omp parallel for schedule(static) num_threads(an_threads()) if (s->O * s->C > SMALL)
    for (int64_t c = 0; c < s->C; c++)
        for (int64_t k = 0; k < area; k++)
            for (int64_t o = 0; o < s->O; o++)
                P[(k * s->C + c) * s->O + o] = w[(o * s->C + c) * area + k];
}

/* P (kh,kw,O,C) ← w (O,C,kh,kw) turned by 180°: the kernels of the data gradient. */
static void pack_flipped(float *P, const float *w, const an_conv_shape *s)
{
    int64_t area = s->kh * s->kw;
#pragma omp parallel for schedule(static) num_threads(an_threads()) if (s->O * s->C > SMALL)
    for (int64_t o = 0; o < s->O; o++)
        for (int64_t k = 0; k < area; k++)
            for (int64_t c = 0; c < s->C; c++)
                P[((area - 1 - k) * s->O + o) * s->C + c] = w[(o * s->C + c) * area + k];
}

/* ── forward, and the data gradient at stride 1 ─────────────────────────────────────── */

/* y (B·Ho·Wo, O) ← cols(x)·P + (b, or y itself if there is none and `accumulate`). */
static void correlate(float *y, const float *x, const float *P, const float *b, bool accumulate,
                      const an_conv_shape *s, const scratch *k)
{
    int64_t rows = s->B * s->Ho * s->Wo, patch = an_k_patch(s), grain = an_k_tile_rows(s);
    float beta = b || accumulate ? 1 : 0;
#pragma omp parallel for schedule(dynamic) num_threads(k->threads)
    for (int64_t lo = 0; lo < rows; lo += grain) {
        int64_t hi = tile_end(s, lo, rows);
        const float *cols = columns(own_tile(k), x, lo, hi, s);
        if (b)
            an_k_bias_forward(y + lo * s->O, b, hi - lo, s->O);
        an_k_gemm(false, false, hi - lo, s->O, patch, 1, cols, patch, P, s->O,
                  beta, y + lo * s->O, s->O);
    }
}

an_code an_k_conv_forward(float *y, const float *x, const float *w, const float *b,
                          const an_conv_shape *s)
{
    if (an_k_winograd_fits(s))
        return an_k_winograd_forward(y, x, w, false, b, false, s);
    scratch k;
    if (take_scratch(&k, an_k_patch(s) * s->O, s) != AN_OK)
        return AN_ENOMEM;
    an_code code = AN_OK;
    pack(k.head, w, s);
    if (an_k_conv_few_fits(s))
        code = an_k_conv_few_correlate(y, x, k.head, b, false, s);
    else
        correlate(y, x, k.head, b, false, s, &k);
    an_free(k.head);
    return code;
}

/* The convolution that takes dy to dx: input and output change places, and the padding is
 * what completes the kernel (negative, a crop, if pad ≥ kernel). */
static an_conv_shape turned(const an_conv_shape *s)
{
    return (an_conv_shape){
        .B = s->B, .H = s->Ho, .W = s->Wo, .C = s->O, .O = s->C, .kh = s->kh, .kw = s->kw,
        .stride = 1, .pad_y = s->kh - 1 - s->pad_y, .pad_x = s->kw - 1 - s->pad_x,
        .Ho = s->H, .Wo = s->W,
    };
}

/* ── data gradient at other strides: images are independent ─────────────────────────── */

static void scatter_images(float *dx, const float *dy, const float *P,
                           const an_conv_shape *s, const scratch *k)
{
    int64_t area = s->Ho * s->Wo, patch = an_k_patch(s);
#pragma omp parallel for schedule(dynamic) num_threads(k->threads)
    for (int64_t b = 0; b < s->B; b++) {
        int64_t end = (b + 1) * area;
        for (int64_t lo = b * area, hi; lo < end; lo = hi) {
            hi = tile_end(s, lo, end);
            an_k_gemm(false, true, hi - lo, patch, s->O, 1, dy + lo * s->O, s->O, P, s->O,
                      0, own_tile(k), patch);
            an_k_scatter(dx, own_tile(k), lo, hi, s);
        }
    }
}

an_code an_k_conv_backward_data(float *dx, const float *dy, const float *w,
                                const an_conv_shape *s)
{
    an_conv_shape back = turned(s);
    bool again = s->stride == 1;
    if (again && an_k_winograd_fits(&back))
        return an_k_winograd_forward(dx, dy, w, true, NULL, true, &back);
    scratch k;
    if (take_scratch(&k, an_k_patch(s) * s->O, again ? &back : s) != AN_OK)
        return AN_ENOMEM;
    an_code code = AN_OK;
    (again ? pack_flipped : pack)(k.head, w, s);
    if (again && an_k_conv_few_fits(&back))
        code = an_k_conv_few_correlate(dx, dy, k.head, NULL, true, &back);
    else if (again)
        correlate(dx, dy, k.head, NULL, true, &back, &k);
    else if (an_k_conv_few_fits(s))
        code = an_k_conv_few_scatter(dx, dy, k.head, s);
    else
        scatter_images(dx, dy, k.head, s, &k);
    an_free(k.head);
    return code;
}

/* ── weight gradient ──────────────────────────────────────────────────────────────── */

/* partial (O, kh·kw·C) ← the sum over the rows first … end−1, in tile order. */
static void sum_rows(float *partial, float *tile, const float *dy, const float *x, int64_t first,
                     int64_t end, const an_conv_shape *s)
{
    int64_t patch = an_k_patch(s);
    for (int64_t lo = first, hi; lo < end; lo = hi) {
        hi = tile_end(s, lo, end);
        const float *cols = columns(tile, x, lo, hi, s);
        an_k_gemm(true, false, s->O, patch, hi - lo, 1, dy + lo * s->O, s->O, cols, patch,
                  lo == first ? 0 : 1, partial, patch);
    }
}

/* dw (O,C,kh,kw) += Σ_chunk partial (O,kh,kw,C), in chunk order. */
static void add_unpacked(float *dw, const float *partial, int64_t chunks, const an_conv_shape *s)
{
    int64_t area = s->kh * s->kw, n = s->O * an_k_patch(s);
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t o = 0; o < s->O; o++) {
        for (int64_t k = 0; k < area; k++) {
            for (int64_t c = 0; c < s->C; c++) {
                const float *from = partial + (o * area + k) * s->C + c;
                float sum = 0;
                for (int64_t chunk = 0; chunk < chunks; chunk++)
                    sum += from[chunk * n];
                dw[(o * s->C + c) * area + k] += sum;
            }
        }
    }
}

an_code an_k_conv_backward_weight(float *dw, const float *dy, const float *x,
                                  const an_conv_shape *s)
{
    if (an_k_winograd_fits(s))
        return an_k_winograd_weight(dw, dy, x, s);
    bool few = an_k_conv_few_fits(s);
    int64_t grain = few ? s->B : (s->B + WEIGHT_CHUNKS - 1) / WEIGHT_CHUNKS;
    int64_t chunks = grain ? an_chunks(s->B, grain) : 0;
    int64_t n = s->O * an_k_patch(s), area = s->Ho * s->Wo;
    scratch k;
    if (take_scratch(&k, chunks * n, s) != AN_OK)
        return AN_ENOMEM;
    an_code code = few ? an_k_conv_few_weight(k.head, dy, x, s) : AN_OK;
#pragma omp parallel for schedule(dynamic) num_threads(k.threads) if (!few)
    for (int64_t chunk = 0; chunk < (few ? 0 : chunks); chunk++) {
        int64_t lo = chunk * grain, hi = lo + grain < s->B ? lo + grain : s->B;
        sum_rows(k.head + chunk * n, own_tile(&k), dy, x, lo * area, hi * area, s);
    }
    if (code == AN_OK)
        add_unpacked(dw, k.head, chunks, s);
    an_free(k.head);
    return code;
}
