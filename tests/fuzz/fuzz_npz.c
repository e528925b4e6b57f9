/* Any bytes as an .npz archive: read or refused; the memory comes back.
 *   clang -g -O1 -std=c11 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -fopenmp -Iengine -I. \
 *     tests/fuzz/fuzz_npz.c engine/data/{source_npz,npy,image_stack,listing,resize}.c \
 *     engine/io/{zip,unpack,path,file,file_replace,sha256}.c \
 *     engine/base/{err,assert,open_handles}.c engine/base/memory/{mem,string_arena}.c \
 *     -lz -lnettle -lm -o build/fuzz_npz
 *   build/fuzz_npz -max_len=4096 -rss_limit_mb=4096 CORPUS
 *
 * The corpus begins with small archives, such as those of tests/c/test_containers.c. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory/mem.h"
#include "data/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    char path[64];
    int64_t live = an_mem_live();
    int file = memfd_create("fuzz", 0);
    an_listing list;
    an_image_stack stack = {.list = &list, .H = 2, .W = 3};
    if (file < 0 || write(file, bytes, count) != (ssize_t)count)
        __builtin_trap();
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (an_listing_begin(&list, path) == AN_OK && an_read_npz(&stack, path, NULL, 0) == AN_OK)
        an_listing_seal(&list);
    an_free(stack.pixels);
    an_listing_free(&list);
    close(file);
    if (an_mem_live() != live)
        __builtin_trap();
    return 0;
}
