/* tensor: references to a tensor and queries; see tensor.h. Makers are in make.c, views in view.c.
 */
#include "tensor/tensor.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory/tensor_heap.h"

void an_retain(an_tensor *x)
{
    AN_ASSERT(x->refs >= 1 && x->storage); /* a holder of the elements comes before their release */
    x->refs++;
}

void an_release(an_tensor *x)
{
    if (!x)
        return;
    AN_ASSERT(x->refs > x->shape_refs); /* a holder of the elements is left to release them */
    if (--x->refs > x->shape_refs)
        return;
    an_storage_release(x->storage);
    x->storage = NULL;
    if (x->refs > 0)
        return;
    an_release(x->grad);
    an_tensor_heap_release(x);
}

void an_retain_shape(an_tensor *x)
{
    AN_ASSERT(x->refs >= 1);
    x->refs++;
    x->shape_refs++;
}

void an_release_shape(an_tensor *x)
{
    AN_ASSERT(x->shape_refs >= 1);
    x->shape_refs--;
    an_release(x);
}

int64_t an_numel(const an_tensor *x)
{
    int64_t n = 1;
    for (int d = 0; d < x->ndim; d++)
        n *= x->shape[d];
    return n;
}

bool an_is_contiguous(const an_tensor *x)
{
    int64_t stride = 1;
    for (int d = x->ndim - 1; d >= 0; d--) {
        if (x->shape[d] != 1 && x->stride[d] != stride)
            return false;
        stride *= x->shape[d];
    }
    return true;
}

bool an_has_repeats(const an_tensor *x)
{
    if (an_numel(x) == 0)
        return false;
    for (int d = 0; d < x->ndim; d++)
        if (x->stride[d] == 0 && x->shape[d] > 1)
            return true;
    return false;
}

bool an_same_shape(const an_tensor *a, const an_tensor *b)
{
    return a->ndim == b->ndim && !memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof *a->shape);
}

int64_t an_dim(const an_tensor *x, int d)
{
    AN_ASSERT(-x->ndim <= d && d < x->ndim);
    return x->shape[d < 0 ? d + x->ndim : d];
}

float *an_f32(const an_tensor *x)
{
    AN_ASSERT(x->dtype == AN_F32 && x->storage);
    return (float *)x->storage->data + x->offset;
}

int64_t *an_i64(const an_tensor *x)
{
    AN_ASSERT(x->dtype == AN_I64 && x->storage);
    return (int64_t *)x->storage->data + x->offset;
}

uint16_t *an_bf16(const an_tensor *x)
{
    AN_ASSERT(x->dtype == AN_BF16 && x->storage);
    return (uint16_t *)x->storage->data + x->offset;
}

void *an_data(const an_tensor *x)
{
    AN_ASSERT(x->storage);
    return (char *)x->storage->data + (size_t)x->offset * an_element_bytes(x->dtype);
}

const char *an_shape_text(const an_tensor *x)
{
    static _Thread_local char ring[4][160];
    static _Thread_local int next;
    char *text = ring[next++ % 4];
    size_t at = (size_t)snprintf(text, sizeof *ring, "(");
    for (int d = 0; d < x->ndim; d++)
        at += (size_t)snprintf(text + at, sizeof *ring - at, "%s%lld", d ? ", " : "",
                               (long long)x->shape[d]);
    snprintf(text + at, sizeof *ring - at, x->ndim == 1 ? ",)" : ")");
    return text;
}

an_code an_expect(const an_tensor *x, const char *what, an_dtype dtype, int ndim)
{
    if (x->dtype == dtype && x->ndim == ndim)
        return AN_OK;
    static const char *const name[] = {"float32", "int64", "bfloat16"};
    return an_fail(AN_EINVAL, "%s: expected %s with %d dimensions, got %s %s", what, name[dtype],
                   ndim, name[x->dtype], an_shape_text(x));
}
