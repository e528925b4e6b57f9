/* safetensors: reading. Opening reads the header; a tensor is read on request.
 *
 * open: length → JSON → one entry per tensor, each checked by itself (type, shape, size) → all
 * entries sorted by offset and checked together (no gap, no overlap, no byte left). */
#include "io/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/memory/mem.h"
#include "base/narrow_float.h"
#include "base/stop.h"
#include "base/utf8.h"
#include "io/file.h"
#include "io/json.h"
#include "io/safetensors_format.h"

#define LARGEST ((int64_t)1 << 53) /* JSON numbers represent every integer up to here */

struct an_safetensors {
    char *path;
    int file;
    int64_t data; /* offset of the tensors' bytes in the file */
    int64_t data_bytes;
    cJSON *header;
    int n;
    entry *entries;
    int n_meta;
    an_pair *meta; /* owned by the header's JSON */
};

static const struct {
    const char *name;
    int bytes;
} dtypes[] = {
    {"F32", 4}, {"I64", 8}, {"F64", 8},  {"F16", 2}, {"BF16", 2}, {"I32", 4}, {"I16", 2},
    {"I8", 1},  {"U8", 1},  {"BOOL", 1}, {"U16", 2}, {"U32", 4},  {"U64", 8},
};

static const char *find_dtype(const cJSON *item, int *bytes)
{
    const char *name = cJSON_GetStringValue(item);
    for (size_t i = 0; name && i < sizeof dtypes / sizeof *dtypes; i++)
        if (strcmp(dtypes[i].name, name) == 0)
            return *bytes = dtypes[i].bytes, dtypes[i].name;
    return NULL;
}

/* ── opening ────────────────────────────────────────────────────────────────── */

/* In pieces, because a tensor may take gigabytes. */
static an_code read_at(an_safetensors *f, void *to, int64_t bytes, int64_t offset)
{
    const int64_t most = (int64_t)32 << 20;
    an_code code = an_stop_check();
    for (int64_t done = 0; code == AN_OK && done < bytes; done += most) {
        size_t count = (size_t)an_min(most, bytes - done);
        code = an_file_read_at(f->file, (char *)to + done, count, offset + done, f->path);
        if (code == AN_OK)
            code = an_stop_check();
    }
    return code;
}

static an_code read_shape(an_safetensors *f, const cJSON *shape, entry *e, int64_t *numel)
{
    const cJSON *size;
    int64_t extent = 1; /* product of the non-zero sizes, as in the strides of an empty tensor */
    *numel = 1;
    if (!cJSON_IsArray(shape))
        return an_fail(AN_EFORMAT, "%s: tensor %.80s has no shape", f->path, e->name);
    cJSON_ArrayForEach(size, shape)
    {
        int64_t d;
        if (e->ndim == AN_MAX_DIMS)
            return an_fail(AN_EFORMAT, "%s: tensor %.80s has more than %d dimensions", f->path,
                           e->name, AN_MAX_DIMS);
        if (!an_json_count(size, LARGEST, &d) || __builtin_mul_overflow(extent, d ? d : 1, &extent))
            return an_fail(AN_EFORMAT, "%s: tensor %.80s has an impossible shape", f->path,
                           e->name);
        e->shape[e->ndim++] = d;
        *numel *= d;
    }
    return AN_OK;
}

static an_code read_entry(an_safetensors *f, const cJSON *item, entry *e)
{
    int width = 0;
    int64_t numel, bytes;
    e->name = item->string;
    if (!an_utf8_valid(e->name))
        return an_fail(AN_EFORMAT, "%s: the name of a tensor is not UTF-8", f->path);
    an_code keys = an_safetensors_check_keys(item, f->path);
    if (keys != AN_OK)
        return keys;
    e->dtype = find_dtype(cJSON_GetObjectItemCaseSensitive(item, "dtype"), &width);
    if (!e->dtype)
        return an_fail(AN_EFORMAT, "%s: tensor %.80s has an unknown type", f->path, e->name);
    an_code code = read_shape(f, cJSON_GetObjectItemCaseSensitive(item, "shape"), e, &numel);
    if (code != AN_OK)
        return code;
    const cJSON *at = cJSON_GetObjectItemCaseSensitive(item, "data_offsets");
    if (cJSON_GetArraySize(at) != 2 ||
        !an_json_count(cJSON_GetArrayItem(at, 0), f->data_bytes, &e->begin) ||
        !an_json_count(cJSON_GetArrayItem(at, 1), f->data_bytes, &e->end) || e->begin > e->end)
        return an_fail(AN_EFORMAT, "%s: tensor %.80s is outside the file (a truncated copy?)",
                       f->path, e->name);
    if (__builtin_mul_overflow(numel, (int64_t)width, &bytes) || bytes != e->end - e->begin)
        return an_fail(AN_EFORMAT, "%s: the size of tensor %.80s does not fit its shape", f->path,
                       e->name);
    return AN_OK;
}

static int by_offset(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

static an_code check_together(an_safetensors *f)
{
    qsort(f->entries, (size_t)f->n, sizeof *f->entries, by_name);
    for (int i = 1; i < f->n; i++)
        if (strcmp(f->entries[i - 1].name, f->entries[i].name) == 0)
            return an_fail(AN_EFORMAT, "%s: two tensors are named %.80s", f->path,
                           f->entries[i].name);
    qsort(f->entries, (size_t)f->n, sizeof *f->entries, by_offset);
    int64_t used = 0;
    for (int i = 0; i < f->n; i++) {
        if (f->entries[i].begin != used)
            return an_fail(AN_EFORMAT, "%s: tensor %.80s leaves a hole or overlaps", f->path,
                           f->entries[i].name);
        used = f->entries[i].end;
    }
    if (used != f->data_bytes)
        return an_fail(AN_EFORMAT, "%s: %lld bytes belong to no tensor", f->path,
                       (long long)(f->data_bytes - used));
    return AN_OK;
}

static an_code read_meta(an_safetensors *f, const cJSON *meta)
{
    const cJSON *item;
    if (f->meta)
        return an_fail(AN_EFORMAT, "%s: its '" AN_SAFETENSORS_META "' is there twice", f->path);
    if (cJSON_IsNull(meta)) /* like the format's own reader: no metadata */
        return AN_OK;
    if (!cJSON_IsObject(meta))
        return an_fail(AN_EFORMAT, "%s: its metadata is not a table", f->path);
    int keys = cJSON_GetArraySize(meta);
    if (keys > AN_SAFETENSORS_META_MAX)
        return an_fail(AN_EFORMAT, "%s: %d keys of metadata, more than the limit of %d", f->path,
                       keys, AN_SAFETENSORS_META_MAX);
    f->meta = an_calloc((size_t)keys + 1, sizeof *f->meta);
    if (!f->meta)
        return AN_ENOMEM;
    cJSON_ArrayForEach(item, meta)
    {
        if (!cJSON_IsString(item))
            return an_fail(AN_EFORMAT, "%s: metadata %.80s is not text", f->path, item->string);
        f->meta[f->n_meta++] = (an_pair){item->string, item->valuestring};
    }
    return AN_OK;
}

static an_code read_entries(an_safetensors *f)
{
    if (!cJSON_IsObject(f->header))
        return an_fail(AN_EFORMAT, "%s: its header is not a table of tensors", f->path);
    int n = cJSON_GetArraySize(f->header);
    if (n > AN_SAFETENSORS_TENSORS_MAX + 1) /* the metadata is one of them */
        return an_fail(AN_EFORMAT, "%s: %d tensors, more than the limit of %d", f->path, n,
                       AN_SAFETENSORS_TENSORS_MAX);
    f->entries = an_calloc((size_t)n + 1, sizeof *f->entries);
    if (!f->entries)
        return AN_ENOMEM;
    const cJSON *item;
    cJSON_ArrayForEach(item, f->header)
    {
        bool is_meta = strcmp(item->string, AN_SAFETENSORS_META) == 0;
        an_code code = is_meta ? read_meta(f, item) : read_entry(f, item, &f->entries[f->n]);
        if (code != AN_OK)
            return code;
        f->n += !is_meta;
    }
    return check_together(f);
}

/* A file whose first eight bytes are not the length of a header. */
static an_code refuse_start(const an_safetensors *f, uint64_t start)
{
    const uint8_t *bytes = (const uint8_t *)&start;
    const bool is_zip = memcmp(bytes, "PK\3\4", 4) == 0,
               is_pickle = bytes[0] == 0x80 && bytes[1] < 6;
    if (is_zip || is_pickle)
        return an_fail(AN_EFORMAT,
                       "%s is a %s, as PyTorch saves weights, and not a safetensors file; "
                       "engine/model/README.md has the lines that convert one",
                       f->path, is_zip ? "zip archive" : "pickle");
    return an_fail(AN_EFORMAT, "%s is not a safetensors file, or its start is damaged", f->path);
}

static an_code read_header(an_safetensors *f)
{
    int64_t size;
    uint64_t length;
    an_code code = an_file_size(f->file, &size, f->path);
    if (code != AN_OK)
        return code;
    if (size < 8)
        return an_fail(AN_EFORMAT, "%s is not a safetensors file (too short)", f->path);
    code = read_at(f, &length, sizeof length, 0);
    if (code != AN_OK)
        return code;
    if (length > AN_SAFETENSORS_HEADER_MAX || (int64_t)length > size - 8)
        return refuse_start(f, length);
    f->data = 8 + (int64_t)length;
    f->data_bytes = size - f->data;
    char *text = an_alloc((size_t)length + 1);
    if (!text)
        return AN_ENOMEM;
    code = read_at(f, text, (int64_t)length, 8);
    if (code == AN_OK && !(f->header = an_safetensors_parse(text, (size_t)length, f->path)))
        code = an_err_code();
    an_free(text);
    return code == AN_OK ? read_entries(f) : code;
}

an_safetensors *an_safetensors_open(const char *path)
{
    an_safetensors *f = an_calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->file = -1;
    f->path = an_strdup(path);
    if (!f->path)
        return an_safetensors_close(f), NULL;
    if (an_file_open(path, AN_FILE_READ, &f->file) != AN_OK || read_header(f) != AN_OK)
        return an_safetensors_close(f), NULL;
    return f;
}

void an_safetensors_close(an_safetensors *f)
{
    if (!f)
        return;
    an_file_close(f->file);
    cJSON_Delete(f->header);
    an_free(f->entries);
    an_free(f->meta);
    an_free(f->path);
    an_free(f);
}

/* ── contents ─────────────────────────────────────────────────────────────────── */

int an_safetensors_count(const an_safetensors *f)
{
    return f->n;
}

const char *an_safetensors_name(const an_safetensors *f, int i)
{
    AN_ASSERT(i >= 0 && i < f->n);
    return f->entries[i].name;
}

int an_safetensors_find(const an_safetensors *f, const char *name)
{
    for (int i = 0; i < f->n; i++)
        if (strcmp(f->entries[i].name, name) == 0)
            return i;
    an_fail(AN_ENOTFOUND, "%s has no tensor %s", f->path, name);
    return -1;
}

const char *an_safetensors_meta(const an_safetensors *f, const char *key)
{
    for (int i = 0; i < f->n_meta; i++)
        if (strcmp(f->meta[i].key, key) == 0)
            return f->meta[i].value;
    return NULL;
}

int an_safetensors_meta_count(const an_safetensors *f)
{
    return f->n_meta;
}

an_pair an_safetensors_meta_at(const an_safetensors *f, int i)
{
    AN_ASSERT(i >= 0 && i < f->n_meta);
    return f->meta[i];
}

an_place an_safetensors_place(const an_safetensors *f, int i)
{
    AN_ASSERT(i >= 0 && i < f->n);
    const entry *e = &f->entries[i];
    return (an_place){.type = e->dtype,
                      .ndim = e->ndim,
                      .shape = e->shape,
                      .offset = f->data + e->begin,
                      .bytes = e->end - e->begin};
}

/* ── reading a tensor ───────────────────────────────────────────────────────── */

static float convert(const char *dtype, const unsigned char *at)
{
    double d;
    uint16_t h;
    if (strcmp(dtype, "F64") == 0)
        return memcpy(&d, at, sizeof d), (float)d;
    memcpy(&h, at, sizeof h);
    return strcmp(dtype, "F16") == 0 ? an_from_f16(h) : an_from_bf16(h);
}

static an_code read_converted(an_safetensors *f, const entry *e, an_tensor *x)
{
    int width = strcmp(e->dtype, "F64") == 0 ? 8 : 2;
    unsigned char piece[8192];
    int64_t left = e->end - e->begin, at = f->data + e->begin;
    for (float *to = an_f32(x); left > 0;) {
        int64_t bytes = left < (int64_t)sizeof piece ? left : (int64_t)sizeof piece;
        an_code code = read_at(f, piece, bytes, at);
        if (code != AN_OK)
            return code;
        for (int64_t i = 0; i < bytes; i += width)
            *to++ = convert(e->dtype, piece + i);
        left -= bytes;
        at += bytes;
    }
    return AN_OK;
}

an_tensor *an_safetensors_read(an_safetensors *f, int i)
{
    AN_ASSERT(i < f->n);
    if (i < 0)
        return NULL;
    const entry *e = &f->entries[i];
    bool f32 = strcmp(e->dtype, "F32") == 0, i64 = strcmp(e->dtype, "I64") == 0;
    bool converted = strcmp(e->dtype, "F64") == 0 || strcmp(e->dtype, "F16") == 0 ||
                     strcmp(e->dtype, "BF16") == 0;
    if (!f32 && !i64 && !converted)
        return an_fail(AN_EFORMAT, "%s: tensor %.80s has type %s; floats and I64 can be read",
                       f->path, e->name, e->dtype),
               NULL;
    an_tensor *x = an_tensor_new(i64 ? AN_I64 : AN_F32, e->ndim, e->shape);
    if (!x)
        return NULL;
    an_code code;
    if (f32 || i64)
        code = read_at(f, x->storage->data, e->end - e->begin, f->data + e->begin);
    else
        code = read_converted(f, e, x);
    return code == AN_OK ? x : NULL;
}

/* ── the identity of the content ────────────────────────────────────────────────── */

an_code an_safetensors_content(an_safetensors *f, char hex[AN_SHA256_HEX])
{
    an_sha256 hash;
    unsigned char piece[65536];
    an_sha256_init(&hash);
    for (int i = 0; i < f->n; i++) {
        const entry *e = &f->entries[i];
        an_safetensors_hash_entry(&hash, e);
        for (int64_t at = e->begin; at < e->end;) {
            int64_t left = e->end - at;
            int64_t bytes = left < (int64_t)sizeof piece ? left : (int64_t)sizeof piece;
            an_code code = read_at(f, piece, bytes, f->data + at);
            if (code != AN_OK)
                return code;
            an_sha256_update(&hash, piece, (size_t)bytes);
            at += bytes;
        }
    }
    an_sha256_hex(&hash, hex);
    return AN_OK;
}
