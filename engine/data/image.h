/* image: one decoded picture, 8 bits a channel, (height, width, 4) row by row: red, green,
 * blue, and a byte that means nothing. stb_image turns JPEG's colours into four bytes a pixel
 * with vector code and into three without: the same values in a third of the time.
 * JPEG, PNG and BMP through stb_image; grey becomes RGB, alpha is dropped, an EXIF
 * orientation is not applied. Sizes and completeness are checked before decoding. */
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

/* Decodes `count` bytes; `name` is for messages. AN_EFORMAT names the file and what is wrong:
 * not an image, damaged, truncated, or larger than the limits above. */
an_code an_image_decode(const uint8_t *bytes, size_t count, const char *name, an_image *image);
an_code an_image_load(const char *path, an_image *image);
void an_image_free(an_image *image);

#endif
