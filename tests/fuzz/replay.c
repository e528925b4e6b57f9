/* replay: runs a harness over the inputs of folders, without libFuzzer: replay FOLDER…
 *
 * Prints TAP, one result: every input was read or refused, none took more than its time. An input
 * that ends the program leaves its name, on a comment line, as the last line of the output. What
 * the readers print is dropped. Hidden files are left out, and a missing folder is an empty one. */
#include <dirent.h>
#include <time.h>

#include "base/log.h"
#include "tests/fuzz/fuzz.h"

enum { SECONDS = 2 /* of the processor, for one input, under a sanitizer too */ };

#pragma weak LLVMFuzzerInitialize

static FILE *report; /* standard output */
static int inputs;
static char slowest[1024];
static double slowest_seconds;

static uint8_t *read_file(const char *path, size_t *count)
{
    FILE *file = fopen(path, "rb");
    long size = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    /* Exactly as many bytes as the input has, so that a sanitizer sees a read beyond them. */
    uint8_t *bytes = size >= 0 ? malloc((size_t)size + (size == 0)) : NULL;
    if (!bytes || fseek(file, 0, SEEK_SET) != 0 ||
        fread(bytes, 1, (size_t)size, file) != (size_t)size)
        fuzz_require(false, "a readable input");
    fclose(file);
    *count = (size_t)size;
    return bytes;
}

static void replay(const char *path)
{
    size_t count;
    uint8_t *bytes = read_file(path, &count);
    fprintf(report, "# %s\n", path);
    fflush(report);
    clock_t start = clock();
    LLVMFuzzerTestOneInput(bytes, count);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    if (seconds > slowest_seconds) {
        slowest_seconds = seconds;
        snprintf(slowest, sizeof slowest, "%s", path);
    }
    free(bytes);
    inputs++;
}

static void replay_folder(const char *folder)
{
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (*names[i]->d_name != '.')
            replay(path);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

int main(int argc, char **argv)
{
    an_log_level(AN_ERROR);
    report = fdopen(dup(STDOUT_FILENO), "w");
    fuzz_require(report && freopen("/dev/null", "w", stdout), "a standard output");
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        replay_folder(argv[i]);
    bool good = inputs > 0 && slowest_seconds <= SECONDS;
    fprintf(report, "1..1\n%s 1 - %d inputs are read or refused; the slowest took %.2f s: %s\n",
            good ? "ok" : "not ok", inputs, slowest_seconds, slowest);
    return fclose(report) != 0 || !good;
}
