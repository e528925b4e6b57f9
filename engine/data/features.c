/* features: see features.h. */
#include "data/features.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/narrow_float.h"
#include "data/npy.h"
#include "io/file.h"
#include "io/safetensors.h"

const char *const an_feature_type_names[] = {"float32", "float16", "bfloat16", "float64", NULL};

static const int width_of[] = {4, 2, 2, 8}; /* bytes per number, by an_feature_type */

/* ── opening ────────────────────────────────────────────────────────────────── */

/* Takes over a shape (n, D) or (n, N, D) of numbers that begin at `offset`. */
static an_code take_shape(an_features *f, int axes, const int64_t *shape, int64_t offset)
{
    if (axes != 2 && axes != 3)
        return an_fail(AN_EFORMAT,
                       "%s: an array of %d axes; (images, width) or (images, tokens, width) is "
                       "expected",
                       f->path, axes);
    f->n = shape[0], f->tokens = axes == 3 ? shape[1] : 1, f->width = shape[axes - 1];
    if (f->n < 1 || f->tokens < 1 || f->width < 1)
        return an_fail(AN_EFORMAT, "%s: an array without numbers, %lldx%lldx%lld", f->path,
                       (long long)f->n, (long long)f->tokens, (long long)f->width);
    if (f->n > AN_FEATURE_ROWS || f->tokens > AN_FEATURE_TOKENS || f->width > AN_FEATURE_WIDTH ||
        f->tokens * f->width > AN_FEATURE_NUMBERS)
        return an_fail(AN_EFORMAT,
                       "%s: %lld images of %lld tokens of %lld numbers; at most %ld images of %d "
                       "tokens of %d numbers, and %d numbers an image",
                       f->path, (long long)f->n, (long long)f->tokens, (long long)f->width,
                       AN_FEATURE_ROWS, AN_FEATURE_TOKENS, AN_FEATURE_WIDTH, AN_FEATURE_NUMBERS);
    int64_t bytes = f->n * f->tokens * f->width * width_of[f->type]; /* below 2^50 */
    if (offset > (int64_t)f->mapped || bytes > (int64_t)f->mapped - offset)
        return an_fail(AN_EFORMAT,
                       "%s: truncated: %lld bytes of numbers are missing (copy it again)", f->path,
                       (long long)(bytes - ((int64_t)f->mapped - offset)));
    f->values = (const uint8_t *)f->map + offset;
    return AN_OK;
}

static an_code open_npy(an_features *f)
{
    an_npy npy;
    an_code code = an_npy_parse_floats(f->map, f->mapped, &npy, f->path);
    if (code != AN_OK)
        return code;
    f->type = npy.bytes == 4 ? AN_FEATURE_F32 : npy.bytes == 2 ? AN_FEATURE_F16 : AN_FEATURE_F64;
    return take_shape(f, npy.axes, npy.shape, npy.header);
}

static an_code check_type(an_features *f, const an_place *at)
{
    static const char *const names[] = {"F32", "F16", "BF16", "F64"};
    for (int type = 0; type < 4; type++)
        if (strcmp(at->type, names[type]) == 0)
            return f->type = (an_feature_type)type, AN_OK;
    return an_fail(AN_EFORMAT,
                   "%s: the tensor features has numbers of type %s; F32, F16, BF16 or F64 is "
                   "expected",
                   f->path, at->type);
}

/* The integers of the tensor "ids" as text, one id per line. */
static an_code take_numbers(an_features *f, const an_place *at)
{
    enum { LONGEST = 21 }; /* "-9223372036854775808\n" */
    if (strcmp(at->type, "I64") != 0 || at->ndim != 1 || at->shape[0] != f->n)
        return an_fail(AN_EFORMAT,
                       "%s: the tensor ids is not %lld whole numbers (I64); ids that are text go "
                       "into the metadata, an id per line",
                       f->path, (long long)f->n);
    if (at->offset + at->bytes > (int64_t)f->mapped)
        return an_fail(AN_EFORMAT, "%s: truncated", f->path);
    f->ids = an_alloc((size_t)f->n * LONGEST + 1);
    if (!f->ids)
        return AN_ENOMEM;
    char *to = f->ids;
    for (int64_t i = 0; i < f->n; i++) {
        int64_t id;
        memcpy(&id, (const uint8_t *)f->map + at->offset + i * 8, sizeof id);
        to += snprintf(to, LONGEST + 1, i ? "\n%" PRId64 : "%" PRId64, id);
    }
    return AN_OK;
}

static an_code take_ids(an_features *f, an_safetensors *file)
{
    const char *text = an_safetensors_meta(file, "ids");
    if (text) {
        f->ids = an_strdup(text);
        return f->ids ? AN_OK : AN_ENOMEM;
    }
    for (int i = 0; i < an_safetensors_count(file); i++) {
        an_place at = an_safetensors_place(file, i);
        if (strcmp(an_safetensors_name(file, i), "ids") == 0)
            return take_numbers(f, &at);
    }
    return AN_OK;
}

/* The tensor "features", or the only one; −1 after AN_EFORMAT. */
static int find_features(const an_features *f, const an_safetensors *file)
{
    int count = an_safetensors_count(file), at = -1, others = 0;
    for (int i = 0; i < count; i++) {
        const char *name = an_safetensors_name(file, i);
        if (strcmp(name, "features") == 0)
            return i;
        if (strcmp(name, "ids") != 0)
            at = i, others++;
    }
    if (others == 1)
        return at;
    an_fail(AN_EFORMAT, "%s: none of its %d tensors is called features", f->path, count);
    return -1;
}

static an_code open_safetensors(an_features *f)
{
    an_safetensors *file = an_safetensors_open(f->path);
    if (!file)
        return an_err_code();
    int i = find_features(f, file);
    an_code code = i < 0 ? AN_EFORMAT : AN_OK;
    if (code == AN_OK) {
        an_place at = an_safetensors_place(file, i);
        code = check_type(f, &at);
        if (code == AN_OK)
            code = take_shape(f, at.ndim, at.shape, at.offset);
    }
    if (code == AN_OK)
        code = take_ids(f, file);
    an_safetensors_close(file);
    if (code == AN_OK && !an_file_is_at(f->file, f->path)) /* the header may be another file's */
        code = an_fail(AN_EFORMAT, "%s was replaced while it was opened", f->path);
    return code;
}

static bool begins_as_npy(const an_features *f)
{
    return f->mapped >= 6 && memcmp(f->map, "\x93NUMPY", 6) == 0;
}

/* Identifies what other programs write for the same purpose, so that the message can name a
 * remedy. */
static const char *foreign(const an_features *f)
{
    const uint8_t *start = f->map;
    if (f->mapped >= 4 && memcmp(start, "PK\3\4", 4) == 0)
        return "a zip archive (.npz, .pt or .pth)";
    if (f->mapped >= 8 && memcmp(start, "\x89HDF\r\n\x1a\n", 8) == 0)
        return "an HDF5 file";
    if (f->mapped >= 2 && start[0] == 0x80 && start[1] <= 5)
        return "a pickle";
    return NULL;
}

static an_code open_mapped(an_features *f)
{
    if (begins_as_npy(f))
        return open_npy(f);
    const char *what = foreign(f);
    if (what)
        return an_fail(AN_EFORMAT,
                       "%s: %s; save the array as .safetensors (tensor features) or as .npy",
                       f->path, what);
    return open_safetensors(f);
}

static const char advice[] =
    "put it back as it was, and aniso resume continues a run from its last checkpoint";

an_code an_features_open(an_features *f, const char *path)
{
    *f = (an_features){.path = an_strdup(path)};
    if (!f->path)
        return AN_ENOMEM;
    an_code code = an_file_open(path, AN_FILE_READ, &f->file);
    if (code == AN_OK) {
        f->version = an_file_version_of(f->file);
        code = an_file_map(f->file, path, advice, &f->map, &f->mapped);
        if (code != AN_OK)
            an_file_close(f->file);
    }
    if (code == AN_OK)
        code = open_mapped(f);
    if (code != AN_OK)
        an_features_close(f);
    return code;
}

an_code an_features_unchanged(const an_features *f)
{
    an_file_version now = an_file_version_of(f->file);
    if (now.size == f->version.size && now.seconds == f->version.seconds &&
        now.nanoseconds == f->version.nanoseconds)
        return AN_OK;
    return an_fail(AN_EFORMAT, "%s was written to while it was in use; %s", f->path, advice);
}

void an_features_close(an_features *f)
{
    if (f->map) {
        an_file_unmap(f->map, f->mapped);
        an_file_close(f->file);
    }
    an_free(f->ids);
    an_free(f->path);
    *f = (an_features){0};
}

/* ── rows ───────────────────────────────────────────────────────────────────── */

static const uint8_t *row_at(const an_features *f, int64_t row)
{
    AN_ASSERT(f->values && row >= 0 && row < f->n);
    return f->values + row * f->tokens * f->width * width_of[f->type];
}

/* The numbers may have any alignment, because a header may have any length. */
static void convert(const an_features *f, const uint8_t *from, int64_t count, float *out)
{
    uint16_t half;
    double wide;
    switch (f->type) {
    case AN_FEATURE_F32:
        memcpy(out, from, (size_t)count * sizeof *out);
        return;
    case AN_FEATURE_F16:
        for (int64_t i = 0; i < count; i++)
            memcpy(&half, from + 2 * i, 2), out[i] = an_from_f16(half);
        return;
    case AN_FEATURE_BF16:
        for (int64_t i = 0; i < count; i++)
            memcpy(&half, from + 2 * i, 2), out[i] = an_from_bf16(half);
        return;
    default:
        for (int64_t i = 0; i < count; i++)
            memcpy(&wide, from + 8 * i, 8), out[i] = (float)wide;
    }
}

bool an_features_take_token(const an_features *f, int64_t row, int64_t token, float *out)
{
    AN_ASSERT(token >= 0 && token < f->tokens);
    int finite = 1;
    convert(f, row_at(f, row) + token * f->width * width_of[f->type], f->width, out);
    for (int64_t i = 0; i < f->width; i++)
        finite &= fabsf(out[i]) <= FLT_MAX; /* false for NaN */
    return finite;
}

bool an_features_take(const an_features *f, int64_t row, float *out)
{
    bool finite = true;
    for (int64_t t = 0; t < f->tokens; t++)
        finite &= an_features_take_token(f, row, t, out + t * f->width);
    return finite;
}

void an_features_hash(const an_features *f, int64_t row, char hex[AN_SHA256_HEX])
{
    char form[80];
    int64_t count = f->tokens * f->width;
    int length = snprintf(form, sizeof form, "%s %lld %lld", an_feature_type_names[f->type],
                          (long long)f->tokens, (long long)f->width);
    an_sha256 hash;
    an_sha256_init(&hash);
    an_sha256_update(&hash, form, (size_t)length + 1);
    an_sha256_update(&hash, row_at(f, row), (size_t)(count * width_of[f->type]));
    an_sha256_hex(&hash, hex);
}

bool an_features_row(const an_features *f, int64_t row, const float *mean, const float *std,
                     float *out)
{
    bool finite = an_features_take(f, row, out);
    for (int64_t t = 0; t < f->tokens; t++, out += f->width)
        for (int64_t d = 0; d < f->width; d++)
            out[d] = (out[d] - mean[d]) / std[d];
    return finite;
}
