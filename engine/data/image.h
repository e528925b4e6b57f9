/* image: decoding, to a picture that is turned upright as its EXIF orientation requires.
 *
 * JPEG through libjpeg-turbo (decode_jpeg.c), PNG through libpng (decode_png.c), BMP here
 * (decode_bmp.c). Grey becomes RGB, 16 bits become their high 8, CMYK and YCCK become RGB, alpha is
 * dropped: a pixel has the colour that the file stores, whatever its opacity. A file is read right
 * or refused with its true reason. */
#ifndef AN_DATA_IMAGE_H
#define AN_DATA_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "data/decoded_image.h"

/* Decodes `count` bytes; `name` is for messages. AN_EFORMAT names the file and its defect: not an
 * image, of a kind that is not supported, damaged, truncated, or larger than the limits above.
 * AN_ENOMEM. Free with an_image_free(). */
an_code an_image_decode(const uint8_t *bytes, size_t count, const char *name,
                        an_damage_policy damage, an_image *image);
/* The same of a file. AN_EFORMAT also for what is not a regular file, before a byte is read. */
an_code an_image_load(const char *path, an_damage_policy damage, an_image *image);

#endif
