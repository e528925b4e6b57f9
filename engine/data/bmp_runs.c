/* bmp_runs: see bmp_runs.h. [MS-WMF] §2.1.1.7 and the documentation of BITMAPINFOHEADER: pairs of
 * bytes; a first byte of 0 is an escape. */
#include "data/bmp_runs.h"

enum {
    END_OF_ROW,
    END_OF_BITMAP,
    DELTA
}; /* the second byte of an escape; above these: that many literals */

typedef struct runs {
    const uint8_t *bytes;
    size_t count, at;
    int bits;
    int64_t width, height, x, y;
    uint8_t *indices;
} runs;

static void put(runs *r, uint8_t index)
{
    if (r->x < r->width && r->y < r->height)
        r->indices[r->y * r->width + r->x] = index;
    r->x += r->x < r->width;
}

/* The i-th index of packed bytes. */
static uint8_t unpack(const runs *r, const uint8_t *packed, int i)
{
    if (r->bits == 8)
        return packed[i];
    return i % 2 ? packed[i / 2] & 15 : packed[i / 2] >> 4;
}

static void repeat(runs *r, int n, uint8_t value)
{
    for (int i = 0; i < n; i++)
        put(r, r->bits == 8 ? value : i % 2 ? value & 15 : value >> 4);
}

/* Copies n literal indices, padded to whole pairs of bytes. False: they are truncated. */
static bool literals(runs *r, int n)
{
    const size_t bytes = ((size_t)n * (size_t)r->bits + 7) / 8;
    if (bytes > r->count - r->at)
        return false;
    for (int i = 0; i < n; i++)
        put(r, unpack(r, r->bytes + r->at, i));
    r->at += bytes + bytes % 2;
    r->at = r->at < r->count ? r->at : r->count;
    return true;
}

static bool skip(runs *r)
{
    if (r->count - r->at < 2)
        return false;
    r->x += r->bytes[r->at], r->y += r->bytes[r->at + 1];
    r->x = r->x < r->width ? r->x : r->width;
    r->at += 2;
    return true;
}

static bool is_filled(const runs *r)
{
    return r->y >= r->height || (r->y == r->height - 1 && r->x == r->width);
}

bool an_bmp_runs(const uint8_t *bytes, size_t count, int bits, int64_t width, int64_t height,
                 uint8_t *indices)
{
    runs r = {.bytes = bytes,
              .count = count,
              .bits = bits,
              .width = width,
              .height = height,
              .indices = indices};
    bool more = true;
    while (more && r.count - r.at >= 2 && r.y < height) {
        const int n = bytes[r.at], value = bytes[r.at + 1];
        r.at += 2;
        if (n > 0)
            repeat(&r, n, (uint8_t)value);
        else if (value == END_OF_BITMAP)
            return true;
        else if (value == END_OF_ROW)
            r.x = 0, r.y++;
        else
            more = value == DELTA ? skip(&r) : literals(&r, value);
    }
    return is_filled(&r);
}
