/* decode: the decoders behind image.h, one per format. Each fills width, height and pixels of an
 * image whose format was checked, before its orientation is applied; `name` is for messages.
 * AN_EFORMAT: damaged, or of an unsupported kind. AN_ENOMEM. After a failure image->pixels is
 * NULL. */
#ifndef AN_DATA_DECODE_H
#define AN_DATA_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "data/decoded_image.h"

an_code an_decode_jpeg(const uint8_t *bytes, size_t count, const char *name,
                       an_damage_policy damage, an_image *image);
an_code an_decode_png(const uint8_t *bytes, size_t count, const char *name, an_image *image);
an_code an_decode_bmp(const uint8_t *bytes, size_t count, const char *name, an_image *image);

#endif
