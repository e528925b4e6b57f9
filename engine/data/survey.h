/* survey: properties of images other than their content: format, size, and whether they are grey.
 * If a class differs from the others in one of these, a classifier can recognise it without using
 * the content. */
#ifndef AN_DATA_SURVEY_H
#define AN_DATA_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "data/image_probe.h"
#include "data/listing.h"

/* Red, green and blue of a grey image differ by at most this many of 255 levels, at every pixel. */
#define AN_GREY_LEVELS 8

typedef struct an_image_facts {
    an_format format;      /* AN_NOT_IMAGE: the image has no file of its own */
    int64_t width, height; /* of the upright image in pixels; 0: unknown */
    bool grey;
} an_image_facts;

/* facts (n) of the images of a sealed listing that are in a part; pixels (n, H, W, 3) in its order.
 * Reads the start of each file, or the whole file if its header is longer. AN_ENOTFOUND, AN_EIO: a
 * file that cannot be read. AN_ENOMEM. */
an_code an_survey(const an_listing *list, const uint8_t *pixels, int H, int W,
                  an_image_facts *facts);

#endif
