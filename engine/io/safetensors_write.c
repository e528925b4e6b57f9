/* safetensors_write: sort by name → header → replace the file as a whole. Tensors that are not
 * contiguous are copied, one at a time; the others are written from their own memory. The content's
 * hash is available only at the end, so the header that contains it is written twice. */
#include "io/safetensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/memory/mem.h"
#include "base/par.h"
#include "io/file_replace.h"
#include "io/json.h"
#include "io/safetensors_format.h"
#include "base/narrow_float.h"
#include "tensor/scope.h"

typedef struct {
    entry e;
    an_tensor *tensor;
    an_store as;
} item;

static an_store kept_as(const an_named *one, an_store as)
{
    bool narrow = one->tensor->dtype == AN_F32 && one->tensor->ndim >= 2 && !one->exact;
    return narrow ? as : AN_STORE_F32;
}

/* Bytes per element in the file. */
static size_t width_of(const item *one)
{
    if (one->as != AN_STORE_F32)
        return sizeof(uint16_t);
    return one->tensor->dtype == AN_I64 ? sizeof(int64_t) : sizeof(float);
}

static const char *type_of(const item *one)
{
    static const char *const narrow[] = {"F32", "F16", "BF16"};
    return one->tensor->dtype == AN_I64 ? "I64" : narrow[one->as];
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const item *)a)->e.name, ((const item *)b)->e.name);
}

/* The entries in order of name, with their offsets; NULL after a failure. */
static item *sorted(const an_named *tensors, int n, an_store as)
{
    item *items = an_calloc((size_t)n + 1, sizeof *items);
    if (!items)
        return NULL;
    for (int i = 0; i < n; i++) {
        an_tensor *x = tensors[i].tensor;
        items[i] = (item){.tensor = x, .as = kept_as(&tensors[i], as)};
        items[i].e = (entry){.name = tensors[i].name, .ndim = x->ndim};
        items[i].e.dtype = type_of(&items[i]);
        memcpy(items[i].e.shape, x->shape, sizeof x->shape);
    }
    qsort(items, (size_t)n, sizeof *items, by_name);
    int64_t used = 0;
    for (int i = 0; i < n; i++) {
        const char *name = items[i].e.name;
        if ((i && strcmp(items[i - 1].e.name, name) == 0) || !strcmp(name, AN_SAFETENSORS_META))
            return an_free(items), an_fail(AN_EINVAL, "two tensors cannot be named %s", name), NULL;
        items[i].e.begin = used;
        used += an_numel(items[i].tensor) * (int64_t)width_of(&items[i]);
        items[i].e.end = used;
    }
    return items;
}

static cJSON *numbers(const int64_t *values, int n)
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; list && i < n; i++)
        if (!cJSON_AddItemToArray(list, cJSON_CreateNumber((double)values[i])))
            return cJSON_Delete(list), NULL;
    return list;
}

static bool add_entry(cJSON *header, const entry *e)
{
    cJSON *table = cJSON_AddObjectToObject(header, e->name);
    return table && cJSON_AddStringToObject(table, "dtype", e->dtype) &&
           cJSON_AddItemToObject(table, "shape", numbers(e->shape, e->ndim)) &&
           cJSON_AddItemToObject(table, "data_offsets", numbers((int64_t[]){e->begin, e->end}, 2));
}

/* The header's text, padded with spaces so that the data start on a multiple of 8. */
static char *header_text(const item *items, int n, const an_pair *meta, int n_meta, size_t *size)
{
    cJSON *header = an_json_object();
    if (!header)
        return NULL;
    bool good = true;
    cJSON *table = n_meta ? cJSON_AddObjectToObject(header, AN_SAFETENSORS_META) : NULL;
    for (int i = 0; good && i < n_meta; i++)
        good = cJSON_AddStringToObject(table, meta[i].key, meta[i].value) != NULL;
    for (int i = 0; good && i < n; i++)
        good = add_entry(header, &items[i].e);
    char *text = good ? cJSON_PrintUnformatted(header) : NULL;
    cJSON_Delete(header);
    if (!text)
        return an_fail(AN_ENOMEM, "no memory for the header of %d tensors", n), NULL;
    size_t length = strlen(text);
    *size = (length + 7) / 8 * 8;
    char *padded = an_realloc(text, *size + 1);
    if (!padded)
        return an_free(text), NULL;
    memset(padded + length, ' ', *size - length);
    return padded;
}

/* Where the bytes of a tensor go: to the file or to the hash. */
typedef an_code (*sink)(void *to, const void *data, size_t bytes);

static an_code to_file(void *to, const void *data, size_t bytes)
{
    return an_replace_write(to, data, bytes);
}

static an_code to_hash(void *to, const void *data, size_t bytes)
{
    an_sha256_update(to, data, bytes);
    return AN_OK;
}

/* AN_EINVAL if a finite number becomes infinite in float16. */
static an_code write_narrow(const item *one, const float *from, int64_t n, sink write_to, void *to)
{
    enum { AT_ONCE = 4096 };
    uint16_t piece[AT_ONCE];
    an_code code = AN_OK;
    for (int64_t i = 0; code == AN_OK && i < n; i += AT_ONCE) {
        const int64_t count = an_min(n - i, AT_ONCE);
        for (int64_t j = 0; j < count; j++) {
            const float x = from[i + j];
            if (one->as == AN_STORE_F16 && fabsf(x) >= AN_F16_END && isfinite(x))
                return an_fail(AN_EINVAL, "%s has the number %g, which float16 cannot hold",
                               one->e.name, (double)x);
            piece[j] = one->as == AN_STORE_F16 ? an_to_f16(x) : an_to_bf16(x);
        }
        code = write_to(to, piece, (size_t)count * sizeof *piece);
    }
    return code;
}

/* Writes a contiguous tensor's elements as an item stores them. */
static an_code write_elements(const item *one, const an_tensor *x, sink write_to, void *to)
{
    const size_t width = x->dtype == AN_I64 ? sizeof(int64_t) : sizeof(float);
    const char *data = (const char *)x->storage->data + (size_t)x->offset * width;
    if (one->as != AN_STORE_F32)
        return write_narrow(one, an_f32(x), an_numel(x), write_to, to);
    return write_to(to, data, (size_t)an_numel(x) * width);
}

static an_code write_bytes(const item *one, sink write_to, void *to)
{
    an_tensor *x = one->tensor;
    if (an_is_contiguous(x))
        return write_elements(one, x, write_to, to);
    size_t mark = an_scope_begin();
    an_tensor *copy = an_tensor_new(x->dtype, x->ndim, x->shape);
    an_code code = copy ? an_copy(copy, x) : AN_ENOMEM;
    if (code == AN_OK)
        code = write_elements(one, copy, write_to, to);
    an_scope_end(mark, NULL);
    return code;
}

/* Hashes names, types, shapes and bytes. */
static an_code hash_all(char hex[AN_SHA256_HEX], const item *items, int n)
{
    an_sha256 hash;
    an_code code = AN_OK;
    an_sha256_init(&hash);
    for (int i = 0; code == AN_OK && i < n; i++) {
        an_safetensors_hash_entry(&hash, &items[i].e);
        code = write_bytes(&items[i], to_hash, &hash);
    }
    an_sha256_hex(&hash, hex);
    return code;
}

static an_code write_tensors(an_replace *r, const item *items, int n)
{
    an_code code = AN_OK;
    for (int i = 0; code == AN_OK && i < n; i++)
        code = write_bytes(&items[i], to_file, r);
    return code;
}

/* The calling thread writes, because errors are per thread; another one hashes, if there is one.
 * The tensors are contiguous, because a copy would allocate memory on the second thread. */
static an_code write_and_hash(an_replace *r, const item *items, int n, char hex[AN_SHA256_HEX])
{
    an_code code = AN_OK;
#pragma omp parallel num_threads(an_threads())
    {
#pragma omp master
        code = write_tensors(r, items, n);
#pragma omp single nowait
        hash_all(hex, items, n);
    }
    return code;
}

static bool all_contiguous(const item *items, int n)
{
    for (int i = 0; i < n; i++)
        if (!an_is_contiguous(items[i].tensor))
            return false;
    return true;
}

static an_code write_header(an_replace *r, const item *items, int n, const an_pair *meta,
                            int n_meta)
{
    size_t size = 0;
    char *header = header_text(items, n, meta, n_meta, &size);
    if (!header)
        return an_err_code();
    uint64_t length = size;
    an_code code = an_replace_write(r, &length, sizeof length);
    if (code == AN_OK)
        code = an_replace_write(r, header, size);
    an_free(header);
    return code;
}

/* Writes the header with zeros as the content's hash, the tensors, and the header again with the
 * hash. */
static an_code write_named(an_replace *r, const item *items, int n, const an_pair *meta, int n_meta,
                           char *hex)
{
    memset(hex, '0', AN_SHA256_HEX - 1);
    hex[AN_SHA256_HEX - 1] = 0;
    an_code code = write_header(r, items, n, meta, n_meta);
    if (code == AN_OK)
        code = write_and_hash(r, items, n, hex);
    if (code == AN_OK)
        code = an_replace_rewind(r);
    return code == AN_OK ? write_header(r, items, n, meta, n_meta) : code;
}

/* hex NULL: the content is not hashed. Where the header cannot be written twice, or a tensor is not
 * contiguous, the content is hashed first. */
static an_code write_all(an_replace *r, const item *items, int n, const an_pair *meta, int n_meta,
                         char *hex)
{
    if (hex && all_contiguous(items, n) && an_replace_seekable(r))
        return write_named(r, items, n, meta, n_meta, hex);
    an_code code = hex ? hash_all(hex, items, n) : AN_OK;
    if (code == AN_OK)
        code = write_header(r, items, n, meta, n_meta);
    return code == AN_OK ? write_tensors(r, items, n) : code;
}

an_code an_safetensors_write_named(const char *path, const an_named *tensors, int n, an_store as,
                                   const an_pair *meta, int n_meta, char hex[AN_SHA256_HEX],
                                   const char *previous)
{
    AN_ASSERT(n >= 0 && n_meta >= 0);
    an_replace r;
    item *items = sorted(tensors, n, as);
    if (!items)
        return an_err_code();
    an_code code = an_replace_begin(&r, path, AN_DURABLE);
    if (code == AN_OK) {
        code = write_all(&r, items, n, meta, n_meta, hex);
        if (code == AN_OK)
            code = an_replace_commit(&r, previous);
        else
            an_replace_abort(&r);
    }
    an_free(items);
    return code;
}

an_code an_safetensors_write(const char *path, const an_named *tensors, int n, const an_pair *meta,
                             int n_meta, const char *previous)
{
    return an_safetensors_write_named(path, tensors, n, AN_STORE_F32, meta, n_meta, NULL, previous);
}
