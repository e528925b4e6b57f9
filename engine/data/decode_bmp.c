/* decode_bmp: BMP of Windows and OS/2 with 1, 2, 4, 8, 16, 24 or 32 bits per pixel: palettes, bit
 * fields, run lengths (RLE8, RLE4), rows bottom-up or top-down, gaps before the pixels.
 *
 * No library in Debian 12 reads only BMP: those that read it (SDL_image, gdk-pixbuf) depend on a
 * windowing system or plug-ins. Layout: BITMAPFILEHEADER, BITMAPCOREHEADER, BITMAPINFOHEADER,
 * BITMAPV5HEADER. */
#include <stdlib.h>
#include <string.h>

#include "base/memory/mem.h"
#include "data/bmp_runs.h"
#include "data/decode.h"

#define FILE_HEADER 14
enum { CORE = 12, INFO = 40 }; /* bytes of headers */
enum { RGB, RLE8, RLE4, BITFIELDS, JPEG_INSIDE, PNG_INSIDE, ALPHA_BITFIELDS };

typedef struct bmp {
    const uint8_t *bytes;
    size_t count, pixels; /* pixels: where they begin */
    const char *name;
    uint32_t header; /* bytes of the second header */
    int64_t width, height;
    bool from_above;
    int bits, compression;
    uint32_t masks[3];       /* of red, green, blue in pixels of 16 and 32 bits */
    uint8_t palette[256][3]; /* red, green, blue; black where the file has no entry */
} bmp;

static uint32_t little_endian(const uint8_t *p, int bytes)
{
    uint32_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint32_t)p[i] << 8 * i;
    return value;
}

/* ── headers ──────────────────────────────────────────────────────────────────── */

static an_code truncated(const bmp *b)
{
    return an_fail(AN_EFORMAT, "%s: truncated BMP, its end is missing; fetch the file again",
                   b->name);
}

static an_code read_fields(bmp *b)
{
    const uint8_t *p = b->bytes;
    b->pixels = little_endian(p + 10, 4);
    b->header = little_endian(p + 14, 4);
    if (b->header != CORE && (b->header < 16 || b->header > 1024))
        return an_fail(AN_EFORMAT, "%s: damaged BMP (a header of %u bytes)", b->name, b->header);
    if (b->header > b->count - FILE_HEADER)
        return truncated(b);
    if (b->header == CORE) {
        b->width = little_endian(p + 18, 2), b->height = little_endian(p + 20, 2);
        b->bits = (int)little_endian(p + 24, 2);
        return AN_OK;
    }
    const int32_t height = (int32_t)little_endian(p + 22, 4);
    b->width = (int32_t)little_endian(p + 18, 4);
    b->height = llabs((int64_t)height), b->from_above = height < 0;
    b->bits = (int)little_endian(p + 28, 2);
    b->compression = b->header >= 20 ? (int)little_endian(p + 30, 4) : RGB;
    return AN_OK;
}

static an_code check_fields(const bmp *b)
{
    const int bits = b->bits, kind = b->compression;
    const bool os2 = b->header == 16 || b->header == 64;
    if (b->width < 1 || b->height < 1)
        return an_fail(AN_EFORMAT, "%s: damaged BMP (a size of %lldx%lld)", b->name,
                       (long long)b->width, (long long)b->height);
    if (!os2 && (kind == JPEG_INSIDE || kind == PNG_INSIDE)) /* for these, the bits may be 0 */
        return an_fail(AN_EFORMAT, "%s: BMP with a %s inside is not supported; convert it", b->name,
                       kind == JPEG_INSIDE ? "JPEG" : "PNG");
    if (bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32)
        return an_fail(AN_EFORMAT, "%s: BMP of %d bits per pixel is not supported; convert it",
                       b->name, bits);
    if (kind == RGB || (kind == RLE8 && bits == 8) || (kind == RLE4 && bits == 4) ||
        (!os2 && (kind == BITFIELDS || kind == ALPHA_BITFIELDS) && (bits == 16 || bits == 32)))
        return AN_OK;
    return an_fail(AN_EFORMAT,
                   "%s: BMP of compression %d with %d bits per pixel is not supported; convert it",
                   b->name, kind, bits);
}

/* The masks end a long header, or follow one of 40 bytes. */
static an_code read_masks(bmp *b)
{
    const bool given = b->compression == BITFIELDS || b->compression == ALPHA_BITFIELDS;
    static const uint32_t of_16[3] = {0x7C00, 0x03E0, 0x001F};
    static const uint32_t of_32[3] = {0xFF0000, 0x00FF00, 0x0000FF};
    memcpy(b->masks, b->bits == 16 ? of_16 : of_32, sizeof b->masks);
    if (!given)
        return AN_OK;
    if (b->count < FILE_HEADER + INFO + sizeof b->masks)
        return truncated(b);
    for (int c = 0; c < 3; c++)
        b->masks[c] = little_endian(b->bytes + FILE_HEADER + INFO + 4 * c, 4);
    return AN_OK;
}

/* Where the headers and masks end, and the colours that follow them. */
static size_t palette_start(const bmp *b)
{
    const size_t masks = b->compression == BITFIELDS         ? 3
                         : b->compression == ALPHA_BITFIELDS ? 4
                                                             : 0;
    return FILE_HEADER + b->header + (b->header == INFO ? 4 * masks : 0);
}

static size_t palette_colours(const bmp *b)
{
    const size_t most = b->bits <= 8 ? (size_t)1 << b->bits : 0;
    const size_t used = b->header >= 36 ? little_endian(b->bytes + 46, 4) : 0;
    return used > 0 && used < most ? used : most;
}

/* Some writers leave the offset of the pixels 0; the pixels then follow the palette. */
static an_code check_place(bmp *b)
{
    const size_t start = palette_start(b), entry = b->header == CORE ? 3 : 4;
    if (b->pixels == 0)
        b->pixels = start + palette_colours(b) * entry;
    if (b->pixels < start)
        return an_fail(AN_EFORMAT, "%s: damaged BMP (its pixels begin inside its headers)",
                       b->name);
    return AN_OK;
}

static void read_palette(bmp *b)
{
    const int entry = b->header == CORE ? 3 : 4;
    const size_t start = palette_start(b);
    const size_t end = b->pixels > start && b->pixels < b->count ? b->pixels : b->count;
    const size_t room = end > start ? (end - start) / (size_t)entry : 0;
    const size_t stated = palette_colours(b), colours = stated < room ? stated : room;
    for (size_t i = 0; i < colours; i++)
        for (int c = 0; c < 3; c++)
            b->palette[i][c] = b->bytes[start + i * (size_t)entry + 2 - (size_t)c];
}

/* ── pixels ───────────────────────────────────────────────────────────────────── */

/* The bits under the mask, scaled to 8: fewer bits are repeated, so that all ones give 255. */
static uint8_t channel(uint32_t pixel, uint32_t mask)
{
    if (mask == 0)
        return 0;
    const int low = __builtin_ctz(mask), bits = 32 - __builtin_clz(mask) - low;
    const uint32_t value = (pixel & mask) >> low;
    if (bits >= 8)
        return (uint8_t)(value >> (bits - 8));
    uint32_t repeated = 0;
    for (int at = 8 - bits; at > -bits; at -= bits)
        repeated |= at >= 0 ? value << at : value >> -at;
    return (uint8_t)repeated;
}

static void set_index(const bmp *b, uint8_t *to, uint8_t index)
{
    memcpy(to, b->palette[index], 3);
}

static void read_row(const bmp *b, const uint8_t *from, uint8_t *to)
{
    const int bits = b->bits, bytes = bits / 8;
    for (int64_t x = 0; x < b->width; x++, to += 4) {
        if (bits <= 8) {
            const int64_t at = x * bits;
            const int shift = 8 - bits - (int)(at % 8);
            set_index(b, to, (uint8_t)(from[at / 8] >> shift & ((1 << bits) - 1)));
        } else if (bits == 24) {
            to[0] = from[x * 3 + 2], to[1] = from[x * 3 + 1], to[2] = from[x * 3];
        } else {
            const uint32_t pixel = little_endian(from + x * bytes, bytes);
            for (int c = 0; c < 3; c++)
                to[c] = channel(pixel, b->masks[c]);
        }
    }
}

static uint8_t *row_of(const bmp *b, const an_image *image, int64_t y)
{
    return image->pixels + (b->from_above ? y : b->height - 1 - y) * b->width * 4;
}

static an_code read_rows(const bmp *b, an_image *image)
{
    const int64_t used = (b->width * b->bits + 7) / 8, stride = (used + 3) / 4 * 4;
    if (b->pixels > b->count || (int64_t)(b->count - b->pixels) < stride * (b->height - 1) + used)
        return truncated(b);
    for (int64_t y = 0; y < b->height; y++)
        read_row(b, b->bytes + b->pixels + y * stride, row_of(b, image, y));
    return AN_OK;
}

static an_code read_runs(const bmp *b, an_image *image)
{
    if (b->pixels > b->count)
        return truncated(b);
    uint8_t *indices = an_calloc((size_t)b->width, (size_t)b->height); /* 0 where a run skips */
    if (!indices)
        return AN_ENOMEM;
    const bool whole = an_bmp_runs(b->bytes + b->pixels, b->count - b->pixels, b->bits, b->width,
                                   b->height, indices);
    for (int64_t y = 0; y < b->height; y++)
        for (int64_t x = 0; x < b->width; x++)
            set_index(b, row_of(b, image, y) + x * 4, indices[y * b->width + x]);
    an_free(indices);
    return whole ? AN_OK : truncated(b);
}

an_code an_decode_bmp(const uint8_t *bytes, size_t count, const char *name, an_image *image)
{
    bmp b = {.bytes = bytes, .count = count, .name = name};
    an_code code = read_fields(&b);
    if (code == AN_OK)
        code = check_fields(&b);
    if (code == AN_OK)
        code = an_check_image_size(AN_BMP, b.width, b.height, name);
    if (code == AN_OK)
        code = read_masks(&b);
    if (code == AN_OK)
        code = check_place(&b);
    if (code != AN_OK)
        return code;
    if (b.bits <= 8)
        read_palette(&b);
    image->width = (int)b.width, image->height = (int)b.height;
    code = an_image_make_pixels(image);
    if (code != AN_OK)
        return code;
    memset(image->pixels, 0, (size_t)b.width * (size_t)b.height * 4); /* the unused bytes too */
    const bool runs = b.compression == RLE8 || b.compression == RLE4;
    code = runs ? read_runs(&b, image) : read_rows(&b, image);
    if (code != AN_OK)
        an_image_free(image);
    return code;
}
