/* image_probe: format, size and completeness of an encoded image, read from its structure before
 * anything is decoded.
 *
 * Decoders return a partly grey picture for a truncated JPEG or BMP; the probe finds those. It also
 * finds the Huffman tables with which stb_image before 2023 writes outside its memory (nothings/stb
 * issue 1289): such a JPEG must not reach the decoder. */
#ifndef AN_DATA_IMAGE_PROBE_H
#define AN_DATA_IMAGE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { AN_NOT_IMAGE, AN_JPEG, AN_PNG, AN_BMP } an_format;

typedef struct an_image_probe {
    an_format format;
    int64_t width, height; /* pixels, as the header claims; 0 when it has none */
    bool whole;            /* the file reaches the end that its format prescribes */
    bool sound;            /* its Huffman tables are valid prefix codes             */
} an_image_probe;

/* Never fails and never reads beyond `count` bytes; unknown content is AN_NOT_IMAGE. */
an_image_probe an_probe_image(const uint8_t *bytes, size_t count);

const char *an_format_name(an_format format); /* "JPEG", "PNG", "BMP" */

#endif
