/* image: decodes a file to a picture that is turned upright according to its EXIF orientation.
 *
 * JPEG through libjpeg-turbo (decode_jpeg.c), PNG through libpng (decode_png.c), BMP here
 * (decode_bmp.c). Grey becomes RGB, 16 bits become their high 8, CMYK and YCCK become RGB, alpha is
 * dropped: a pixel has the colour stored in the file, whatever its opacity. A file is read
 * correctly or refused with the true reason. */
#ifndef AN_DATA_IMAGE_H
#define AN_DATA_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "data/decoded_image.h"

/* Decodes `count` bytes; `name` is for messages. AN_EFORMAT names the file and its defect: not an
 * image, of an unsupported kind, damaged, truncated, or larger than the limits (decoded_image.h).
 * AN_ENOMEM. Free with an_image_free(). */
an_code an_image_decode(const uint8_t *bytes, size_t count, const char *name,
                        an_damage_policy damage, an_image *image);
/* The same for a file. AN_EFORMAT also if it is not a regular file, before anything is read. */
an_code an_image_load(const char *path, an_damage_policy damage, an_image *image);

#endif
