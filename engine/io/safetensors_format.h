/* safetensors_format: declarations shared by the files safetensors*.c, and private to them. */
#ifndef AN_IO_SAFETENSORS_FORMAT_H
#define AN_IO_SAFETENSORS_FORMAT_H

#include <cjson/cJSON.h>

#include "io/sha256.h"
#include "tensor/tensor.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors are little-endian");

#define AN_SAFETENSORS_META "__metadata__"

typedef struct entry {
    const char *name;  /* owned by the header's JSON, or by the caller     */
    const char *dtype; /* "F32", "I64", "F16" …                            */
    int ndim;
    int64_t shape[AN_MAX_DIMS];
    int64_t begin, end; /* bytes from the start of the data                 */
} entry;

/* Adds the name, type and shape of a tensor to the content hash; its bytes come next. */
void an_safetensors_hash_entry(an_sha256 *hash, const entry *e);

/* The JSON tree of a header's text; NULL after AN_EFORMAT: not JSON, does not begin with {, or
 * contains a zero character. */
cJSON *an_safetensors_parse(const char *text, size_t count, const char *path);

/* AN_EFORMAT if the entry contains a key twice; cJSON would use the first. */
an_code an_safetensors_check_keys(const cJSON *entry, const char *path);

#endif
