/* features: a file of feature vectors that another program computed, one row per image:
 * (n, D) or (n, N, D), N tokens of D numbers each.
 *
 * The file is mapped, not read; a row is converted to float32 on use. It is a safetensors file with
 * a tensor "features" (F32, F16, BF16 or F64), or a .npy file (float32, float16 or float64); its
 * first bytes decide which. Only a safetensors file can hold row ids: text under "ids" in its
 * metadata, one id per line, or a tensor "ids" of n integers (I64). The file is untrusted: sizes
 * are checked at opening, and each row is checked for non-finite numbers on use. A file that is
 * truncated while it is mapped ends the process with a message (io/map_guard.h). */
#ifndef AN_DATA_FEATURES_H
#define AN_DATA_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/file.h"
#include "io/sha256.h"

#define AN_FEATURE_ROWS 10000000L  /* the largest n     */
#define AN_FEATURE_TOKENS 16384    /* the largest N     */
#define AN_FEATURE_WIDTH 65536     /* the largest D     */
#define AN_FEATURE_NUMBERS 4194304 /* largest N·D       */

typedef enum { AN_FEATURE_F32, AN_FEATURE_F16, AN_FEATURE_BF16, AN_FEATURE_F64 } an_feature_type;
extern const char *const an_feature_type_names[]; /* "float32", "float16", "bfloat16", "float64" */

typedef struct an_features {
    char *path;
    const void *map; /* of the file */
    size_t mapped;   /* bytes       */
    int file;        /* open while it is mapped */
    an_file_version version;
    const uint8_t *values; /* (n, tokens, width) of `type`, of any alignment; NULL: closed */
    an_feature_type type;
    int64_t n, tokens, width; /* tokens: 1 for an array (n, D) */
    char *ids;                /* text, one id per line; NULL: the file has none */
} an_features;

/* Opens a file into an empty struct; after a failure it is closed. AN_ENOTFOUND, AN_EIO;
 * AN_EFORMAT: "FILE: what is wrong". */
an_code an_features_open(an_features *f, const char *path);
void an_features_close(an_features *f); /* a closed one stays closed */

/* AN_EFORMAT: the file was written to after it was opened, so its rows may not be those that were
 * checked. A file that was replaced by another one with its name stays open unchanged. */
an_code an_features_unchanged(const an_features *f);

/* Row 0 … n−1 as tokens·width numbers; false if one of them is not finite in float32. */
bool an_features_take(const an_features *f, int64_t row, float *out);

/* The same for token 0 … tokens−1 of a row, `width` numbers. */
bool an_features_take_token(const an_features *f, int64_t row, int64_t token, float *out);

/* The identity of a row: SHA-256 over type, tokens, width and its bytes. */
void an_features_hash(const an_features *f, int64_t row, char hex[AN_SHA256_HEX]);

/* Mean and standard deviation of each of the D numbers over all tokens of the rows, summed in
 * double in an order that does not depend on the threads; rows (count ≥ 1), mean and std (D). A
 * constant number (deviation below 1e-6 of its root mean square) gets std 1. AN_ENOMEM. */
an_code an_features_moments(const an_features *f, const int64_t *rows, int64_t count, float *mean,
                            float *std);

/* Like an_features_take(), with each number x of a token normalised to (x − mean) / std; mean and
 * std (D). */
bool an_features_row(const an_features *f, int64_t row, const float *mean, const float *std,
                     float *out);

#endif
