/* Parses any bytes as a table; every cell of a parsed table must be readable.
 *   clang -g -O1 -std=c11 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -fopenmp -Iengine -I. \
 *     tests/fuzz/fuzz_csv.c engine/data/csv.c engine/io/{path,file,file_replace}.c \
 *     engine/base/{err,assert,open_handles}.c engine/base/memory/{mem,string_arena}.c -lcsv \
 *     -o build/fuzz_csv */
#include <string.h>

#include "base/memory/mem.h"
#include "data/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    int64_t live = an_mem_live();
    an_csv *csv = an_csv_parse(bytes, count, "fuzz");
    size_t total = 0;
    for (int64_t r = 0; csv && r < an_csv_rows(csv); r++)
        for (int c = 0; c < an_csv_columns(csv); c++)
            total += strlen(an_csv_at(csv, r, c)) + (size_t)an_csv_line(csv, r) * 0;
    an_csv_free(csv);
    if (total > count || an_mem_live() != live)
        __builtin_trap();
    return 0;
}
