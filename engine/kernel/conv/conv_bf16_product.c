/* conv_bf16_product: see conv_bf16_product.h. A task is some images: their grids stay in L2 while
 * all output channels are computed from them, 32 positions by 32 channels at a time. Where the
 * weights are larger than all grids, as in the last layers of a network, a task is 32 output
 * channels of all images instead, and each weight is read once. */
#include "kernel/conv/conv_bf16_product.h"

#include <string.h>

#include "base/par.h"
#include "base/simd.h"
#include "kernel/common/bf16_round.h"
#include "kernel/common/cache.h"
#include "kernel/matmul/bf16_store.h"
#include "kernel/matmul/bf16_turn.h"

enum { SIDE = AN_BF16_SIDE, BLOCK = 2 * SIDE /* positions and channels of a tile */ };

/* packed ← the block of 16 output channels from o on, w rounded. */
static void pack_block(const an_bf16_conv *j, const an_bf16_product *p, int64_t o)
{
    uint16_t *packed = p->packed + o / SIDE * p->steps * AN_BF16_PACKED;
    for (int64_t i = 0; i < p->run_count; i++) {
        const an_bf16_run *r = &p->runs[i];
        int64_t steps = an_bf16_steps_of(r, j->in);
        memset(packed, 0, sizeof *packed * (size_t)(steps * AN_BF16_PACKED));
        for (int64_t t = 0; t < r->count; t++) {
            const uint16_t *from = j->rounded + o * j->w_out + r->u * j->kw + r->v + t * r->v_step;
            an_bf16_pack(packed, t * j->in, from, j->w_out, j->in, j->w_in);
        }
        packed += steps * AN_BF16_PACKED;
    }
}

/* Where the rows of a tile, from output position q on, go in y; −1: nowhere. */
static void places(int64_t *to, const an_bf16_conv *j, const an_bf16_product *p, int64_t q,
                   int64_t rows)
{
    int64_t line = q / j->across % j->grid.H, image = q / j->across / j->grid.H;
    for (int64_t r = 0, at = q % j->across; r < rows; at = 0, line++) {
        if (line == j->grid.H) {
            line = 0;
            image++;
        }
        int64_t y = line * j->apart + p->line, end = an_min(j->across - at, rows - r);
        bool inside = line < j->lines && y >= 0 && y < j->height;
        int64_t begin = ((image * j->height + y) * j->width + p->column) * j->out;
        for (end += r; r < end; r++, at++) {
            int64_t x = at * j->apart + p->column;
            bool stored = inside && at < j->columns && x >= 0 && x < j->width;
            to[r] = stored ? begin + at * j->apart * j->out : -1;
        }
    }
}

/* Stores a tile in y, from element `first` on. */
AN_SIMD static void store(const an_bf16_conv *j, int64_t first, const int64_t *to, int64_t rows,
                          int64_t channels, const float *b, float *tile)
{
    float *y = (float *)j->y + first;
    for (int64_t r = 0; r < rows; r++)
        if (to[r] >= 0)
            an_bf16_store(y + to[r], tile + r * BLOCK, b, j->accumulate, channels);
}

/* The same to bf16; overwrites the tile. */
AN_SIMD static void store_narrow(const an_bf16_conv *j, int64_t first, const int64_t *to,
                                 int64_t rows, int64_t channels, const float *b, float *tile)
{
    uint16_t *y = (uint16_t *)j->y + first, rounded[BLOCK * BLOCK];
    for (int64_t r = 0; r < rows && (b || j->accumulate); r++)
        if (to[r] >= 0)
            an_bf16_add(tile + r * BLOCK, b, y + to[r], channels);
    an_bf16_round(rounded, tile, rows * BLOCK);
    for (int64_t r = 0; r < rows; r++)
        if (to[r] >= 0 && channels == BLOCK)
            memcpy(y + to[r], rounded + r * BLOCK, sizeof *y * BLOCK);
        else if (to[r] >= 0)
            memcpy(y + to[r], rounded + r * BLOCK, sizeof *y * (size_t)channels);
}

/* 32 output channels from o on of some images, whose grids follow each other if there are several.
 */
static void some_channels(const an_bf16_conv *j, const an_bf16_product *p, int64_t image,
                          int64_t images, const uint16_t *grid, int64_t o, float *tile)
{
    int64_t lines = (images - 1) * j->grid.H + j->lines;
    int64_t positions = (lines - 1) * j->across + j->columns;
    int64_t channels = an_min(j->out - o, BLOCK), block = p->steps * AN_BF16_PACKED;
    int64_t first = image * j->height * j->width * j->out + o;
    for (int64_t q = 0; q < positions; q += BLOCK) {
        int64_t rows = an_min(positions - q, BLOCK);
        an_k_bf16_tile(&(an_bf16_tile){.a = grid + q * j->ahead,
                                       .at = p->at,
                                       .a_step = j->ahead,
                                       .b = p->packed + o / SIDE * block,
                                       .b_step = block,
                                       .steps = p->steps,
                                       .c = tile,
                                       .c_step = BLOCK,
                                       .rows = rows,
                                       .columns = channels});
        int64_t to[BLOCK];
        places(to, j, p, q, rows);
        (j->narrow ? store_narrow : store)(j, first, to, rows, channels, j->b ? j->b + o : NULL,
                                           tile);
    }
}

/* The same for images lo … hi−1, whose grids may be cut into phases. */
static void all_images(const an_bf16_conv *j, const an_bf16_product *p, int64_t lo, int64_t hi,
                       const uint16_t *grids, int64_t o, float *tile)
{
    int64_t step = j->grid.step == 1 ? hi - lo : 1;
    for (int64_t b = lo; b < hi; b += step)
        some_channels(j, p, b, step, grids + (b - lo) * j->numbers, o, tile);
}

/* The grid of image b, number `at` of `grids`. */
static void lay_grid(const an_bf16_conv *j, uint16_t *grids, int64_t at, int64_t b)
{
    const size_t bytes = j->narrow ? sizeof(uint16_t) : sizeof(float);
    const int64_t image = j->grid.h * j->grid.w * j->grid.C * (int64_t)bytes;
    an_k_bf16_grid(grids + at * j->numbers, (const char *)j->x + b * image, j->narrow, &j->grid);
}

static void some_images(const an_bf16_conv *j, int64_t lo, int64_t hi)
{
    uint16_t *grids = an_carve_at(&j->scratch, j->grids);
    float *tile = an_carve_at(&j->scratch, j->tile);
    for (int64_t b = lo; b < hi; b++)
        lay_grid(j, grids, b - lo, b);
    memset(grids + (hi - lo) * j->numbers, 0, sizeof *grids * (size_t)an_bf16_beyond(j));
    for (int64_t k = 0; k < j->count; k++)
        for (int64_t o = 0; o < j->out; o += BLOCK)
            all_images(j, &j->products[k], lo, hi, grids, o, tile);
}

/* Inside a parallel region: all images, in tasks of output channels. */
static void whole_batch(const an_bf16_conv *j)
{
    uint16_t *grids = an_carve_at(&j->scratch, j->grids);
    float *tile = an_carve_at(&j->scratch, j->tile);
    int64_t blocks = an_div_up(j->out, BLOCK);
#pragma omp for schedule(static) nowait
    for (int64_t b = 0; b < j->images; b++)
        lay_grid(j, grids, b, b);
#pragma omp single
    memset(grids + j->images * j->numbers, 0, sizeof *grids * (size_t)an_bf16_beyond(j));
#pragma omp for schedule(dynamic)
    for (int64_t task = 0; task < j->count * blocks; task++)
        all_images(j, &j->products[task / blocks], 0, j->images, grids, task % blocks * BLOCK,
                   tile);
}

void an_bf16_multiply(const an_bf16_conv *j)
{
    int64_t tasks = an_div_up(j->images, j->group), blocks = j->out / SIDE, weights = j->weights;
#pragma omp parallel num_threads(an_threads())
    {
#pragma omp for schedule(static)
        for (int64_t k = 0; k < weights; k += AN_GRAIN)
            an_bf16_round(j->rounded + k, j->w + k, an_min(AN_GRAIN, weights - k));
#pragma omp for schedule(static)
        for (int64_t k = 0; k < j->count * blocks; k++)
            pack_block(j, &j->products[k / blocks], k % blocks * SIDE);
        an_k_bf16_begin();
        if (j->whole)
            whole_batch(j);
#pragma omp for schedule(dynamic)
        for (int64_t task = 0; task < (j->whole ? 0 : tasks); task++)
            some_images(j, task * j->group, an_min((task + 1) * j->group, j->images));
        an_k_bf16_end();
    }
}
