/* augment: see augment.h. One gather from the stored picture, then passes over the result. */
#include "data/augment.h"

#include <math.h>
#include <stddef.h>

#include "base/assert.h"
#include "base/rng.h"

/* The positions of an image's draws in its stream: each has its own, used or not. */
enum { FLIP_H, FLIP_V, TRANSPOSE, SHIFT_Y, SHIFT_X, CROP_Y, CROP_X, BRIGHTNESS, CONTRAST, COLOUR };

typedef struct draws {
    uint64_t seed, stream;
} draws;

static bool coin(draws d, int place)
{
    return an_uniform(d.seed, d.stream, (uint64_t)place) < 0.5;
}

static int offset(draws d, int place, int most)
{
    return (int)an_below(d.seed, d.stream, (uint64_t)place, 2 * (int64_t)most + 1) - most;
}

static float factor(draws d, int place, float range)
{
    return 1 + range * (float)(2 * an_uniform(d.seed, d.stream, (uint64_t)place) - 1);
}

/* −1 → 1, −2 → 2, n → n−2: the border pixel is not repeated. */
static int reflect(int i, int n)
{
    int period = n > 1 ? 2 * (n - 1) : 1;
    i %= period;
    if (i < 0)
        i += period;
    return i < n ? i : period - i;
}

/* Where each target pixel comes from. Reads right to left: crop, shift, transpose, flips. */
static void gather(const an_augment *how, draws d, const uint8_t *src, int H, int W, float *out)
{
    bool flip_h = how->flip_horizontal && coin(d, FLIP_H);
    bool flip_v = how->flip_vertical && coin(d, FLIP_V);
    bool swap = how->transpose && coin(d, TRANSPOSE);
    int shift_y = offset(d, SHIFT_Y, how->shift), shift_x = offset(d, SHIFT_X, how->shift);
    int crop_y = offset(d, CROP_Y, how->crop), crop_x = offset(d, CROP_X, how->crop);
    for (int i = 0; i < H; i++) {
        for (int j = 0; j < W; j++, out += 3) {
            int y = i + crop_y, x = j + crop_x;
            if (y < 0 || y >= H || x < 0 || x >= W) {
                out[0] = out[1] = out[2] = 0;
                continue;
            }
            y = reflect(y + shift_y, H), x = reflect(x + shift_x, W);
            int row = swap ? x : y, column = swap ? y : x;
            if (flip_v)
                row = H - 1 - row;
            if (flip_h)
                column = W - 1 - column;
            const uint8_t *p = src + ((int64_t)row * W + column) * 3;
            for (int c = 0; c < 3; c++)
                out[c] = (float)p[c] * (1 / 255.0f);
        }
    }
}

static float grey(const float *p)
{
    return 0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2]; /* ITU-R BT.601 luma */
}

static void shade(const an_augment *how, draws d, float *image, int64_t pixels)
{
    float bright = factor(d, BRIGHTNESS, how->brightness);
    float contrast = factor(d, CONTRAST, how->contrast), colour = factor(d, COLOUR, how->colour);
    double sum = 0;
    for (int64_t i = 0; i < pixels; i++)
        sum += grey(image + 3 * i);
    float middle = (float)(sum / (double)pixels) * bright;
    for (int64_t i = 0; i < pixels; i++) {
        float *p = image + 3 * i;
        for (int c = 0; c < 3; c++)
            p[c] = middle + (p[c] * bright - middle) * contrast;
        float level = grey(p);
        for (int c = 0; c < 3; c++)
            p[c] = level + (p[c] - level) * colour;
    }
}

static void add_noise(const an_augment *how, an_address at, float *image, int64_t n)
{
    uint64_t stream = an_stream("augment noise", at.epoch, at.image);
    for (int64_t i = 0; i < n; i++)
        image[i] += how->noise * (float)an_normal(at.seed, stream, (uint64_t)i);
}

bool an_augment_changes(const an_augment *how)
{
    return how->flip_horizontal || how->flip_vertical || how->transpose || how->shift > 0 ||
           how->crop > 0 || how->brightness > 0 || how->contrast > 0 || how->colour > 0 ||
           how->noise > 0;
}

void an_augment_image(const an_augment *how, an_address at, const uint8_t *src, int H, int W,
                      const float mean[3], const float std[3], float *out)
{
    static const an_augment nothing = {0};
    AN_ASSERT(src && out && H >= 1 && W >= 1);
    AN_ASSERT(std[0] > 0 && std[1] > 0 && std[2] > 0);
    AN_ASSERT(!how || (how->shift >= 0 && how->shift <= AN_AUGMENT_FARTHEST));
    AN_ASSERT(!how || (how->crop >= 0 && how->crop <= AN_AUGMENT_FARTHEST));
    AN_ASSERT(!how || !how->transpose || H == W);
    draws d = {at.seed, an_stream("augment", at.epoch, at.image)};
    int64_t pixels = (int64_t)H * W;
    if (!how)
        how = &nothing;
    gather(how, d, src, H, W, out);
    if (how->brightness > 0 || how->contrast > 0 || how->colour > 0)
        shade(how, d, out, pixels);
    if (how->noise > 0)
        add_noise(how, at, out, pixels * 3);
    const float scale[3] = {1 / std[0], 1 / std[1], 1 / std[2]};
    for (int64_t i = 0; i < pixels * 3; i++) {
        float x = fminf(fmaxf(out[i], 0), 1);
        out[i] = (x - mean[i % 3]) * scale[i % 3];
    }
}
