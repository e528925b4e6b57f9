/* fuzz_safetensors: any bytes as a file of weights: all tensors, all metadata and the hash of the
 * content are read. The input is the header, and from its first zero byte on the data; the harness
 * prepends the header's length. An input that begins with '!' is the whole file.
 *
 * Covers: engine/io/safetensors.c engine/io/safetensors_header.c engine/io/json.c */
#include "base/memory/mem.h"
#include "base/memory/tensor_heap.h"
#include "io/safetensors.h"
#include "tensor/scope.h"
#include "tests/fuzz/fuzz.h"

enum { MOST_GROWTH = 1 << 20 }; /* bytes, over all inputs */

static void read_everything(const char *path)
{
    char hex[AN_SHA256_HEX];
    an_safetensors *f = an_safetensors_open(path);
    if (!f)
        return;
    for (int i = 0; i < an_safetensors_count(f); i++) {
        size_t mark = an_scope_begin();
        an_safetensors_read(f, an_safetensors_find(f, an_safetensors_name(f, i)));
        an_scope_end(mark, NULL);
    }
    an_safetensors_content(f, hex);
    for (int i = 0; i < an_safetensors_meta_count(f); i++)
        fuzz_require(an_safetensors_meta_at(f, i).value, "metadata with a value");
    an_safetensors_close(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static uint8_t file[1 << 20];
    static int64_t first; /* the tape keeps what it once needed */
    if (count > 0 && *bytes == '!') {
        read_everything(fuzz_file(bytes + 1, count - 1));
    } else if (count + 8 <= sizeof file) {
        const uint8_t *end = count ? memchr(bytes, 0, count) : NULL;
        const uint64_t header = end ? (uint64_t)(end - bytes) : count;
        memcpy(file, &header, 8);
        memcpy(file + 8, bytes, header);
        if (end)
            memcpy(file + 8 + header, end + 1, count - header - 1);
        read_everything(fuzz_file(file, 8 + count - (end != NULL)));
    }
    an_tensor_heap_trim();
    first = first ? first : an_mem_live();
    fuzz_require(an_mem_live() < first + MOST_GROWTH, "released memory");
    return 0;
}
