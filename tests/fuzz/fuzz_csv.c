/* fuzz_csv: any bytes as a table; every cell of a table that is read can be read.
 *
 * Covers: engine/data/csv.c engine/base/memory/string_arena.c */
#include "base/memory/mem.h"
#include "data/csv.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    int64_t live = an_mem_live(), line = 0;
    an_csv *csv = an_csv_parse(bytes, count, "fuzz");
    size_t total = 0;
    for (int64_t r = 0; csv && r < an_csv_rows(csv); r++) {
        for (int c = 0; c < an_csv_columns(csv); c++)
            total += strlen(an_csv_at(csv, r, c));
        fuzz_require(an_csv_line(csv, r) >= line, "rows in the order of their lines");
        line = an_csv_line(csv, r);
    }
    an_csv_free(csv);
    fuzz_require(total <= count, "cells no longer than the file");
    fuzz_require(an_mem_live() == live, "released memory");
    return 0;
}
