/* make: the constructors of tensors, declared in tensor.h. The current scope owns their results. */
#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/memory/tensor_heap.h"
#include "tensor/scope.h"

size_t an_element_bytes(an_dtype dtype)
{
    static const size_t bytes[] = {
        [AN_F32] = sizeof(float), [AN_I64] = sizeof(int64_t), [AN_BF16] = sizeof(uint16_t)};
    return bytes[dtype];
}

/* The number of elements of a shape; −1 after an_fail() if no tensor can have that shape. */
static int64_t count(int ndim, const int64_t *shape)
{
    if (ndim < 0 || ndim > AN_MAX_DIMS) {
        an_fail(AN_EINVAL, "a tensor has 0 to %d dimensions, not %d", AN_MAX_DIMS, ndim);
        return -1;
    }
    an_tensor named = {.ndim = ndim}; /* for the message */
    int64_t n = 1, extent = 1;        /* extent: sizes of 0 count as 1, so that strides fit too */
    bool fits = true;
    for (int d = 0; d < ndim; d++) {
        if (shape[d] < 0) {
            an_fail(AN_EINVAL, "a tensor cannot have a dimension of %lld here",
                    (long long)shape[d]);
            return -1;
        }
        named.shape[d] = shape[d];
        fits = fits && an_multiply(extent, an_max(shape[d], 1), &extent) && extent <= AN_COUNT_MAX;
        n = shape[d] ? n : 0;
    }
    if (fits)
        return n ? extent : 0;
    an_fail(AN_EINVAL, "a tensor of shape %s has more than the largest number of elements, %lld",
            an_shape_text(&named), (long long)AN_COUNT_MAX);
    return -1;
}

an_tensor *an_tensor_view(an_storage *storage, an_dtype dtype, int64_t offset, int ndim,
                          const int64_t *shape)
{
    AN_ASSERT(storage);
    int64_t n = count(ndim, shape);
    if (n < 0)
        return NULL;
    if (offset < 0 || (size_t)(offset + n) * an_element_bytes(dtype) > storage->bytes)
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
    an_storage *storage = n < 0 ? NULL : an_storage_new((size_t)n * an_element_bytes(dtype));
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
    AN_ASSERT(values);
    an_tensor *x = an_tensor_new(AN_F32, ndim, shape);
    if (x && x->storage->bytes)
        memcpy(x->storage->data, values, x->storage->bytes);
    return x;
}
