/* decoded_image: see decoded_image.h. */
#include "data/decoded_image.h"

#include <stddef.h>

#include "base/memory/mem.h"

const char *const an_damage_policy_names[] = {
    [AN_DAMAGED_REFUSE] = "refuse", [AN_DAMAGED_ACCEPT] = "accept", NULL};

an_code an_check_image_size(an_format format, int64_t width, int64_t height, const char *name)
{
    if (width > AN_IMAGE_SIDE || height > AN_IMAGE_SIDE)
        return an_fail(AN_EFORMAT, "%s: %s of %lldx%lld pixels; the limit is %d on a side", name,
                       an_format_name(format), (long long)width, (long long)height, AN_IMAGE_SIDE);
    if (width * height > AN_IMAGE_PIXELS)
        return an_fail(AN_EFORMAT, "%s: %s of %lldx%lld pixels; the limit is %lld megapixels", name,
                       an_format_name(format), (long long)width, (long long)height,
                       AN_IMAGE_PIXELS / 1000000);
    return AN_OK;
}

enum { SHIFT = 4 /* bytes from the start of the block to the pixels */ };

an_code an_image_make_pixels(an_image *image)
{
    uint8_t *block = an_alloc((size_t)image->width * (size_t)image->height * 4 + SHIFT);
    image->pixels = block ? block + SHIFT : NULL;
    return block ? AN_OK : AN_ENOMEM;
}

void an_image_free(an_image *image)
{
    if (image->pixels)
        an_free(image->pixels - SHIFT);
    image->pixels = NULL;
}
