/* source_npz: MedMNIST and similar archives of arrays; see container.h. */
#include "data/container.h"

#include <stdio.h>

#include "base/memory/mem.h"
#include "data/npy.h"
#include "io/path.h"
#include "io/zip.h"

typedef struct array {
    char name[AN_PATH + 32]; /* for messages */
    int member;
    an_unpack *u;
    an_npy npy;
} array;

/* ── one array ────────────────────────────────────────────────────────────────── */

/* Opens the array PART_WHAT and reads its header. *absent [opt]: it may be missing. */
static an_code open_array(array *a, const an_zip *zip, const char *path, an_part part,
                          const char *what, bool *absent)
{
    char member[32];
    snprintf(member, sizeof member, "%s_%s.npy", an_part_names[part], what);
    snprintf(a->name, sizeof a->name, "%s: %s_%s", path, an_part_names[part], what);
    a->member = an_zip_find(zip, member), a->u = NULL;
    if (absent)
        *absent = a->member < 0;
    if (a->member < 0)
        return absent ? AN_OK
                      : an_fail(AN_EFORMAT,
                                "%s: not in the archive; {train,val,test}_{images,labels} are "
                                "expected, as in MedMNIST",
                                a->name);
    a->u = an_zip_unpack(zip, a->member);
    an_code code = a->u ? an_npy_read_header(a->u, &a->npy, a->name) : an_err_code();
    uint64_t bytes = (uint64_t)a->npy.elements * (uint64_t)a->npy.bytes;
    if (code == AN_OK && (an_zip_size(zip, a->member) != a->npy.header + (int64_t)bytes ||
                          !an_unpack_may_hold(a->u, bytes)))
        code = an_fail(AN_EFORMAT, "%s: its size is not what its header declares", a->name);
    if (code == AN_OK)
        return AN_OK;
    an_unpack_close(a->u);
    a->u = NULL;
    return code;
}

static an_code close_array(array *a, const an_zip *zip, an_code code)
{
    if (code == AN_OK && a->u)
        code = an_zip_verify(zip, a->member, a->u);
    an_unpack_close(a->u);
    return code;
}

/* ── labels ───────────────────────────────────────────────────────────────────── */

static an_code check_labels(const array *a)
{
    const an_npy *npy = &a->npy;
    if (npy->axes == 2 && npy->shape[1] > 1)
        return an_fail(AN_EFORMAT,
                       "%s: %lld labels per image; sets in which an image has several labels "
                       "(chestmnist) cannot be used: each image must belong to one class",
                       a->name, (long long)npy->shape[1]);
    if (npy->axes > 2 || npy->elements != npy->shape[0])
        return an_fail(AN_EFORMAT, "%s: the shape is neither (n, 1) nor (n)", a->name);
    if (npy->elements > AN_STACK_IMAGES)
        return an_fail(AN_EFORMAT, "%s: %lld labels, more than the limit of %d", a->name,
                       (long long)npy->elements, AN_STACK_IMAGES);
    return AN_OK;
}

/* *labels (an_free) is (n); NULL if an optional part is absent. */
static an_code read_labels(const an_zip *zip, const char *path, an_part part, int64_t **labels,
                           int64_t *n)
{
    array a;
    bool absent = false;
    an_code code = open_array(&a, zip, path, part, "labels", part == AN_VAL ? &absent : NULL);
    if (code == AN_OK && absent && an_zip_find(zip, "val_images.npy") >= 0)
        return an_fail(AN_EFORMAT,
                       "%s: not in the archive, but val_images is; add the labels, or remove the "
                       "images",
                       a.name);
    if (code != AN_OK || absent)
        return code;
    code = check_labels(&a);
    size_t bytes = (size_t)(a.npy.elements * a.npy.bytes);
    uint8_t *data = code == AN_OK ? an_alloc(bytes + 1) : NULL;
    *labels = data ? an_alloc((size_t)a.npy.elements * sizeof **labels + 1) : NULL;
    if (code == AN_OK)
        code = *labels ? an_unpack_read(a.u, data, bytes) : AN_ENOMEM;
    for (int64_t i = 0; i < a.npy.elements && code == AN_OK; i++)
        (*labels)[i] = an_npy_at(&a.npy, data, i);
    *n = a.npy.elements;
    an_free(data);
    return close_array(&a, zip, code);
}

/* ── images ───────────────────────────────────────────────────────────────────── */

static an_code check_images(const array *a, int64_t n, an_raw_shape *shape)
{
    const an_npy *npy = &a->npy;
    if (npy->bytes != 1 || npy->is_signed || npy->axes < 3)
        return an_fail(AN_EFORMAT,
                       "%s: not uint8 of the shape (n, height, width) or (n, height, width, 3)",
                       a->name);
    if (npy->shape[0] != n)
        return an_fail(AN_EFORMAT, "%s: %lld images, but %lld labels", a->name,
                       (long long)npy->shape[0], (long long)n);
    for (int i = 1; i < npy->axes; i++)
        if (npy->shape[i] > AN_STACK_SIDE)
            return an_fail(AN_EFORMAT, "%s: %lld pixels a side; the limit is %d", a->name,
                           (long long)npy->shape[i], AN_STACK_SIDE);
    int64_t channels = npy->axes == 4 ? npy->shape[3] : 1;
    if (channels != 1 && channels != 3)
        return an_fail(
            AN_EFORMAT, "%s: volumes of %lldx%lldx%lld; sets in three dimensions cannot be used",
            a->name, (long long)npy->shape[1], (long long)npy->shape[2], (long long)channels);
    *shape = (an_raw_shape){
        .height = (int)npy->shape[1], .width = (int)npy->shape[2], .channels = (int)channels};
    return an_raw_shape_check(shape, a->name);
}

static an_code read_images(an_image_stack *stack, const an_zip *zip, const char *path, an_part part,
                           const int64_t *labels, int64_t n)
{
    array a;
    an_raw_shape shape;
    an_code code = open_array(&a, zip, path, part, "images", NULL);
    if (code != AN_OK)
        return code;
    code = check_images(&a, n, &shape);
    if (code == AN_OK)
        code = an_image_stack_read(stack, part, &shape, a.u, labels, n);
    return close_array(&a, zip, code);
}

static an_code read_archive(an_image_stack *stack, const an_zip *zip, const char *path,
                            const char *const *names, int K, int64_t *labels[AN_PARTS])
{
    static const an_part order[AN_PARTS] = {AN_TEST, AN_TRAIN, AN_VAL}; /* of the keys */
    int64_t n[AN_PARTS] = {0};
    an_code code = AN_OK;
    for (int i = 0; i < AN_PARTS && code == AN_OK; i++)
        code = read_labels(zip, path, order[i], &labels[order[i]], &n[order[i]]);
    if (code == AN_OK)
        code = an_image_stack_classes(stack, names, K, labels, n);
    for (int i = 0; i < AN_PARTS && code == AN_OK; i++)
        if (labels[order[i]])
            code = read_images(stack, zip, path, order[i], labels[order[i]], n[order[i]]);
    return code;
}

an_code an_read_npz(an_image_stack *stack, const char *path, const char *const *names, int K)
{
    int64_t *labels[AN_PARTS] = {NULL};
    an_zip *zip = an_zip_open(path);
    an_code code = zip ? read_archive(stack, zip, path, names, K, labels) : an_err_code();
    for (int part = 0; part < AN_PARTS; part++)
        an_free(labels[part]);
    an_zip_close(zip);
    return code;
}
