/* tensor: see tensor.h. Making, counting, asking; views and copies are in view.c. */
#include "tensor/tensor.h"

#include <stdio.h>
#include <string.h>

#include "base/memory/tensor_heap.h"
#include "tensor/scope.h"
#include "tensor/storage.h"

static size_t width(an_dtype dtype)
{
    return dtype == AN_F32 ? sizeof(float) : sizeof(int64_t);
}

/* The number of elements of a shape, or −1 (with a failure) if it cannot be had. */
static int64_t count(int ndim, const int64_t *shape)
{
    if (ndim < 0 || ndim > AN_MAX_DIMS) {
        an_fail(AN_EINVAL, "a tensor has 0 to %d dimensions, not %d", AN_MAX_DIMS, ndim);
        return -1;
    }
    int64_t n = 1;
    for (int d = 0; d < ndim; d++)
        if (shape[d] < 0 || __builtin_mul_overflow(n, shape[d], &n) || n > INT64_MAX / 16) {
            an_fail(AN_EINVAL, "a tensor cannot have a dimension of %lld here",
                    (long long)shape[d]);
            return -1;
        }
    return n;
}

an_tensor *an_tensor_view(an_storage *storage, an_dtype dtype, int64_t offset, int ndim,
                          const int64_t *shape)
{
    int64_t n = count(ndim, shape);
    if (n < 0)
        return NULL;
    if (offset < 0 || (size_t)(offset + n) * width(dtype) > storage->bytes)
        return an_fail(AN_EINVAL, "a view of %lld elements from %lld does not fit its storage",
                       (long long)n, (long long)offset),
               NULL;
    an_tensor *x = an_tensor_heap_take(sizeof *x);
    if (!x)
        return NULL;
    memset(x, 0, sizeof *x);
    x->dtype = dtype;
    x->ndim = ndim;
    int64_t stride = 1;
    for (int d = ndim - 1; d >= 0; d--) {
        x->shape[d] = shape[d];
        x->stride[d] = stride;
        stride *= shape[d];
    }
    x->offset = offset;
    x->refs = 1;
    x->storage = storage;
    an_storage_retain(storage);
    return an_scope_own(x);
}

an_tensor *an_tensor_new(an_dtype dtype, int ndim, const int64_t *shape)
{
    int64_t n = count(ndim, shape);
    an_storage *storage = n < 0 ? NULL : an_storage_new((size_t)n * width(dtype));
    if (!storage)
        return NULL;
    an_tensor *x = an_tensor_view(storage, dtype, 0, ndim, shape);
    an_storage_release(storage);
    return x;
}

an_tensor *an_tensor_zeros(an_dtype dtype, int ndim, const int64_t *shape)
{
    an_tensor *x = an_tensor_new(dtype, ndim, shape);
    if (x)
        memset(x->storage->data, 0, x->storage->bytes);
    return x;
}

an_tensor *an_tensor_like(const an_tensor *x)
{
    return x ? an_tensor_new(x->dtype, x->ndim, x->shape) : NULL;
}

an_tensor *an_tensor_from(const float *values, int ndim, const int64_t *shape)
{
    an_tensor *x = an_tensor_new(AN_F32, ndim, shape);
    if (x && x->storage->bytes)
        memcpy(x->storage->data, values, x->storage->bytes);
    return x;
}

void an_retain(an_tensor *x)
{
    x->refs++;
}

void an_release(an_tensor *x)
{
    if (!x || --x->refs > x->nonreaders)
        return;
    an_storage_release(x->storage);
    x->storage = NULL;
    if (x->refs > 0)
        return;
    an_release(x->grad);
    an_tensor_heap_give(x);
}

void an_retain_shape(an_tensor *x)
{
    x->refs++;
    x->nonreaders++;
}

void an_release_shape(an_tensor *x)
{
    x->nonreaders--;
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

bool an_same_shape(const an_tensor *a, const an_tensor *b)
{
    return a->ndim == b->ndim && !memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof *a->shape);
}

int64_t an_dim(const an_tensor *x, int d)
{
    return x->shape[d < 0 ? d + x->ndim : d];
}

float *an_f32(const an_tensor *x)
{
    return (float *)x->storage->data + x->offset;
}

int64_t *an_i64(const an_tensor *x)
{
    return (int64_t *)x->storage->data + x->offset;
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
    static const char *const name[] = {"float32", "int64"};
    return an_fail(AN_EINVAL, "%s: expected %s with %d dimensions, got %s %s", what, name[dtype],
                   ndim, name[x->dtype], an_shape_text(x));
}
