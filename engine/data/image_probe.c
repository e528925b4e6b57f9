/* image_probe: see image_probe.h. Linear in the file's size for JPEG, in its chunks for PNG.
 * Layouts: ITU T.81 annex B (JPEG), W3C PNG §5, BITMAPFILEHEADER/BITMAPINFOHEADER (BMP). */
#include "data/image_probe.h"

#include <stdlib.h>
#include <string.h>

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
    return be16(p) << 16 | be16(p + 2);
}

static uint32_t le16(const uint8_t *p)
{
    return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t le32(const uint8_t *p)
{
    return le16(p + 2) << 16 | le16(p);
}

/* A frame header: SOF0 … SOF15 without DHT (C4), JPG (C8) and DAC (CC). */
static bool is_frame(uint8_t marker)
{
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/* The next marker at or after `at` in entropy-coded data: FF, neither stuffed nor a restart. */
static size_t skip_scan(const uint8_t *p, size_t n, size_t at)
{
    while (at + 1 < n) {
        const uint8_t *found = memchr(p + at, 0xFF, n - 1 - at);
        if (!found)
            return n;
        at = (size_t)(found - p);
        uint8_t next = p[at + 1];
        if (next != 0x00 && next != 0xFF && !(next >= 0xD0 && next <= 0xD7))
            return at;
        at += next == 0xFF ? 1 : 2;
    }
    return n;
}

/* A DHT segment without marker and length: per table a class and number, the counts of codes
 * of 1 … 16 bits, at most 256 in all and no more than a prefix code can have, the symbols. */
static bool tables_fit(const uint8_t *p, size_t n)
{
    while (n > 0) {
        uint32_t symbols = 0, used = 0; /* used: of 2^16 leaves */
        if (n < 17 || p[0] >> 4 > 1 || (p[0] & 15) > 3)
            return false;
        for (int bits = 1; bits <= 16; bits++)
            symbols += p[bits], used += (uint32_t)p[bits] << (16 - bits);
        if (symbols > 256 || used > 1u << 16 || symbols > n - 17)
            return false;
        p += 17 + symbols, n -= 17 + symbols;
    }
    return true;
}

static void probe_jpeg(const uint8_t *p, size_t n, an_image_probe *probe)
{
    size_t at = 2;
    while (at + 1 < n && p[at] == 0xFF) {
        uint8_t marker = p[at + 1];
        if (marker == 0xFF) { /* fill byte */
            at++;
            continue;
        }
        at += 2;
        if (marker == 0xD9) {
            probe->whole = true;
            return;
        }
        if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8))
            continue; /* no length */
        if (at + 2 > n)
            return;
        size_t length = be16(p + at);
        if (length < 2 || length > n - at)
            return;
        if (is_frame(marker) && length >= 8)
            probe->height = be16(p + at + 3), probe->width = be16(p + at + 5);
        if (marker == 0xC4 && !tables_fit(p + at + 2, length - 2))
            probe->sound = false;
        at += length;
        if (marker == 0xDA)
            at = skip_scan(p, n, at);
    }
}

static void probe_png(const uint8_t *p, size_t n, an_image_probe *probe)
{
    if (n >= 24 && memcmp(p + 12, "IHDR", 4) == 0)
        probe->width = be32(p + 16), probe->height = be32(p + 20);
    for (size_t at = 8; n - at >= 12;) { /* length, type, data, CRC */
        size_t length = be32(p + at);
        if (length > n - at - 12)
            return;
        if (memcmp(p + at + 4, "IEND", 4) == 0) {
            probe->whole = true;
            return;
        }
        at += length + 12;
    }
}

static void probe_bmp(const uint8_t *p, size_t n, an_image_probe *probe)
{
    if (n < 30)
        return;
    uint32_t pixels = le32(p + 10), header = le32(p + 14), bits;
    if (header == 12) {
        probe->width = le16(p + 18), probe->height = le16(p + 20), bits = le16(p + 24);
    } else {
        probe->width = llabs((int32_t)le32(p + 18)), probe->height = llabs((int32_t)le32(p + 22));
        bits = le16(p + 28);
    }
    uint64_t row = ((uint64_t)probe->width * bits + 31) / 32 * 4; /* ≤ 2^31·2^16, no overflow */
    probe->whole = pixels <= n && (row == 0 || (uint64_t)probe->height <= (n - pixels) / row);
}

an_image_probe an_probe_image(const uint8_t *p, size_t n)
{
    static const uint8_t png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    an_image_probe probe = {.sound = true};
    if (n >= 4 && p[0] == 0xFF && p[1] == 0xD8 && p[2] == 0xFF) {
        probe.format = AN_JPEG;
        probe_jpeg(p, n, &probe);
    } else if (n >= sizeof png && memcmp(p, png, sizeof png) == 0) {
        probe.format = AN_PNG;
        probe_png(p, n, &probe);
    } else if (n >= 26 && p[0] == 'B' && p[1] == 'M') {
        probe.format = AN_BMP;
        probe_bmp(p, n, &probe);
    }
    return probe;
}

const char *an_format_name(an_format format)
{
    static const char *const names[] = {"not an image", "JPEG", "PNG", "BMP"};
    return names[format];
}
