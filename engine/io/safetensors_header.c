/* safetensors_header: the JSON of a header, with the rules of the format that cJSON does not
 * check. */
#include <stdio.h>
#include <string.h>

#include "io/json.h"
#include "io/safetensors.h"
#include "io/safetensors_format.h"

/* True if a string in the JSON text contains an escaped zero character, at which cJSON's strings
 * would end. */
static bool has_zero(const char *text, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++) {
        if (text[i] != '\\')
            continue;
        if (count - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0)
            return true;
        i++; /* the escaped character, which may be a backslash */
    }
    return false;
}

cJSON *an_safetensors_parse(const char *text, size_t count, const char *path)
{
    if (count > 0 && *text != '{')
        return an_fail(AN_EFORMAT, "%s: its header is not a table of tensors: it begins without {",
                       path),
               NULL;
    if (has_zero(text, count))
        return an_fail(AN_EFORMAT, "%s: a name has a zero character (\\u0000)", path), NULL;
    if (an_json_limit(text, count, AN_SAFETENSORS_LEVELS_MAX, AN_SAFETENSORS_VALUES_MAX, path) !=
        AN_OK)
        return NULL;
    return an_json_parse(text, count, path);
}

/* Quadratic in the number of keys; an entry has three. */
an_code an_safetensors_check_keys(const cJSON *entry, const char *path)
{
    static const char *const keys[] = {"dtype", "shape", "data_offsets"};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        int seen = 0;
        const cJSON *item;
        cJSON_ArrayForEach(item, entry)
        {
            seen += item->string && strcmp(item->string, keys[k]) == 0;
        }
        if (seen > 1)
            return an_fail(AN_EFORMAT, "%s: tensor %.80s: its key '%s' is there twice", path,
                           entry->string, keys[k]);
    }
    return AN_OK;
}

void an_safetensors_hash_entry(an_sha256 *hash, const entry *e)
{
    char text[256];
    int n = snprintf(text, sizeof text, "%s", e->dtype);
    for (int d = 0; d < e->ndim; d++)
        n += snprintf(text + n, sizeof text - (size_t)n, " %lld", (long long)e->shape[d]);
    an_sha256_update(hash, e->name, strlen(e->name) + 1);
    an_sha256_update(hash, text, (size_t)n + 1);
}
