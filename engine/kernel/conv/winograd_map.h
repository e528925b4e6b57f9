/* winograd_map: the positions of the 4×4 tiles of a convolution in its images, and the forward and
 * inverse transforms of many tiles. Tile t of the map is tile t % (down·across) of image
 * t / (down·across). Plane k of tile number n of a block starts at k·plane + n·channels.
 * Internal to winograd*.c. */
#ifndef AN_KERNEL_CONV_WINOGRAD_MAP_H
#define AN_KERNEL_CONV_WINOGRAD_MAP_H

#include "kernel/conv/conv_shape.h"
#include "kernel/conv/winograd_tile.h"

typedef struct {
    const an_conv_shape *s;
    int64_t down, across, tiles; /* per image, per line, in all */
} an_tile_map;

an_tile_map an_k_tile_map(const an_conv_shape *s);

/* Floats from one plane to the next for a number of tiles. AN_LANES more than a plane holds: planes
 * a power of two apart would share cache sets. */
static inline int64_t an_tile_plane(int64_t tiles, int64_t channels)
{
    return tiles * channels + AN_LANES;
}

/* Inlined: gcc drops calls of a function that only prefetches, as if it had no effect. */
#define AN_TILE_INLINE static inline __attribute__((always_inline))

/* Prefetches `lines` runs of `run` numbers of `size` bytes, `step` apart, from number `at` of x on,
 * those in 0 … end−1. A tile reads several image lines at a time, a pattern that hardware
 * prefetchers do not recognise. */
AN_TILE_INLINE void an_tile_prefetch(const void *x, int64_t size, int64_t at, int lines,
                                     int64_t step, int64_t run, int64_t end)
{
    const int64_t cache_line = AN_LANES * (int64_t)sizeof(float) / size;
    for (int i = 0; i < lines; i++, at += step)
        for (int64_t c = at < 0 ? end : at; c < at + run && c < end; c += cache_line)
            __builtin_prefetch((const char *)x + c * size);
}

/* x, dy and y as the shape stores them, float32 or bf16; zeros and unused have room for floats.
 *
 * V ← the transformed inputs of tiles lo … hi−1, all channels; outside the image zeros (C) is
 * read. */
void an_k_tiles_in(float *V, int64_t plane, const void *x, int64_t lo, int64_t hi,
                   const an_tile_map *map, const float *zeros);
/* Z ← the transformed output gradients of tiles lo … hi−1, all channels; zeros (O) likewise. */
void an_k_tiles_gradient(float *Z, int64_t plane, const void *dy, int64_t lo, int64_t hi,
                         const an_tile_map *map, const float *zeros);
/* y ← the outputs of tiles lo … hi−1 from M, which holds channels first … first+channels−1; + b, or
 * + y if `accumulate`. Outputs outside the image are written to unused (channels). */
void an_k_tiles_out(void *y, const float *M, int64_t plane, int64_t lo, int64_t hi, int64_t first,
                    int64_t channels, const an_tile_map *map, const float *b, bool accumulate,
                    float *unused);

#endif
