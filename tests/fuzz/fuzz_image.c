/* Decodes any bytes as an image under both policies for damage; a decoded image is also resized.
 *   clang -g -O1 -std=c11 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -fopenmp -Iengine -I. \
 *     tests/fuzz/fuzz_image.c \
 *     engine/data/{image,decoded_image,image_probe,exif,text_orientation,foreign_image,resize}.c \
 *     engine/data/{decode_jpeg,decode_png,decode_bmp,bmp_runs}.c \
 *     engine/io/{path,file,unpack}.c engine/base/{err,assert,open_handles}.c \
 *     engine/base/memory/mem.c \
 *     $(pkg-config --cflags --libs libjpeg libpng zlib) -lm -o build/fuzz_image */
#include "base/memory/mem.h"
#include "data/image.h"
#include "data/image_probe.h"
#include "data/resize.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void decode(const uint8_t *bytes, size_t count, an_damage_policy damage)
{
    an_image image;
    uint8_t small[7 * 5 * 3];
    const an_image_probe probe = an_probe_image(bytes, count);
    if (an_image_decode(bytes, count, "fuzz", damage, &image) == AN_OK) {
        if (image.width != probe.width || image.height != probe.height)
            __builtin_trap();
        if (image.damaged && damage == AN_DAMAGED_REFUSE)
            __builtin_trap();
        for (int aspect = AN_STRETCH; aspect <= AN_PAD; aspect++)
            an_resize(image.pixels, image.height, image.width, small, 7, 5, (an_aspect)aspect);
    } else if (image.pixels) {
        __builtin_trap();
    }
    an_image_free(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    const an_image_probe probe = an_probe_image(bytes, count);
    /* for speed: large pictures are skipped */
    if (probe.width * probe.height > 1 << 20)
        return 0;
    int64_t live = an_mem_live();
    decode(bytes, count, AN_DAMAGED_REFUSE);
    decode(bytes, count, AN_DAMAGED_ACCEPT);
    an_pixel_version(bytes, count);
    if (count > 0)
        an_jpeg_in_scan(bytes, count, bytes[0] % count);
    if (an_mem_live() != live)
        __builtin_trap();
    return 0;
}
