/* fuzz_image: any bytes as a JPEG, PNG or BMP, decoded under both policies for damage, upright and
 * resized; its header is probed and its pixel version computed. Images of more than 2^18 pixels are
 * only probed: their decoding takes the time that their size allows.
 *
 * Covers: engine/data/image.c engine/data/decode_jpeg.c engine/data/decode_png.c
 *   engine/data/decode_bmp.c engine/data/bmp_runs.c engine/data/exif.c
 *   engine/data/text_orientation.c engine/data/image_probe.c engine/data/foreign_image.c
 *   engine/data/decoded_image.c engine/data/resize.c */
#include "base/memory/mem.h"
#include "data/image.h"
#include "data/image_probe.h"
#include "data/resize.h"
#include "tests/fuzz/fuzz.h"

enum { MOST_PIXELS = 1 << 18 };

static void decode(const uint8_t *bytes, size_t count, an_damage_policy damage,
                   const an_image_probe *probe)
{
    an_image image;
    uint8_t small[7 * 5 * 3];
    if (an_image_decode(bytes, count, "fuzz", damage, &image) == AN_OK) {
        fuzz_require(image.width == probe->width && image.height == probe->height,
                     "the size that the header states");
        fuzz_require(!image.damaged || damage == AN_DAMAGED_ACCEPT, "a refused damaged image");
        for (int aspect = AN_STRETCH; aspect <= AN_PAD; aspect++)
            an_resize(image.pixels, image.height, image.width, small, 7, 5, (an_aspect)aspect);
    } else {
        fuzz_require(!image.pixels, "a refusal without pixels");
    }
    an_image_free(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    int64_t live = an_mem_live();
    const an_image_probe probe = an_probe_image(bytes, count);
    if (probe.width <= MOST_PIXELS && probe.height <= MOST_PIXELS &&
        probe.width * probe.height <= MOST_PIXELS) {
        decode(bytes, count, AN_DAMAGED_REFUSE, &probe);
        decode(bytes, count, AN_DAMAGED_ACCEPT, &probe);
    }
    an_pixel_version(bytes, count);
    if (count > 0)
        an_jpeg_in_scan(bytes, count, bytes[0] % count);
    fuzz_require(an_mem_live() == live, "released memory");
    return 0;
}
