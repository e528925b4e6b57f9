/* image: see image.h. With third_party/stb.c the only includer of stb_image. */
#include "data/image.h"

#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#include <stb/stb_image.h>

#include "base/memory/mem.h"
#include "io/file.h"
#include "data/image_probe.h"

static an_code check(const an_image_probe *probe, const char *name)
{
    const char *format = an_format_name(probe->format);
    if (probe->format == AN_NOT_IMAGE)
        return an_fail(AN_EFORMAT, "%s: not a JPEG, PNG or BMP image, despite its name", name);
    if (probe->width > AN_IMAGE_SIDE || probe->height > AN_IMAGE_SIDE)
        return an_fail(AN_EFORMAT, "%s: %s of %lldx%lld pixels; the limit is %d on a side", name,
                       format, (long long)probe->width, (long long)probe->height, AN_IMAGE_SIDE);
    if (probe->width * probe->height > AN_IMAGE_PIXELS)
        return an_fail(AN_EFORMAT, "%s: %s of %lldx%lld pixels; the limit is %lld megapixels", name,
                       format, (long long)probe->width, (long long)probe->height,
                       AN_IMAGE_PIXELS / 1000000);
    if (!probe->whole)
        return an_fail(AN_EFORMAT, "%s: truncated %s, its end is missing; fetch the file again",
                       name, format);
    if (!probe->sound)
        return an_fail(AN_EFORMAT, "%s: damaged %s (impossible Huffman table)", name, format);
    return AN_OK;
}

an_code an_image_decode(const uint8_t *bytes, size_t count, const char *name, an_image *image)
{
    if (count == 0)
        return an_fail(AN_EFORMAT, "%s: empty file, not an image", name);
    an_image_probe probe = an_probe_image(bytes, count);
    an_code code = check(&probe, name);
    if (code != AN_OK)
        return code;
    int channels;
    an_err_clear();
    image->pixels = stbi_load_from_memory(bytes, (int)count, &image->width, &image->height,
                                          &channels, STBI_rgb_alpha);
    if (image->pixels)
        return AN_OK;
    if (an_err_code() == AN_ENOMEM)
        return AN_ENOMEM;
    return an_fail(AN_EFORMAT, "%s: damaged %s (%s)", name, an_format_name(probe.format),
                   stbi_failure_reason());
}

an_code an_image_load(const char *path, an_image *image)
{
    uint8_t *bytes;
    size_t count;
    an_code code = an_file_read(path, AN_IMAGE_FILE, &bytes, &count);
    if (code != AN_OK)
        return code;
    code = an_image_decode(bytes, count, path, image);
    an_free(bytes);
    return code;
}

void an_image_free(an_image *image)
{
    an_free(image->pixels);
    image->pixels = NULL;
}
