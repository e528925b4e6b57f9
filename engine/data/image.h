/* image: one decoded picture with 8 bits per channel, (height, width, 4) in rows: red, green, blue,
 * and an unused byte.
 *
 * JPEG, PNG and BMP through stb_image. Grey becomes RGB, alpha is dropped, an EXIF orientation is
 * not applied. Size and completeness are checked before decoding. Four bytes per pixel, because
 * stb_image converts JPEG's colours with vector code only for that layout, in a third of the time
 * and with the same values. */
#ifndef AN_DATA_IMAGE_H
#define AN_DATA_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define AN_IMAGE_SIDE 16384              /* pixels, the longest side accepted           */
#define AN_IMAGE_PIXELS (64 * 1000000LL) /* width · height accepted                     */
#define AN_IMAGE_FILE (256u << 20)       /* bytes, the largest image file accepted      */

typedef struct an_image {
    int width, height;
    uint8_t *pixels;
} an_image;

/* Decodes `count` bytes; `name` is for messages. AN_EFORMAT names the file and its defect: not an
 * image, damaged, truncated, or larger than the limits above. Free with an_image_free(). */
an_code an_image_decode(const uint8_t *bytes, size_t count, const char *name, an_image *image);
an_code an_image_load(const char *path, an_image *image);
void an_image_free(an_image *image);

#endif
