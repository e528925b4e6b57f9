/* png_writer: PNGs of any colour type, depth and interlacing, chunk by chunk (W3C PNG §5, §8). */
#ifndef AN_TESTS_PNG_WRITER_H
#define AN_TESTS_PNG_WRITER_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

typedef struct png_file {
    uint8_t data[262144];
    size_t count;
} png_file;

static inline void put_be32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static inline void png_chunk(png_file *f, const char *type, const void *data, size_t count)
{
    if (f->count + count + 12 > sizeof f->data)
        abort();
    uint8_t *at = f->data + f->count;
    put_be32(at, (uint32_t)count);
    memcpy(at + 4, type, 4);
    if (count)
        memcpy(at + 8, data, count);
    put_be32(at + 8 + count, (uint32_t)crc32(0, at + 4, (uInt)count + 4));
    f->count += count + 12;
}

static inline void png_begin(png_file *f, int w, int h, int depth, int colour_type, int interlaced)
{
    uint8_t header[13] = {0};
    memcpy(f->data, "\x89PNG\r\n\x1a\n", 8);
    f->count = 8;
    put_be32(header, (uint32_t)w), put_be32(header + 4, (uint32_t)h);
    header[8] = (uint8_t)depth, header[9] = (uint8_t)colour_type, header[12] = (uint8_t)interlaced;
    png_chunk(f, "IHDR", header, sizeof header);
}

/* The samples (h, w, channels) of one pass: every dx-th column from x0, every dy-th row from y0,
 * each row after a byte for the filter `none`. Returns the end of what was written to `to`. */
static inline uint8_t *png_pass(uint8_t *to, const uint16_t *samples, int w, int h, int channels,
                                int depth, int x0, int y0, int dx, int dy)
{
    for (int y = y0; y < h && x0 < w; y += dy) {
        *to++ = 0;
        int bits = 0;
        for (int x = x0; x < w; x += dx)
            for (int c = 0; c < channels; c++, bits += depth) {
                const uint16_t value = samples[(y * w + x) * channels + c];
                uint8_t *at = to + bits / 8;
                if (depth == 16)
                    at[0] = (uint8_t)(value >> 8), at[1] = (uint8_t)value;
                else
                    *at = (uint8_t)((bits % 8 ? *at : 0) | value << (8 - depth - bits % 8));
            }
        to += (bits + 7) / 8;
    }
    return to;
}

/* The pixels as one IDAT chunk, then the end; interlaced as Adam7. */
static inline void png_pixels(png_file *f, const uint16_t *samples, int w, int h, int channels,
                              int depth, int interlaced)
{
    static const int adam7[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                    {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
    static uint8_t raw[32768], packed[40000];
    uint8_t *end = raw;
    for (int pass = 0; interlaced && pass < 7; pass++)
        end = png_pass(end, samples, w, h, channels, depth, adam7[pass][0], adam7[pass][1],
                       adam7[pass][2], adam7[pass][3]);
    if (!interlaced)
        end = png_pass(end, samples, w, h, channels, depth, 0, 0, 1, 1);
    uLongf count = sizeof packed;
    if (compress(packed, &count, raw, (uLong)(end - raw)) != Z_OK)
        abort();
    png_chunk(f, "IDAT", packed, count);
    png_chunk(f, "IEND", NULL, 0);
}

#endif
