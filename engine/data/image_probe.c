/* image_probe: see image_probe.h. Linear in the bytes before the first scan for JPEG, in the chunks
 * for PNG. Layouts: ITU T.81 annex B (JPEG), W3C PNG §5, BITMAPFILEHEADER/BITMAPINFOHEADER (BMP).
 */
#include "data/image_probe.h"

#include <stdlib.h>
#include <string.h>

#include "data/exif.h"
#include "data/text_orientation.h"

enum { TEM = 0x01, DHT = 0xC4, JPG = 0xC8, DAC = 0xCC, RST0 = 0xD0, SOI = 0xD8, EOI = 0xD9 };
enum { SOS = 0xDA, DHP = 0xDE, APP1 = 0xE1, SOF55 = 0xF7 /* of JPEG-LS */ };

#define XMP "http://ns.adobe.com/xap/1.0/" /* in APP1, followed by a zero byte */

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

static bool is_frame(uint8_t marker)
{
    return (marker >= 0xC0 && marker <= 0xCF && marker != DHT && marker != JPG && marker != DAC) ||
           marker == SOF55;
}

/* Moves *at past the next marker, and returns it; stray bytes, stuffed FF 00 and fill bytes are
 * skipped, as in libjpeg. 0: there is none. */
static uint8_t next_marker(const uint8_t *p, size_t n, size_t *at)
{
    while (*at + 1 < n) {
        const uint8_t *found = memchr(p + *at, 0xFF, n - 1 - *at);
        if (!found)
            return 0;
        *at = (size_t)(found - p) + 1;
        if (p[*at] == 0xFF)
            continue;
        ++*at;
        if (p[*at - 1] != 0)
            return p[*at - 1];
    }
    return 0;
}

static bool has_length(uint8_t marker)
{
    return marker != TEM && (marker < RST0 || marker > EOI);
}

/* The length of the segment at `at`, including its own two bytes, so 2 or more; 0: it is
 * truncated. */
static size_t segment_length(const uint8_t *p, size_t n, size_t at)
{
    if (n - at < 2)
        return 0;
    const size_t length = be16(p + at) < 2 ? 2 : be16(p + at);
    return length <= n - at ? length : 0;
}

/* The first frame counts. A hierarchical file begins with a DHP segment, which has the layout of a
 * frame. */
static void note_frame(uint8_t marker, const uint8_t *body, an_image_probe *probe)
{
    if (probe->frame)
        return;
    probe->frame = marker == DHP ? AN_JPEG_HIERARCHICAL : marker;
    probe->precision = body[0], probe->components = body[5];
    probe->height = be16(body + 1), probe->width = be16(body + 3);
}

static void note_metadata(const uint8_t *body, size_t count, an_orientations *found)
{
    if (count >= 6 && found->exif == 0 && memcmp(body, "Exif\0\0", 6) == 0)
        found->exif = an_exif_orientation(body, count);
    else if (count >= sizeof XMP && memcmp(body, XMP, sizeof XMP) == 0)
        found->xmp = an_xmp_orientation(body + sizeof XMP, count - sizeof XMP);
}

static void probe_jpeg(const uint8_t *p, size_t n, an_image_probe *probe, an_orientations *found)
{
    size_t at = 2, length;
    for (uint8_t marker; (marker = next_marker(p, n, &at)) != 0; at += length) {
        length = 0;
        probe->complete = marker == EOI || marker == SOS;
        if (probe->complete)
            return;
        if (!has_length(marker))
            continue;
        length = segment_length(p, n, at);
        if (length == 0)
            return;
        const uint8_t *body = p + at + 2;
        if ((is_frame(marker) || marker == DHP) && length >= 8)
            note_frame(marker, body, probe);
        else if (marker == APP1)
            note_metadata(body, length - 2, found);
    }
}

bool an_jpeg_in_scan(const uint8_t *p, size_t n, size_t position)
{
    size_t at = 2, end = 2; /* end: of the latest segment; data follow it */
    bool in_scan = false;
    for (uint8_t marker; (marker = next_marker(p, n, &at)) != 0;) {
        bool restart = in_scan && marker >= RST0 && marker < SOI;
        if (!restart && at - 2 > position)
            break;
        if (restart)
            continue;
        size_t length = has_length(marker) ? segment_length(p, n, at) : 0;
        in_scan = marker == SOS;
        at += length, end = at;
    }
    return in_scan && position >= end;
}

static bool is_text(const uint8_t *type)
{
    return memcmp(type, "tEXt", 4) == 0 || memcmp(type, "zTXt", 4) == 0 ||
           memcmp(type, "iTXt", 4) == 0;
}

static void probe_png(const uint8_t *p, size_t n, an_image_probe *probe, an_orientations *found)
{
    for (size_t at = 8; n - at >= 12;) { /* length, type, data, CRC */
        size_t length = be32(p + at);
        const uint8_t *type = p + at + 4, *body = p + at + 8;
        probe->complete = memcmp(type, "IEND", 4) == 0;
        if (probe->complete || length > n - at - 12)
            return;
        if (at == 8 && memcmp(type, "IHDR", 4) == 0 && length >= 8)
            probe->width = be32(body), probe->height = be32(body + 4);
        else if (memcmp(type, "CgBI", 4) == 0)
            probe->apple = true;
        else if (memcmp(type, "eXIf", 4) == 0)
            found->exif = an_exif_orientation(body, length);
        else if (is_text(type))
            an_png_text_orientation(type, body, length, found);
        at += length + 12;
    }
}

static void probe_bmp(const uint8_t *p, size_t n, an_image_probe *probe)
{
    probe->complete = true;
    if (le32(p + 14) == 12)
        probe->width = le16(p + 18), probe->height = le16(p + 20);
    else
        probe->width = llabs((int32_t)le32(p + 18)), probe->height = llabs((int32_t)le32(p + 22));
    (void)n;
}

an_image_probe an_probe_image(const uint8_t *p, size_t n)
{
    static const uint8_t png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    an_image_probe probe = {.format = AN_NOT_IMAGE};
    an_orientations found = {0};
    if (n >= 4 && p[0] == 0xFF && p[1] == SOI && p[2] == 0xFF) {
        probe.format = AN_JPEG;
        probe_jpeg(p, n, &probe, &found);
    } else if (n >= sizeof png && memcmp(p, png, sizeof png) == 0) {
        probe.format = AN_PNG;
        probe_png(p, n, &probe, &found);
    } else if (n >= 26 && p[0] == 'B' && p[1] == 'M') {
        probe.format = AN_BMP;
        probe_bmp(p, n, &probe);
    }
    probe.orientation = an_orientation_of(&found);
    probe.orientation_of_text = found.exif == 0 && probe.orientation != 1;
    if (probe.orientation >= 5) {
        int64_t width = probe.width;
        probe.width = probe.height, probe.height = width;
    }
    return probe;
}

int an_pixel_version(const uint8_t *bytes, size_t count)
{
    const an_image_probe probe = an_probe_image(bytes, count);
    if (probe.format == AN_JPEG)
        return probe.orientation_of_text ? 2 : 1;
    if (probe.format == AN_BMP)
        return le32(bytes + 10) == 0;
    return probe.format == AN_PNG && probe.orientation != 1;
}

const char *an_format_name(an_format format)
{
    static const char *const names[] = {"not an image", "JPEG", "PNG", "BMP"};
    return names[format];
}
