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
#include "tensor/storage.h"

#define AN_MAX_DIMS 6

/* AN_BF16 is for maps within a network (base/precision.h): convolution, batch normalisation and
 * maximum pooling read and write it, and an_cast() converts to it and back. No other operation
 * takes it, and no such tensor reaches Lua. */
typedef enum { AN_F32, AN_I64, AN_BF16 } an_dtype;
size_t an_element_bytes(an_dtype dtype); /* (make.c) */

typedef struct an_tensor {
    an_dtype dtype;
    int ndim; /* 0 is a scalar: one element */
    int64_t shape[AN_MAX_DIMS];
    int64_t stride[AN_MAX_DIMS]; /* in elements */
    int64_t offset;              /* of the first element, in elements */
    an_storage *storage;         /* NULL once all remaining holders use the shape only */
    int refs;                    /* holders, ≥ 1 */
    int shape_refs;              /* those of refs that use only the shape and the gradient */
    bool blank;                  /* a gradient that counts as zeros, whatever it contains */
    bool requires_grad;     /* a leaf that was marked so, or the output of a recorded operation */
    struct an_tensor *grad; /* same dtype and shape, contiguous; NULL until used */
} an_tensor;

/* ── makers (make.c) ────────────────────────────────────────────────────────── */
an_tensor *an_tensor_new(an_dtype dtype, int ndim, const int64_t *shape); /* undefined contents */
an_tensor *an_tensor_zeros(an_dtype dtype, int ndim, const int64_t *shape);
an_tensor *an_tensor_like(const an_tensor *x); /* x's dtype and shape, contiguous, undefined */
an_tensor *an_tensor_from(const float *values, int ndim, const int64_t *shape); /* copies */
/* A contiguous view of `storage` from element `offset` on; shares, does not copy. */
an_tensor *an_tensor_view(an_storage *storage, an_dtype dtype, int64_t offset, int ndim,
                          const int64_t *shape);

/* ── references (tensor.c) ──────────────────────────────────────────────────── */
void an_retain(an_tensor *x);
void an_release(an_tensor *x); /* NULL is allowed */
/* The same for a holder that uses the shape and the gradient but not the elements. The storage is
 * released when only such holders are left. */
void an_retain_shape(an_tensor *x);
void an_release_shape(an_tensor *x);

/* ── queries (tensor.c) ─────────────────────────────────────────────────────── */
int64_t an_numel(const an_tensor *x);
bool an_is_contiguous(const an_tensor *x);
bool an_has_repeats(const an_tensor *x); /* a stride of 0 repeats an element */
bool an_same_shape(const an_tensor *a, const an_tensor *b);
/* Size of dimension d, −ndim … ndim−1; a negative d counts from the end. */
int64_t an_dim(const an_tensor *x, int d);
/* The first element; x must have that dtype and a storage that is not released. */
float *an_f32(const an_tensor *x);
int64_t *an_i64(const an_tensor *x);
uint16_t *an_bf16(const an_tensor *x);
void *an_data(const an_tensor *x); /* the same for any dtype */
/* "(128, 32, 32, 3)" for messages, in one of four static thread-local buffers in turn. */
const char *an_shape_text(const an_tensor *x);
/* AN_EINVAL with "what: expected float32 with 2 dimensions, got int64 (3,)" unless both match. */
an_code an_expect(const an_tensor *x, const char *what, an_dtype dtype, int ndim);

/* ── copies and views without gradient (view.c); grad/ops.h has the recorded ones ── */
/* Same shape, any strides, `to` without repeats. Converts between float32 and int64; int64 drops
 * the fraction. AN_EINVAL: another shape, an element that no int64 can hold, bf16; nothing is then
 * copied. */
an_code an_copy(an_tensor *to, const an_tensor *from);
an_tensor *an_view_transpose(an_tensor *x, const int *order); /* order: each dimension once */
an_tensor *an_view_narrow(an_tensor *x, int dim, int64_t start, int64_t length);
an_tensor *an_view_expand(an_tensor *x, int ndim, const int64_t *shape); /* broadcast: stride 0 */
/* x contiguous; one −1 allowed */
an_tensor *an_view_reshape(an_tensor *x, int ndim, const int64_t *shape);
/* AN_EINVAL: x is not contiguous, or an int64 tensor cannot hold the value. */
an_code an_fill(an_tensor *x, double value);

#endif
