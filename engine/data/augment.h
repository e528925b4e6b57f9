/* augment: turns a stored picture into a network input, with or without random changes.
 *
 * Every random number has the address (seed, epoch, image), so the result does not depend on the
 * batch, its order or the thread. Order: geometry, brightness, contrast, colour, noise, clamp to
 * [0, 1], then (x − mean)/std per channel. */
#ifndef AN_DATA_AUGMENT_H
#define AN_DATA_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>

/* The largest shift and crop, in pixels: larger than any picture, and sums of a few fit an int. */
#define AN_AUGMENT_FARTHEST (1 << 20)

typedef struct an_augment {
    bool flip_horizontal, flip_vertical; /* each with probability 1/2                       */
    bool transpose; /* rows become columns, probability 1/2; requires H = W              */
    int shift;      /* up to this many pixels along each axis, the border reflected; ≥ 0 */
    int crop;       /* the same, but black outside: pad by `crop`, cut H×W out; ≥ 0      */
    float brightness, contrast, colour; /* factor from [1 − x, 1 + x]: on the value, on the  */
                                        /* distance to the mean grey, on that to the pixel's grey */
    float noise; /* standard deviation of Gaussian noise; pixel values span [0, 1]        */
} an_augment;

/* False if the options leave every picture unchanged. */
bool an_augment_changes(const an_augment *how);

typedef struct an_address {
    uint64_t seed, epoch, image;
} an_address;

/* src (H, W, 3) uint8 → out (H, W, 3) float32, normalised. `how` NULL: no augmentation. mean and
 * std (3) refer to values in [0, 1]; std > 0. */
void an_augment_image(const an_augment *how, an_address at, const uint8_t *src, int H, int W,
                      const float mean[3], const float std[3], float *out);

#endif
