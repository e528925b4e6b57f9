/* winograd_map: see winograd_map.h. */
#include "kernel/conv/winograd_map.h"

#include <stddef.h>

#include "base/assert.h"
#include "base/integer.h"

enum { PREFETCH_OUT = 3 }; /* tiles before a tile is written */

typedef struct {
    int64_t image, top, left; /* of the tile's outputs */
} position;

an_tile_map an_k_tile_map(const an_conv_shape *s)
{
    an_tile_map m = {
        .s = s, .down = an_div_up(s->Ho, AN_TILE_OUT), .across = an_div_up(s->Wo, AN_TILE_OUT)};
    m.tiles = s->B * m.down * m.across;
    return m;
}

static position position_of(const an_tile_map *m, int64_t tile)
{
    return (position){tile / (m->down * m->across), tile / m->across % m->down * AN_TILE_OUT,
                      tile % m->across * AN_TILE_OUT};
}

/* Bytes per number of x and y. */
static int64_t size_of(const an_conv_shape *s)
{
    return s->narrow ? (int64_t)sizeof(uint16_t) : (int64_t)sizeof(float);
}

/* Pointers to the side×side positions, of `bytes` each, from (top, left) of an image; `outside` for
 * those not in the image. */
AN_TILE_INLINE void point(const void **to, const int side, const void *x, position p, int64_t H,
                          int64_t W, int64_t bytes, const void *outside)
{
    const char *images = x;
    int64_t line = ((p.image * H + p.top) * W + p.left) * bytes; /* possibly outside */
    bool all = p.left >= 0 && p.left + side <= W;
    for (int64_t i = p.top; i < p.top + side; i++, line += W * bytes, to += side)
        if (i < 0 || i >= H)
            for (int j = 0; j < side; j++)
                to[j] = outside;
        else if (all)
            for (int j = 0; j < side; j++)
                to[j] = images + line + j * bytes;
        else
            for (int j = 0; j < side; j++)
                to[j] = (uint64_t)(p.left + j) < (uint64_t)W ? images + line + j * bytes : outside;
}

/* Prefetches the 4×4 positions from (top, left) that are in (B,H,W,C). */
AN_TILE_INLINE void prefetch(const void *x, int64_t size, position p, int64_t B, int64_t H,
                             int64_t W, int64_t C)
{
    an_tile_prefetch(x, size, ((p.image * H + p.top) * W + p.left) * C, AN_TILE_OUT, W * C,
                     AN_TILE_OUT * C, B * H * W * C);
}

void an_k_tiles_in(float *V, int64_t plane, const void *x, int64_t lo, int64_t hi,
                   const an_tile_map *map, const float *zeros)
{
    AN_ASSERT(lo >= 0 && lo <= hi && hi <= map->tiles);
    const an_conv_shape *s = map->s;
    const int64_t size = size_of(s);
    const void *d[AN_TILE_PLANES];
    for (int64_t t = lo; t < hi; t++, V += s->C) {
        position p = position_of(map, t);
        position next = {p.image, p.top + AN_TILE_IN - s->pad_y, p.left};
        prefetch(x, size, next, s->B, s->H, s->W, s->C);
        p.top -= s->pad_y;
        p.left -= s->pad_x;
        point(d, AN_TILE_IN, x, p, s->H, s->W, s->C * size, zeros);
        an_k_tile_input(V, plane, d, s->narrow, s->C);
    }
}

void an_k_tiles_gradient(float *Z, int64_t plane, const void *dy, int64_t lo, int64_t hi,
                         const an_tile_map *map, const float *zeros)
{
    AN_ASSERT(lo >= 0 && lo <= hi && hi <= map->tiles);
    const an_conv_shape *s = map->s;
    const int64_t size = size_of(s);
    const void *d[AN_TILE_OUT * AN_TILE_OUT];
    for (int64_t t = lo; t < hi; t++, Z += s->O) {
        position p = position_of(map, t), next = {p.image, p.top + AN_TILE_OUT, p.left};
        prefetch(dy, size, next, s->B, s->Ho, s->Wo, s->O);
        point(d, AN_TILE_OUT, dy, p, s->Ho, s->Wo, s->O * size, zeros);
        an_k_tile_gradient(Z, plane, d, s->narrow, s->O);
    }
}

void an_k_tiles_out(void *y, const float *M, int64_t plane, int64_t lo, int64_t hi, int64_t first,
                    int64_t channels, const an_tile_map *map, const float *b, bool accumulate,
                    float *unused)
{
    const an_conv_shape *s = map->s;
    AN_ASSERT(lo >= 0 && lo <= hi && hi <= map->tiles);
    AN_ASSERT(first >= 0 && channels >= 1 && first + channels <= s->O);
    const int64_t size = size_of(s);
    const void *to[AN_TILE_OUT * AN_TILE_OUT];
    for (int64_t t = lo; t < hi; t++, M += channels) {
        if (first == 0 && channels == s->O)
            prefetch(y, size, position_of(map, t + PREFETCH_OUT), s->B, s->Ho, s->Wo, s->O);
        point(to, AN_TILE_OUT, y, position_of(map, t), s->Ho, s->Wo, s->O * size, NULL);
        for (int k = 0; k < AN_TILE_OUT * AN_TILE_OUT; k++)
            to[k] = to[k] ? (const char *)to[k] + first * size : (const void *)unused;
        an_k_tile_output((void *const *)to, M, plane, b ? b + first : NULL, accumulate, s->narrow,
                         channels);
    }
}
