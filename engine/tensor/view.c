/* view: views of a tensor's storage under another shape, and copies between views; declared in
 * tensor.h. A view costs one small struct; an_copy() visits the destination in row-major order. */
#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/memory/tensor_heap.h"
#include "tensor/scope.h"
#include "tensor/tensor.h"

/* A second tensor on x's storage with the same shape, for the caller to change. */
static an_tensor *alias(an_tensor *x)
{
    AN_ASSERT(x->storage);
    an_tensor *v = an_tensor_heap_take(sizeof *v);
    if (!v)
        return NULL;
    *v = *x;
    v->refs = 1;
    v->shape_refs = 0;
    v->blank = false;
    v->grad = NULL;
    v->requires_grad = false;
    an_storage_retain(v->storage);
    return an_scope_own(v);
}

an_tensor *an_view_transpose(an_tensor *x, const int *order)
{
    an_tensor *v = x ? alias(x) : NULL;
    unsigned used = 0;
    for (int d = 0; v && d < x->ndim; d++) {
        if (order[d] < 0 || order[d] >= x->ndim || used >> order[d] & 1)
            return an_fail(AN_EINVAL, "permute: each of the %d dimensions is named once", x->ndim),
                   NULL;
        used |= 1u << order[d];
        v->shape[d] = x->shape[order[d]];
        v->stride[d] = x->stride[order[d]];
    }
    return v;
}

an_tensor *an_view_narrow(an_tensor *x, int dim, int64_t start, int64_t length)
{
    if (!x)
        return NULL;
    if (dim < 0)
        dim += x->ndim;
    if (dim < 0 || dim >= x->ndim || start < 0 || length < 0 || length > x->shape[dim] ||
        start > x->shape[dim] - length)
        return an_fail(AN_EINVAL,
                       "narrow: %lld elements after the first %lld do not fit dimension %d of %s",
                       (long long)length, (long long)start, dim + 1, an_shape_text(x)),
               NULL;
    an_tensor *v = alias(x);
    if (v) {
        v->offset += start * v->stride[dim];
        v->shape[dim] = length;
    }
    return v;
}

an_tensor *an_view_expand(an_tensor *x, int ndim, const int64_t *shape)
{
    if (!x)
        return NULL;
    int lead = ndim - x->ndim;
    bool fits = lead >= 0 && ndim <= AN_MAX_DIMS;
    for (int d = 0; fits && d < x->ndim; d++)
        fits = x->shape[d] == shape[lead + d] || x->shape[d] == 1;
    if (!fits)
        return an_fail(AN_EINVAL,
                       "%s cannot be broadcast to a shape of %d dimensions ending in "
                       "%lld",
                       an_shape_text(x), ndim, ndim > 0 ? (long long)shape[ndim - 1] : 0),
               NULL;
    an_tensor *v = alias(x);
    if (!v)
        return NULL;
    v->ndim = ndim;
    for (int d = 0; d < ndim; d++) {
        v->shape[d] = shape[d];
        v->stride[d] = d >= lead && x->shape[d - lead] == shape[d] ? x->stride[d - lead] : 0;
    }
    return v;
}

an_tensor *an_view_reshape(an_tensor *x, int ndim, const int64_t *shape)
{
    if (!x)
        return NULL;
    if (!an_is_contiguous(x) || ndim < 0 || ndim > AN_MAX_DIMS)
        return an_fail(AN_EINVAL, "reshape: requires a contiguous tensor and at most %d dimensions",
                       AN_MAX_DIMS),
               NULL;
    int64_t n = an_numel(x), known = 1, full[AN_MAX_DIMS];
    int open = -1;
    bool fits = true;
    for (int d = 0; d < ndim; d++) {
        full[d] = shape[d];
        if (shape[d] >= 0)
            fits = fits && an_multiply(known, shape[d], &known);
        else if (open < 0 && shape[d] == -1)
            open = d;
        else
            return an_fail(AN_EINVAL,
                           "reshape: a size must be at least 0; one can be -1, for the rest"),
                   NULL;
    }
    if (open >= 0)
        full[open] = known ? n / known : 0;
    if (!fits || (open >= 0 ? known * full[open] : known) != n)
        return an_fail(AN_EINVAL, "reshape: %s has %lld elements, the new shape a different number",
                       an_shape_text(x), (long long)n),
               NULL;
    return an_tensor_view(x->storage, x->dtype, x->offset, ndim, full);
}

/* Copies the run along the last dimension that starts at the two offsets. */
static void copy_row(an_tensor *to, int64_t at, const an_tensor *from, int64_t from_at)
{
    int last = to->ndim - 1;
    int64_t n = to->ndim ? to->shape[last] : 1;
    int64_t st = to->ndim ? to->stride[last] : 1, sf = to->ndim ? from->stride[last] : 1;
    if (to->dtype == AN_F32 && from->dtype == AN_F32) {
        float *y = (float *)to->storage->data + at;
        const float *x = (const float *)from->storage->data + from_at;
        if (st == 1 && sf == 1)
            memcpy(y, x, (size_t)n * sizeof *y);
        else
            for (int64_t i = 0; i < n; i++)
                y[i * st] = x[i * sf];
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        const void *x = from->storage->data;
        int64_t k = from_at + i * sf, p = at + i * st;
        if (to->dtype == AN_I64)
            ((int64_t *)to->storage->data)[p] =
                from->dtype == AN_I64 ? ((const int64_t *)x)[k] : (int64_t)((const float *)x)[k];
        else
            ((float *)to->storage->data)[p] = (float)((const int64_t *)x)[k];
    }
}

/* The first element of float32 x, from dimension d and offset `at` on, that does not fit int64; 0
 * if all fit. */
static float first_outside_int64(const an_tensor *x, int d, int64_t at)
{
    if (d == x->ndim) {
        float value = ((const float *)x->storage->data)[at];
        return an_fits_int64((double)value) ? 0 : value;
    }
    float found = 0;
    for (int64_t i = 0; i < x->shape[d] && found == 0; i++)
        found = first_outside_int64(x, d + 1, at + i * x->stride[d]);
    return found;
}

an_code an_copy(an_tensor *to, const an_tensor *from)
{
    AN_ASSERT(to->storage && from->storage);
    AN_ASSERT(!an_has_repeats(to));
    if (!an_same_shape(to, from))
        return an_fail(AN_EINVAL, "copy: %s does not fit %s", an_shape_text(from),
                       an_shape_text(to));
    if (to->dtype == AN_BF16 || from->dtype == AN_BF16)
        return an_fail(AN_EINVAL, "copy: bfloat16 %s", an_shape_text(from));
    float unfit = to->dtype == AN_I64 && from->dtype == AN_F32
                      ? first_outside_int64(from, 0, from->offset)
                      : 0;
    if (unfit != 0)
        return an_fail(AN_EINVAL, "copy: an int64 tensor cannot hold %g", (double)unfit);
    int outer = to->ndim > 0 ? to->ndim - 1 : 0;
    int64_t at[AN_MAX_DIMS] = {0}, t = to->offset, f = from->offset;
    if (an_numel(to) == 0)
        return AN_OK;
    for (;;) {
        copy_row(to, t, from, f);
        int d = outer - 1;
        for (; d >= 0; d--) { /* the odometer over all but the last dimension */
            t += to->stride[d];
            f += from->stride[d];
            if (++at[d] < to->shape[d])
                break;
            t -= to->stride[d] * to->shape[d];
            f -= from->stride[d] * to->shape[d];
            at[d] = 0;
        }
        if (d < 0)
            return AN_OK;
    }
}

an_code an_fill(an_tensor *x, double value)
{
    if (x->dtype == AN_I64 && !an_fits_int64(value))
        return an_fail(AN_EINVAL, "fill: an int64 tensor cannot hold %g", value);
    if (!an_is_contiguous(x))
        return an_fail(AN_EINVAL, "fill: requires a contiguous tensor");
    if (x->dtype == AN_BF16)
        return an_fail(AN_EINVAL, "fill: bfloat16 %s", an_shape_text(x));
    int64_t n = an_numel(x);
    float *number = x->dtype == AN_F32 ? an_f32(x) : NULL;
    int64_t *integer = x->dtype == AN_I64 ? an_i64(x) : NULL;
    for (int64_t i = 0; i < n; i++) {
        if (number)
            number[i] = (float)value;
        else
            integer[i] = (int64_t)value;
    }
    return AN_OK;
}
