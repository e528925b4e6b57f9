/* tensor: a typed, strided view of a counted block of memory.
 *
 * Ownership. Functions that make a tensor return one that the current *scope* owns
 * (tensor/scope.h): use it freely, free nothing; the scope's end releases it. To keep a
 * tensor longer, an_retain() it and an_release() it later.
 * Failure. Makers and operations return NULL after an_fail(). An operation given NULL
 * for a required tensor returns NULL at once, so that calls compose and one check at
 * the end is enough.
 * Images are channels-last: (B, H, W, C). Strides count elements. */
#ifndef AN_TENSOR_TENSOR_H
#define AN_TENSOR_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define AN_MAX_DIMS 6

typedef enum { AN_F32, AN_I64 } an_dtype;

typedef struct an_storage {
    void *data;
    size_t bytes;
    int refs;
} an_storage;

typedef struct an_tensor {
    an_dtype dtype;
    int ndim; /* 0 is a scalar: one element                    */
    int64_t shape[AN_MAX_DIMS];
    int64_t stride[AN_MAX_DIMS]; /* in elements                                   */
    int64_t offset;              /* of the first element, in elements             */
    an_storage *storage;         /* NULL once nobody reads the numbers any more   */
    int refs;
    int nonreaders;         /* those of refs that want shape and gradient only */
    bool blank;             /* a gradient that counts as zeros, whatever it holds */
    bool requires_grad;     /* a leaf whose gradient is wanted, or the output
                               of a recorded operation                       */
    struct an_tensor *grad; /* float32, same shape, contiguous; NULL until used */
} an_tensor;

/* ── making ─────────────────────────────────────────────────────────────────── */
an_tensor *an_tensor_new(an_dtype dtype, int ndim, const int64_t *shape); /* undefined contents */
an_tensor *an_tensor_zeros(an_dtype dtype, int ndim, const int64_t *shape);
/* same dtype and shape, contiguous */
an_tensor *an_tensor_like(const an_tensor *x);
an_tensor *an_tensor_from(const float *values, int ndim, const int64_t *shape); /* copies */
/* A contiguous view of `storage` from `offset`; shares, does not copy. */
an_tensor *an_tensor_view(an_storage *storage, an_dtype dtype, int64_t offset, int ndim,
                          const int64_t *shape);

void an_retain(an_tensor *x);
void an_release(an_tensor *x); /* NULL is allowed */
/* The same for a holder that needs the shape and the gradient but not the numbers: these are
 * freed when only such holders are left. */
void an_retain_shape(an_tensor *x);
void an_release_shape(an_tensor *x);

/* ── asking ─────────────────────────────────────────────────────────────────── */
int64_t an_numel(const an_tensor *x);
bool an_is_contiguous(const an_tensor *x);
bool an_same_shape(const an_tensor *a, const an_tensor *b);
/* size of dimension d; negative d counts from the end */
int64_t an_dim(const an_tensor *x, int d);
float *an_f32(const an_tensor *x);   /* first element of a float32 tensor */
int64_t *an_i64(const an_tensor *x); /* first element of an int64 tensor  */
/* "(128, 32, 32, 3)", in one of a few rotating static thread-local buffers: for messages. */
const char *an_shape_text(const an_tensor *x);
/* AN_EINVAL with "what: expected (B, K), got (3,)" unless dtype and ndim fit. */
an_code an_expect(const an_tensor *x, const char *what, an_dtype dtype, int ndim);

/* ── plain copies and views (no gradient; see grad/ops.h for the recorded ones) ── */
/* same shape, any strides; casts between dtypes */
an_code an_copy(an_tensor *to, const an_tensor *from);
an_tensor *an_view_transpose(an_tensor *x, const int *order); /* order has ndim entries */
an_tensor *an_view_narrow(an_tensor *x, int dim, int64_t start, int64_t length);
an_tensor *an_view_expand(an_tensor *x, int ndim, const int64_t *shape); /* broadcast: stride 0 */
/* contiguous input; one -1 allowed */
an_tensor *an_view_reshape(an_tensor *x, int ndim, const int64_t *shape);
an_code an_fill(an_tensor *x, double value);

#endif
