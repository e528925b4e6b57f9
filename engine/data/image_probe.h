/* image_probe: format, size and orientation of an encoded image, read from its structure before
 * anything is decoded. */
#ifndef AN_DATA_IMAGE_PROBE_H
#define AN_DATA_IMAGE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { AN_NOT_IMAGE, AN_JPEG, AN_PNG, AN_BMP } an_format;

#define AN_JPEG_HIERARCHICAL 0xC5 /* the frame of a hierarchical JPEG that begins with DHP */

typedef struct an_image_probe {
    an_format format;
    int64_t width, height; /* pixels of the upright image, from the header; 0: it has none        */
    int orientation; /* 1 … 8 of its metadata; 5 … 8 exchange the header's width and height */
    bool orientation_of_text; /* it is not 1, and not from EXIF: text_orientation.h */
    uint8_t frame;  /* JPEG: the marker of its first frame header, 0xC0 … 0xF7; 0: none    */
    int precision;  /* JPEG: bits per sample                                               */
    int components; /* JPEG: per pixel                                                     */
    bool apple;     /* PNG: Apple's variant with a CgBI chunk                              */
    bool complete;  /* no further bytes could change the fields above                      */
} an_image_probe;

/* Never fails and never reads beyond `count` bytes; unknown content is AN_NOT_IMAGE. `bytes` may be
 * the start of a file; `complete` is then false if its header may continue after them. */
an_image_probe an_probe_image(const uint8_t *bytes, size_t count);

/* True if `at` is in the entropy-coded data of a JPEG: after a scan's header, before the next
 * marker. */
bool an_jpeg_in_scan(const uint8_t *bytes, size_t count, size_t at);

/* The first version of the decoders that gives an image with these bytes its present pixels: 1 for
 * a JPEG (version 0 read it through stb_image), for a PNG that is turned upright, and for a BMP
 * that does not state where its pixels begin; 2 for a JPEG that is turned by its XMP data only; 0
 * otherwise. It is part of the content hash of a data set (listing.h). */
int an_pixel_version(const uint8_t *bytes, size_t count);

const char *an_format_name(an_format format); /* "JPEG", "PNG", "BMP" */

#endif
