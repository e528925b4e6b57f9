/* source_cifar: CIFAR-10 and CIFAR-100 in their binary version; see container.h. */
#include "data/container.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/memory/mem.h"
#include "io/file.h"
#include "io/path.h"

#define SIDE 32
#define PIXELS (3 * SIDE * SIDE)
#define BLOCK 1024       /* records read at a time */
#define NAMES_FILE 65536 /* bytes of the list of class names */
#define MOST_CLASSES 100

typedef struct layout {
    const char *title, *folder, *names, *archive;
    int classes, labels;  /* labels: bytes before the pixels; the last one counts */
    const char *files[7]; /* training files, NULL, the test file */
} layout;

static const layout layouts[] = {
    [AN_CIFAR10] = {.title = "CIFAR-10",
                    .folder = "cifar-10-batches-bin",
                    .names = "batches.meta.txt",
                    .archive = "cifar-10-binary.tar.gz",
                    .classes = 10,
                    .labels = 1,
                    .files = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                              "data_batch_4.bin", "data_batch_5.bin", NULL, "test_batch.bin"}},
    [AN_CIFAR100] = {.title = "CIFAR-100",
                     .folder = "cifar-100-binary",
                     .names = "fine_label_names.txt",
                     .archive = "cifar-100-binary.tar.gz",
                     .classes = 100,
                     .labels = 2,
                     .files = {"train.bin", NULL, "test.bin"}},
};

/* ── where it is ──────────────────────────────────────────────────────────────── */

static bool holds(const char *folder, const char *name)
{
    char path[AN_PATH];
    return an_path_join(path, folder, name) == AN_OK && an_path_kind_at(path) != AN_NOTHING;
}

static an_code not_here(const layout *of, const char *root)
{
    if (an_path_kind_at(root) != AN_FOLDER)
        return an_fail(AN_ENOTFOUND, "%s: no such folder; `root` must be the folder of %s", root,
                       of->folder);
    char train[AN_PATH];
    if (an_path_join(train, root, "train") == AN_OK && an_path_kind_at(train) == AN_FOLDER)
        return an_fail(AN_ENOTFOUND,
                       "%s: holds no %s, but a folder `train`; for a sub-folder of images per "
                       "class the kind is folder: { \"folder\", root = … }",
                       root, of->files[0]);
    bool python = holds(root, "batches.meta") || holds(root, "data_batch_1") ||
                  holds(root, "meta") || holds(root, "cifar-10-batches-py") ||
                  holds(root, "cifar-100-python");
    return an_fail(AN_ENOTFOUND, "%s: holds no %s%s; fetch the binary version of %s, %s", root,
                   of->files[0], python ? " but the version for Python" : "", of->title,
                   of->archive);
}

static an_code find_folder(const layout *of, const char *root, char folder[AN_PATH])
{
    an_code code = an_path_join(folder, root, of->folder);
    if (code == AN_OK && !holds(folder, of->files[0]))
        code = an_path_join(folder, root, "");
    if (code == AN_OK && !holds(folder, of->files[0]))
        code = not_here(of, root);
    return code;
}

/* ── class names ──────────────────────────────────────────────────────────────── */

/* The next line of *text without spaces at its end; NULL at the end of the text. */
static char *next_line(char **text)
{
    char *line = *text, *end = strchr(line, '\n');
    if (!*line)
        return NULL;
    *text = end ? end + 1 : line + strlen(line);
    if (!end)
        end = *text;
    while (end > line && strchr(" \t\r\n", end[-1]))
        end--;
    *end = 0;
    return line;
}

static bool is_printable(const char *name)
{
    for (; *name; name++)
        if ((unsigned char)*name < ' ' || *name == 0x7F)
            return false;
    return true;
}

static an_code name_classes(an_listing *list, const layout *of, char *text, const char *path)
{
    const char *names[MOST_CLASSES];
    int K = 0;
    for (char *line; (line = next_line(&text));) {
        if (!*line)
            continue;
        if (K == of->classes || !is_printable(line))
            return an_fail(AN_EFORMAT, "%s: %d printable class names are expected, one per line",
                           path, of->classes);
        names[K++] = line;
    }
    if (K < of->classes)
        return an_fail(AN_EFORMAT, "%s: %d class names; %s has %d", path, K, of->title,
                       of->classes);
    return an_listing_classes(list, names, K);
}

static an_code read_names(an_listing *list, const layout *of, const char *folder)
{
    char path[AN_PATH];
    uint8_t *text;
    size_t count;
    an_code code = an_path_join(path, folder, of->names);
    if (code == AN_OK)
        code = an_file_read(path, NAMES_FILE, &text, &count);
    if (code != AN_OK)
        return code;
    code = name_classes(list, of, (char *)text, path);
    an_free(text);
    return code;
}

/* ── images ───────────────────────────────────────────────────────────────────── */

static an_code add_block(an_image_stack *stack, const layout *of, an_part part, int64_t numbered,
                         const uint8_t *records, int64_t first, int64_t count, const char *path)
{
    an_raw_shape shape = {
        .height = SIDE, .width = SIDE, .channels = 3, .planar = true, .skip = of->labels};
    int64_t labels[BLOCK];
    for (int64_t i = 0; i < count; i++) {
        labels[i] = records[i * (of->labels + PIXELS) + of->labels - 1];
        if (labels[i] >= of->classes)
            return an_fail(AN_EFORMAT, "%s: image %lld has label %lld; %s has classes 0 to %d",
                           path, (long long)(first + i), (long long)labels[i], of->title,
                           of->classes - 1);
    }
    return an_image_stack_add(stack, part, numbered + first, &shape, records, labels, count);
}

static an_code read_records(an_image_stack *stack, const layout *of, an_part part,
                            int64_t *numbered, int file, const char *path)
{
    int64_t record = of->labels + PIXELS, size;
    an_code code = an_file_size(file, &size, path);
    if (code == AN_OK && (size == 0 || size % record != 0))
        code = an_fail(AN_EFORMAT, "%s: %lld bytes, which is not a number of records of %lld bytes",
                       path, (long long)size, (long long)record);
    if (code == AN_OK)
        code = an_image_stack_reserve(stack, size / record);
    uint8_t *records = code == AN_OK ? an_alloc((size_t)(BLOCK * record)) : NULL;
    if (!records)
        return an_err_code();
    int64_t n = size / record;
    for (int64_t first = 0; first < n && code == AN_OK; first += BLOCK) {
        int64_t count = an_min(BLOCK, n - first);
        code = an_file_read_at(file, records, (size_t)(count * record), first * record, path);
        if (code == AN_OK)
            code = add_block(stack, of, part, *numbered, records, first, count, path);
    }
    an_free(records);
    *numbered += n;
    return code;
}

static an_code read_file(an_image_stack *stack, const layout *of, an_part part, const char *folder,
                         const char *name, int64_t *numbered)
{
    char path[AN_PATH];
    int file;
    an_code code = an_path_join(path, folder, name);
    if (code == AN_OK)
        code = an_file_open(path, AN_FILE_READ, &file);
    if (code != AN_OK)
        return code;
    code = read_records(stack, of, part, numbered, file, path);
    an_file_close(file);
    return code;
}

an_code an_read_cifar(an_image_stack *stack, const char *root, an_cifar which)
{
    AN_ASSERT(which == AN_CIFAR10 || which == AN_CIFAR100);
    const layout *of = &layouts[which];
    char folder[AN_PATH];
    int trains = 0;
    int64_t tested = 0, trained = 0;
    an_code code = find_folder(of, root, folder);
    if (code == AN_OK)
        code = read_names(stack->list, of, folder);
    while (of->files[trains])
        trains++;
    if (code == AN_OK)
        code = read_file(stack, of, AN_TEST, folder, of->files[trains + 1], &tested);
    for (int i = 0; i < trains && code == AN_OK; i++)
        code = read_file(stack, of, AN_TRAIN, folder, of->files[i], &trained);
    return code;
}
