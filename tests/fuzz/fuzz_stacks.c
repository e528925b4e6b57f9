/* fuzz_stacks: any bytes as one file of a folder of IDX or CIFAR files whose other files are valid.
 * The first byte selects the file.
 *
 * Covers: engine/data/source_idx.c engine/data/source_cifar.c engine/data/image_stack.c
 *   engine/io/unpack.c engine/data/listing.c */
#include "base/memory/mem.h"
#include "data/container.h"
#include "tests/fuzz/fuzz.h"

enum { FILES = 6, FIRST_OF_CIFAR = 4, CIFAR_BATCHES = 5, CIFAR_RECORD = 3073 };

static const char *const names[FILES] = {"t10k-labels-idx1-ubyte",  "t10k-images-idx3-ubyte",
                                         "train-labels-idx1-ubyte", "train-images-idx3-ubyte.gz",
                                         "test_batch.bin",          "batches.meta.txt"};
static const char *folder;

static void write_file(const char *name, const void *bytes, size_t count)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    fuzz_write(path, bytes, count);
}

/* The valid form: two images of 2×1 pixels with the labels 0 and 1; one record of CIFAR. */
static void write_valid(int which)
{
    static const uint8_t record[CIFAR_RECORD] = {1};
    static const char classes[] = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
    static const uint8_t packed[] = {/* gzip of the bytes of t10k-images-idx3-ubyte */
                                     0x1f, 0x8b, 0x8,  0x0,  0x0,  0x0,  0x0,  0x0,  0x2,
                                     0x3,  0x63, 0x60, 0xe0, 0x60, 0x66, 0x60, 0x60, 0x60,
                                     0x82, 0x62, 0xc6, 0xc4, 0xa4, 0xe4, 0x14, 0x0,  0x75,
                                     0xc8, 0x12, 0xf4, 0x14, 0x0,  0x0,  0x0};
    const struct {
        const void *bytes;
        size_t count;
    } valid[FILES] = {{"\0\0\10\1\0\0\0\2\0\1", 10}, {"\0\0\10\3\0\0\0\2\0\0\0\2\0\0\0\1abcd", 20},
                      {"\0\0\10\1\0\0\0\2\0\1", 10}, {packed, sizeof packed},
                      {record, sizeof record},       {classes, sizeof classes - 1}};
    write_file(names[which], valid[which].bytes, valid[which].count);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const uint8_t record[CIFAR_RECORD] = {1};
    (void)argc, (void)argv;
    folder = fuzz_folder();
    for (int i = 0; i < FILES; i++)
        write_valid(i);
    for (int i = 1; i <= CIFAR_BATCHES; i++) {
        char name[32];
        snprintf(name, sizeof name, "data_batch_%d.bin", i);
        write_file(name, record, sizeof record);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count == 0)
        return 0;
    int which = bytes[0] % FILES;
    int64_t live = an_mem_live();
    an_listing list;
    an_image_stack stack = {.list = &list, .H = 2, .W = 3};
    write_file(names[which], bytes + 1, count - 1);
    if (an_listing_begin(&list, folder) == AN_OK &&
        (which < FIRST_OF_CIFAR ? an_read_idx(&stack, folder, NULL, 0)
                                : an_read_cifar(&stack, folder, AN_CIFAR10)) == AN_OK)
        an_listing_seal(&list);
    an_free(stack.pixels);
    an_listing_free(&list);
    fuzz_require(an_mem_live() == live, "released memory");
    write_valid(which);
    return 0;
}
