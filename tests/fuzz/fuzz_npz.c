/* fuzz_npz: any bytes as an .npz archive of images and labels.
 *
 * Covers: engine/data/source_npz.c engine/data/npy.c engine/data/image_stack.c engine/io/zip.c
 *   engine/io/unpack.c engine/data/listing.c */
#include "base/memory/mem.h"
#include "data/container.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    const char *path = fuzz_file(bytes, count);
    int64_t live = an_mem_live();
    an_listing list;
    an_image_stack stack = {.list = &list, .H = 2, .W = 3};
    if (an_listing_begin(&list, path) == AN_OK && an_read_npz(&stack, path, NULL, 0) == AN_OK)
        an_listing_seal(&list);
    an_free(stack.pixels);
    an_listing_free(&list);
    fuzz_require(an_mem_live() == live, "released memory");
    return 0;
}
