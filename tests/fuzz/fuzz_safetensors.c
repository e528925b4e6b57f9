/* Fuzzes the safetensors reader and the checkpoint check on top of it.
 *
 *   clang -g -O1 -std=c11 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -fopenmp -Iengine -I. \
 *     tests/fuzz/fuzz_safetensors.c \
 *     engine/io/{safetensors,safetensors_header,safetensors_write,checkpoint}.c \
 *     engine/io/{json,path,file,file_replace,sha256}.c engine/base/memory/{mem,tensor_heap}.c \
 *     engine/base/{err,assert,open_handles,par,utf8}.c \
 *     engine/tensor/{tensor,make,storage,view,scope}.c \
 *     -lcjson -lnettle -lm -o build/fuzz_safetensors
 *   build/fuzz_safetensors -max_total_time=60
 *
 * Input: the JSON header, then from the first zero byte on the data; the harness prepends the
 * length, so that inputs pass that check. An input that starts with '!' is a whole file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <stdio.h>

#include "io/checkpoint.h"
#include "tensor/scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_everything(const char *path)
{
    char hex[AN_SHA256_HEX];
    an_safetensors *f = an_safetensors_open(path);
    for (int i = 0; f && i < an_safetensors_count(f); i++) {
        size_t mark = an_scope_begin();
        an_safetensors_read(f, an_safetensors_find(f, an_safetensors_name(f, i)));
        an_scope_end(mark, NULL);
    }
    if (f)
        an_safetensors_content(f, hex);
    for (int i = 0; f && i < an_safetensors_meta_count(f); i++)
        if (!an_safetensors_meta_at(f, i).value)
            abort();
    an_safetensors_close(f);
    an_safetensors_close(an_checkpoint_open(path));
}

static int write_all(int file, const void *data, size_t size)
{
    return size == 0 || write(file, data, size) == (ssize_t)size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int file = memfd_create("fuzz", 0);
    if (file < 0)
        return 0;
    const uint8_t *end = memchr(data, 0, size);
    uint64_t length = end ? (uint64_t)(end - data) : size;
    int good = size && *data == '!'
                   ? write_all(file, data + 1, size - 1)
                   : write_all(file, &length, 8) && write_all(file, data, length) &&
                         (!end || write_all(file, end + 1, size - length - 1));
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (good)
        read_everything(path);
    close(file);
    return 0;
}
