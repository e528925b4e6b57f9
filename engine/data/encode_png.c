/* encode_png: see encode_png.h. libpng's simplified interface, which returns its errors. */
#include "data/encode_png.h"

#include <png.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "data/decoded_image.h"
#include "io/file_replace.h"

/* The encoded picture in a new block, an_free(); NULL after a failure. */
static uint8_t *encode(const uint8_t *pixels, int height, int width, const char *path,
                       png_alloc_size_t *bytes)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height,
                       .format = PNG_FORMAT_RGB};
    *bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
    uint8_t *block = an_alloc(*bytes);
    if (block && png_image_write_to_memory(&image, block, bytes, 0, pixels, 0, NULL))
        return block;
    if (block)
        an_fail(AN_EIO, "cannot encode %s: %s", path, image.message);
    png_image_free(&image);
    an_free(block);
    return NULL;
}

an_code an_png_write(const char *path, const uint8_t *pixels, int height, int width)
{
    AN_ASSERT(height >= 1 && height <= AN_IMAGE_SIDE && width >= 1 && width <= AN_IMAGE_SIDE);
    png_alloc_size_t bytes;
    uint8_t *block = encode(pixels, height, width, path, &bytes);
    if (!block)
        return an_err_code();
    an_code code = an_replace_with(path, block, bytes, AN_ONE_OF_MANY);
    an_free(block);
    return code;
}
