/* Any bytes as one file of an IDX or CIFAR folder whose other files are good: read or refused; the
 * memory comes back. The first byte chooses the file.
 *   clang -g -O1 -std=c11 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -fopenmp -Iengine -I. \
 *     tests/fuzz/fuzz_folders.c engine/data/{source_idx,source_cifar,image_stack,listing,resize}.c
 * \
 *     engine/io/{unpack,path,file,file_replace,sha256}.c \
 *     engine/base/{err,assert,open_handles}.c engine/base/memory/{mem,string_arena}.c \
 *     -lz -lnettle -lm -o build/fuzz_folders
 *   build/fuzz_folders -max_len=8192 -rss_limit_mb=4096 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory/mem.h"
#include "data/container.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static const char *const files[] = {"t10k-labels-idx1-ubyte",  "t10k-images-idx3-ubyte",
                                    "train-labels-idx1-ubyte", "train-images-idx3-ubyte.gz",
                                    "test_batch.bin",          "batches.meta.txt"};
enum { FILES = 6, FIRST_OF_CIFAR = 4 };
static char folder[] = "/tmp/aniso-fuzz-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const void *bytes, size_t count)
{
    FILE *file = fopen(path_of(name), "wb");
    if (!file || fwrite(bytes, 1, count, file) != count || fclose(file))
        abort();
}

/* The good form of a file: two images of 2×1 pixels with the labels 0 and 1; one record of CIFAR.
 */
static void write_good_file(int which)
{
    static const uint8_t record[3073] = {1};
    static const char names[] = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
    if (which == 0 || which == 2)
        write_file(files[which], "\0\0\10\1\0\0\0\2\0\1", 10);
    else if (which == 1)
        write_file(files[which], "\0\0\10\3\0\0\0\2\0\0\0\2\0\0\0\1abcd", 20);
    else if (which == 3) /* compressed, and left to the input */
        write_file(files[which], "", 0);
    else if (which == 4)
        write_file(files[which], record, sizeof record);
    else
        write_file(files[which], names, sizeof names - 1);
}

static void write_good(void)
{
    static const uint8_t record[3073] = {1};
    char name[32];
    for (int i = 0; i < FILES; i++)
        write_good_file(i);
    for (int i = 1; i <= 5; i++) {
        snprintf(name, sizeof name, "data_batch_%d.bin", i);
        write_file(name, record, sizeof record);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    if (!mkdtemp(folder))
        abort();
    write_good();
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
    write_file(files[which], bytes + 1, count - 1);
    if (an_listing_begin(&list, folder) == AN_OK &&
        (which < FIRST_OF_CIFAR ? an_read_idx(&stack, folder, NULL, 0)
                                : an_read_cifar(&stack, folder, AN_CIFAR10)) == AN_OK)
        an_listing_seal(&list);
    an_free(stack.pixels);
    an_listing_free(&list);
    if (an_mem_live() != live)
        __builtin_trap();
    write_good_file(which);
    return 0;
}
