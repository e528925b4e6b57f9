/* safetensors: named tensors in a file (the format of github.com/huggingface/safetensors).
 *
 * Layout: 8 bytes with the header's length, a JSON header, the tensors' bytes without gaps. A file
 * is untrusted: every length, offset and shape is checked at opening, before any tensor is
 * allocated; tensors are then read one by one. Little-endian machines only.
 *
 *     an_safetensors *f = an_safetensors_open(path);
 *     an_tensor *w = an_safetensors_read(f, an_safetensors_find(f, "fc.weight"));
 *     an_safetensors_close(f); */
#ifndef AN_IO_SAFETENSORS_H
#define AN_IO_SAFETENSORS_H

#include "io/sha256.h"
#include "tensor/tensor.h"

/* The limits of a header, each with its own message. The largest takes less than 0.5 GB once
 * parsed. */
#define AN_SAFETENSORS_HEADER_MAX 100000000 /* bytes, the format's own limit              */
#define AN_SAFETENSORS_VALUES_MAX 1500000   /* JSON values, eight or more per tensor      */
#define AN_SAFETENSORS_LEVELS_MAX 8         /* nested; the format has three               */
#define AN_SAFETENSORS_TENSORS_MAX 100000
#define AN_SAFETENSORS_META_MAX 100000 /* keys of the metadata                     */

typedef struct an_safetensors an_safetensors;
typedef struct {
    const char *name;
    an_tensor *tensor;
    bool exact; /* float32 at every precision: numbers that are not weights */
} an_named;
typedef struct {
    const char *key, *value;
} an_pair;

typedef struct {
    const char *type; /* "F32", "BF16", … as the format names it         */
    int ndim;
    const int64_t *shape;
    int64_t offset, bytes; /* of the numbers, from the start of the file */
} an_place;

/* ── reading ────────────────────────────────────────────────────────────────── */
/* NULL after AN_ENOTFOUND, AN_EIO, AN_EFORMAT ("FILE: what is wrong") or AN_ENOMEM. */
an_safetensors *an_safetensors_open(const char *path);
void an_safetensors_close(an_safetensors *f); /* NULL is allowed */

int an_safetensors_count(const an_safetensors *f);
const char *an_safetensors_name(const an_safetensors *f, int i); /* 0 … count−1, in file order */
int an_safetensors_find(const an_safetensors *f, const char *name); /* −1 after AN_ENOTFOUND */
/* Tensor i < count as a new float32 or int64 tensor: F32 and I64 unchanged; F64, F16 and BF16
 * become float32. NULL after AN_EFORMAT (another type), AN_EIO, AN_ENOMEM; and for i < 0, so that
 * the result of an_safetensors_find() can be passed on. */
an_tensor *an_safetensors_read(an_safetensors *f, int i);
/* Where tensor i, 0 … count−1, is in the file, for a reader that maps it. Valid until f is
 * closed. */
an_place an_safetensors_place(const an_safetensors *f, int i);
/* The metadata's string under `key`, NULL if there is none. Valid until f is closed. */
const char *an_safetensors_meta(const an_safetensors *f, const char *key);
int an_safetensors_meta_count(const an_safetensors *f);
an_pair an_safetensors_meta_at(const an_safetensors *f, int i); /* 0 … count−1; O(1) */
/* The identity of the content: SHA-256 over names, types, shapes and bytes of all tensors, without
 * the metadata. Reads the whole file. */
an_code an_safetensors_content(an_safetensors *f, char hex[AN_SHA256_HEX]);

/* How float32 tensors are written: unchanged, or those of two or more dimensions in 16 bits,
 * rounded to the nearest, ties to even. Vectors (norms, biases, statistics) stay float32: they are
 * small, and variances may leave the range of float16. So does what is `exact`. */
typedef enum { AN_STORE_F32, AN_STORE_F16, AN_STORE_BF16 } an_store;

/* ── writing ────────────────────────────────────────────────────────────────── */
/* Replaces `path` as a whole (io/file_replace.h, AN_DURABLE), tensors sorted by name; the old file
 * is kept as `previous` [opt]. AN_EINVAL: two tensors with one name; AN_EIO, AN_ENOMEM. */
an_code an_safetensors_write(const char *path, const an_named *tensors, int n, const an_pair *meta,
                             int n_meta, const char *previous);
/* The same at a precision, while a second thread hashes what is written: `hex` receives the
 * content's identity, as an_safetensors_content() will return it. AN_EINVAL: a number that float16
 * cannot hold. `hex` may also be a value in `meta`, which then contains the identity. */
an_code an_safetensors_write_named(const char *path, const an_named *tensors, int n, an_store as,
                                   const an_pair *meta, int n_meta, char hex[AN_SHA256_HEX],
                                   const char *previous);

#endif
