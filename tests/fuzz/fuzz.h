/* fuzz: what all harnesses share: their two functions, a requirement, an input as a file.
 *
 * A harness is tests/fuzz/fuzz_NAME.c. It feeds any bytes to one reader; an input is read or
 * refused, in a second and a gigabyte, and its memory is released. Three programs are made of it:
 * libFuzzer's (make fuzz), one that measures coverage (make fuzz COVERAGE=1), and one that replays
 * the inputs of tests/fuzz/seeds/NAME and tests/fuzz/found/NAME (make test; replay.c). */
#ifndef AN_TESTS_FUZZ_H
#define AN_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Once, before the first input; a harness may leave it out. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* Ends the program where `holds` is false: the input is a finding. */
static inline void fuzz_require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "finding: expected %s\n", what);
    abort();
}

/* The path of a file in memory with this content, valid until the next call. */
static inline const char *fuzz_file(const void *bytes, size_t count)
{
    static char path[40];
    static int file = -1;
    if (file < 0) {
        file = memfd_create("fuzz", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    fuzz_require(ftruncate(file, 0) == 0 && pwrite(file, bytes, count, 0) == (ssize_t)count,
                 "a file that can be written");
    return path;
}

/* A file of a folder of the harness. */
static inline void fuzz_write(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    fuzz_require(file && fwrite(bytes, 1, count, file) == count && fclose(file) == 0,
                 "a file that can be written");
}

/* A new folder below TMPDIR, which tests/run and tests/fuzz/run remove. */
static inline const char *fuzz_folder(void)
{
    static char folder[256];
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/aniso-fuzz-XXXXXX", parent ? parent : "/tmp");
    fuzz_require(mkdtemp(folder), "a folder that can be made");
    return folder;
}

#endif
