/* image: see image.h. */
#include "data/image.h"

#include <string.h>

#include "base/memory/mem.h"
#include "io/file.h"
#include "data/decode.h"
#include "data/foreign_image.h"
#include "data/image_probe.h"

static an_code not_an_image(const uint8_t *bytes, size_t count, const char *name)
{
    const char *way, *kind = an_foreign_image(bytes, count, &way);
    if (kind)
        return an_fail(AN_EFORMAT, "%s: %s, not a JPEG, PNG or BMP image, despite its name; %s",
                       name, kind, way);
    return an_fail(AN_EFORMAT, "%s: not a JPEG, PNG or BMP image, despite its name", name);
}

/* Where the pixel (x, y) of the upright image is in the stored one of `width` and `height`: EXIF
 * 2.32 §4.6.4 A, orientation. */
static int64_t stored_position(int orientation, int64_t x, int64_t y, int64_t width, int64_t height)
{
    const bool exchanged = orientation >= 5;
    int64_t column = exchanged ? y : x, row = exchanged ? x : y;
    if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8)
        column = width - 1 - column;
    if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7)
        row = height - 1 - row;
    return row * width + column;
}

static an_code turn_upright(an_image *image, int orientation)
{
    if (orientation == 1)
        return AN_OK;
    const int64_t stored_width = image->width, stored_height = image->height;
    const int64_t width = orientation >= 5 ? stored_height : stored_width;
    const int64_t height = orientation >= 5 ? stored_width : stored_height;
    an_image upright = {.width = (int)width, .height = (int)height, .damaged = image->damaged};
    an_code code = an_image_make_pixels(&upright);
    if (code != AN_OK)
        return code;
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++)
            memcpy(upright.pixels + (y * width + x) * 4,
                   image->pixels +
                       stored_position(orientation, x, y, stored_width, stored_height) * 4,
                   4);
    an_image_free(image);
    *image = upright;
    return AN_OK;
}

an_code an_image_decode(const uint8_t *bytes, size_t count, const char *name,
                        an_damage_policy damage, an_image *image)
{
    *image = (an_image){0};
    if (count == 0)
        return an_fail(AN_EFORMAT, "%s: empty file, not an image", name);
    const an_image_probe probe = an_probe_image(bytes, count);
    if (probe.format == AN_NOT_IMAGE)
        return not_an_image(bytes, count, name);
    an_code code = AN_OK;
    if (probe.format != AN_PNG) /* a PNG header has a checksum, which is verified first */
        code = an_check_image_size(probe.format, probe.width, probe.height, name);
    if (code == AN_OK)
        code = probe.format == AN_JPEG  ? an_decode_jpeg(bytes, count, name, damage, image)
               : probe.format == AN_PNG ? an_decode_png(bytes, count, name, image)
                                        : an_decode_bmp(bytes, count, name, image);
    if (code == AN_OK)
        code = turn_upright(image, probe.orientation);
    if (code != AN_OK)
        an_image_free(image);
    return code;
}

an_code an_image_load(const char *path, an_damage_policy damage, an_image *image)
{
    uint8_t *bytes;
    size_t count;
    *image = (an_image){0};
    an_code code = an_file_read(path, AN_IMAGE_FILE, &bytes, &count);
    if (code != AN_OK)
        return code;
    code = an_image_decode(bytes, count, path, damage, image);
    an_free(bytes);
    return code;
}
