/* source_idx: MNIST and other sets in its format; see container.h. The IDX format: two zero bytes,
 * the type (8: uint8), the number of axes, their lengths as big-endian 32-bit numbers, the data. */
#include "data/container.h"

#include <stdio.h>
#include <string.h>

#include "base/memory/mem.h"
#include "io/file.h"
#include "io/path.h"

#define AXES 4

typedef struct idx {
    char path[AN_PATH];
    int file;
    an_unpack *u;
    int axes;
    int64_t shape[AXES];
} idx;

static const char *const prefixes[AN_PARTS] = {[AN_TRAIN] = "train", [AN_TEST] = "t10k"};

/* ── one file ─────────────────────────────────────────────────────────────────── */

/* The path of the file in one of its spellings, plain before compressed. */
static an_code find_file(const char *root, an_part part, const char *what, int axes,
                         char path[AN_PATH], bool *packed)
{
    char name[64];
    for (int variant = 0; variant < 4; variant++) {
        snprintf(name, sizeof name, "%s-%s%cidx%d-ubyte%s", prefixes[part], what,
                 variant % 2 ? '.' : '-', axes, variant / 2 ? ".gz" : "");
        an_code code = an_path_join(path, root, name);
        if (code != AN_OK)
            return code;
        *packed = variant / 2;
        if (an_path_kind_at(path) == AN_FILE)
            return AN_OK;
    }
    if (an_path_kind_at(root) != AN_FOLDER)
        return an_fail(AN_ENOTFOUND,
                       "%s: no such folder; `root` must hold train-images-idx3-ubyte(.gz) and its "
                       "three companions",
                       root);
    return an_fail(AN_ENOTFOUND, "%s: holds no %s-%s-idx%d-ubyte or %s-%s-idx%d-ubyte.gz", root,
                   prefixes[part], what, axes, prefixes[part], what, axes);
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Reads the header, and checks that the file can hold the data that it states. */
static an_code read_header(idx *x)
{
    uint8_t bytes[4 + 4 * AXES];
    uint64_t elements = 1;
    an_code code = an_unpack_read(x->u, bytes, 4);
    if (code != AN_OK)
        return code;
    x->axes = bytes[3];
    if (bytes[0] || bytes[1] || bytes[2] != 8 || x->axes < 1 || x->axes > AXES)
        return an_fail(AN_EFORMAT, "%s: not an IDX file of bytes (it begins with %02x%02x%02x%02x)",
                       x->path, bytes[0], bytes[1], bytes[2], bytes[3]);
    code = an_unpack_read(x->u, bytes + 4, 4 * (size_t)x->axes);
    for (int i = 0; i < x->axes && code == AN_OK; i++) {
        x->shape[i] = be32(bytes + 4 + 4 * i);
        elements *= (uint64_t)x->shape[i];
        if (elements > UINT32_MAX || !an_unpack_may_hold(x->u, elements))
            code = an_fail(AN_EFORMAT,
                           "%s: shorter than the data that its header declares, or more than 4 GiB "
                           "of it",
                           x->path);
    }
    return code;
}

static void close_file(idx *x)
{
    an_unpack_close(x->u);
    an_file_close(x->file);
}

static an_code open_file(idx *x, const char *root, an_part part, const char *what, int axes)
{
    bool packed;
    int64_t size;
    *x = (idx){.file = -1};
    an_code code = find_file(root, part, what, axes, x->path, &packed);
    if (code == AN_OK)
        code = an_file_open(x->path, AN_FILE_READ, &x->file);
    if (code != AN_OK)
        return code;
    code = an_file_size(x->file, &size, x->path);
    if (code == AN_OK) {
        x->u = an_unpack_open(x->file, 0, size, packed ? AN_GZIP : AN_STORED, x->path);
        code = x->u ? read_header(x) : an_err_code();
    }
    if (code != AN_OK)
        close_file(x);
    return code;
}

/* ── parts ────────────────────────────────────────────────────────────────────── */

/* *labels (an_free) is (n). */
static an_code read_labels(const char *root, an_part part, int64_t **labels, int64_t *n)
{
    idx x;
    an_code code = open_file(&x, root, part, "labels", 1);
    if (code != AN_OK)
        return code;
    if (x.axes != 1)
        code = an_fail(AN_EFORMAT, "%s: %d axes; labels have one", x.path, x.axes);
    *n = x.shape[0];
    if (code == AN_OK && *n > AN_STACK_IMAGES) /* before a small packed file expands to gigabytes */
        code = an_fail(AN_EFORMAT, "%s: %lld labels, more than the limit of %d", x.path,
                       (long long)*n, AN_STACK_IMAGES);
    uint8_t *bytes = code == AN_OK ? an_alloc((size_t)*n + 1) : NULL;
    *labels = bytes ? an_alloc((size_t)*n * sizeof **labels + 1) : NULL;
    if (code == AN_OK)
        code = *labels ? an_unpack_read(x.u, bytes, (size_t)*n) : AN_ENOMEM;
    if (code == AN_OK)
        code = an_unpack_end(x.u, NULL);
    for (int64_t i = 0; i < *n && code == AN_OK; i++)
        (*labels)[i] = bytes[i];
    an_free(bytes);
    close_file(&x);
    return code;
}

static an_code check_images(const idx *x, int64_t n, an_raw_shape *shape)
{
    if (x->axes < 3)
        return an_fail(AN_EFORMAT,
                       "%s: %d axes; images are (n, height, width) or (n, height, width, 3)",
                       x->path, x->axes);
    if (x->shape[0] != n)
        return an_fail(AN_EFORMAT, "%s: %lld images, but %lld labels in the other file", x->path,
                       (long long)x->shape[0], (long long)n);
    *shape = (an_raw_shape){.height = (int)x->shape[1],
                            .width = (int)x->shape[2],
                            .channels = x->axes == 4 ? (int)x->shape[3] : 1};
    return an_raw_shape_check(shape, x->path);
}

static an_code read_images(an_image_stack *stack, const char *root, an_part part,
                           const int64_t *labels, int64_t n)
{
    idx x;
    an_raw_shape shape;
    an_code code = open_file(&x, root, part, "images", 3);
    if (code != AN_OK)
        return code;
    code = check_images(&x, n, &shape);
    if (code == AN_OK)
        code = an_image_stack_read(stack, part, &shape, x.u, labels, n);
    if (code == AN_OK)
        code = an_unpack_end(x.u, NULL);
    close_file(&x);
    return code;
}

an_code an_read_idx(an_image_stack *stack, const char *root, const char *const *names, int K)
{
    int64_t *labels[AN_PARTS] = {NULL}, n[AN_PARTS] = {0};
    an_code code = read_labels(root, AN_TEST, &labels[AN_TEST], &n[AN_TEST]);
    if (code == AN_OK)
        code = read_labels(root, AN_TRAIN, &labels[AN_TRAIN], &n[AN_TRAIN]);
    if (code == AN_OK)
        code = an_image_stack_classes(stack, names, K, labels, n);
    if (code == AN_OK)
        code = read_images(stack, root, AN_TEST, labels[AN_TEST], n[AN_TEST]);
    if (code == AN_OK)
        code = read_images(stack, root, AN_TRAIN, labels[AN_TRAIN], n[AN_TRAIN]);
    an_free(labels[AN_TEST]);
    an_free(labels[AN_TRAIN]);
    return code;
}
