/* encode_png: writes pictures as PNG files, through libpng. */
#ifndef AN_DATA_ENCODE_PNG_H
#define AN_DATA_ENCODE_PNG_H

#include <stdint.h>

#include "base/err.h"

/* pixels (height, width, 3): red, green, blue; 1 … 16384 a side. The file is replaced as a whole
 * (io/file_replace.h). The same pixels give the same bytes. AN_EIO, AN_ENOMEM. */
an_code an_png_write(const char *path, const uint8_t *pixels, int height, int width);

#endif
