/* Decodes any bytes as an image; a decoded image is also resized.
 *   clang -g -O1 -std=c11 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -fopenmp -Iengine -I. \
 *     tests/fuzz/fuzz_image.c engine/data/{image,image_probe,resize}.c third_party/stb.c \
 *     engine/io/{path,file}.c engine/base/{err,assert,open_handles}.c engine/base/memory/mem.c \
 *     -lm -o build/fuzz_image */
#include "base/memory/mem.h"
#include "data/image.h"
#include "data/image_probe.h"
#include "data/resize.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    an_image image = {0};
    uint8_t small[7 * 5 * 3];
    an_image_probe probe = an_probe_image(bytes, count);
    /* for speed: large pictures are skipped */
    if (probe.width * probe.height > 1 << 20)
        return 0;
    int64_t live = an_mem_live();
    if (an_image_decode(bytes, count, "fuzz", &image) == AN_OK) {
        if (image.width != probe.width || image.height != probe.height)
            __builtin_trap();
        for (int aspect = AN_STRETCH; aspect <= AN_PAD; aspect++)
            an_resize(image.pixels, image.height, image.width, small, 7, 5, (an_aspect)aspect);
        an_image_free(&image);
    }
    if (an_mem_live() != live)
        __builtin_trap();
    return 0;
}
