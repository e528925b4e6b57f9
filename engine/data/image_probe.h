/* image_probe: what an encoded image says of itself, read before anything is decoded: its format,
 * its size, and whether the file is all there. Decoders return a partly grey picture for a
 * truncated JPEG or BMP; this walk over the file's own structure finds those. It also finds
 * the Huffman tables that the stb_image of 2022 writes beyond its memory for
 * (nothings/stb issue 1289): such a JPEG must not reach the decoder. */
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
    bool sound;            /* its tables are possible ones                        */
} an_image_probe;

/* Never fails and never reads beyond `count` bytes; an unknown content is AN_NOT_IMAGE. */
an_image_probe an_probe_image(const uint8_t *bytes, size_t count);

const char *an_format_name(an_format format); /* "JPEG", "PNG", "BMP" */

#endif
