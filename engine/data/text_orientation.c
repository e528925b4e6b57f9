/* text_orientation: see text_orientation.h. Linear in the bytes of a text. */
#include "data/text_orientation.h"

#include <stdbool.h>
#include <string.h>

#include "data/exif.h"
#include "io/unpack.h"

#define TEXT (64 << 10)  /* bytes that are inflated      */
#define PROFILE_LINES 3  /* "", "exif", the length       */
#define PROFILE_MAX 4096 /* bytes of EXIF data, IFD 0 is at the start */

typedef struct text {
    const uint8_t *at;
    size_t count;
} text;

int an_orientation_of(const an_orientations *found)
{
    if (found->exif)
        return found->exif;
    return found->profile ? found->profile : found->xmp ? found->xmp : 1;
}

/* ── XMP ──────────────────────────────────────────────────────────────────────── */

int an_xmp_orientation(const uint8_t *packet, size_t count)
{
    static const char name[] = "tiff:Orientation";
    const size_t length = sizeof name - 1;
    const uint8_t *end = packet + count;
    for (const uint8_t *at = packet; (at = memmem(at, (size_t)(end - at), name, length));) {
        at += length;
        const bool attribute = end - at >= 3 && at[0] == '=' && (at[1] == '"' || at[1] == '\'');
        const bool element = end - at >= 2 && at[0] == '>';
        const int digit = attribute ? at[2] : element ? at[1] : 0;
        if (digit >= '0' && digit <= '9')
            return digit >= '1' && digit <= '8' ? digit - '0' : 0;
    }
    return 0;
}

/* ── texts of a PNG ───────────────────────────────────────────────────────────── */

/* Moves `from` past its next zero byte; false: there is none. */
static bool pass_zero(text *from)
{
    const uint8_t *zero = memchr(from->at, 0, from->count);
    if (!zero)
        return false;
    from->count -= (size_t)(zero + 1 - from->at);
    from->at = zero + 1;
    return true;
}

/* The text after the keyword of a chunk (W3C PNG §11.3.3), inflated to `room` bytes if it is
 * compressed; empty if malformed. */
static text text_of(const uint8_t *type, text rest, uint8_t *room)
{
    const bool international = *type == 'i';
    bool compressed = *type == 'z';
    if (*type != 't') { /* the method; in iTXt, after a flag and before two texts */
        const size_t fields = international ? 2 : 1;
        if (rest.count < fields)
            return (text){0};
        compressed = compressed || rest.at[0] == 1;
        rest.at += fields, rest.count -= fields;
    }
    if (international && (!pass_zero(&rest) || !pass_zero(&rest)))
        return (text){0};
    if (!compressed)
        return rest;
    return (text){room, an_unpack_start(rest.at, rest.count, room, TEXT)};
}

static int digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20; /* lower case */
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* EXIF data as hexadecimal digits in lines, after three lines. */
static int profile_orientation(text digits)
{
    uint8_t block[PROFILE_MAX] = {0};
    size_t n = 0;
    for (int line = 0; line < PROFILE_LINES; line++) {
        const uint8_t *newline = memchr(digits.at, '\n', digits.count);
        if (!newline)
            return 0;
        digits.count -= (size_t)(newline + 1 - digits.at);
        digits.at = newline + 1;
    }
    for (size_t i = 0; i < digits.count && n < 2 * sizeof block; i++) {
        const int digit = digit_of(digits.at[i]);
        if (digit < 0)
            continue;
        block[n / 2] = (uint8_t)(block[n / 2] << 4 | digit);
        n++;
    }
    return an_exif_orientation(block, n / 2);
}

static bool is_named(text chunk, const char *keyword)
{
    const size_t size = strlen(keyword) + 1; /* with the zero after it */
    return chunk.count >= size && memcmp(chunk.at, keyword, size) == 0;
}

void an_png_text_orientation(const uint8_t *type, const uint8_t *body, size_t length,
                             an_orientations *found)
{
    text chunk = {body, length};
    const bool xmp = is_named(chunk, "XML:com.adobe.xmp");
    if (!xmp && !is_named(chunk, "Raw profile type exif"))
        return;
    uint8_t room[TEXT];
    pass_zero(&chunk);
    const text content = text_of(type, chunk, room);
    if (content.count == 0)
        return;
    if (xmp)
        found->xmp = an_xmp_orientation(content.at, content.count);
    else
        found->profile = profile_orientation(content);
}
