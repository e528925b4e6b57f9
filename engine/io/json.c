/* json: see json.h. */
#include "io/json.h"

#include <string.h>

#include "base/assert.h"
#include "base/memory/mem.h"

/* cJSON returns the same for wrong text and for a failed allocation. */
static _Thread_local bool is_out_of_memory;

static void *allocate(size_t bytes)
{
    void *block = an_alloc(bytes);
    is_out_of_memory = is_out_of_memory || !block;
    return block;
}

static void use_counted_memory(void)
{
    cJSON_Hooks hooks = {.malloc_fn = allocate, .free_fn = an_free};
    cJSON_InitHooks(&hooks);
    is_out_of_memory = false;
}

cJSON *an_json_parse(const char *text, size_t bytes, const char *what)
{
    AN_ASSERT(text && what);
    use_counted_memory();
    const char *end = NULL;
    cJSON *tree = bytes ? cJSON_ParseWithLengthOpts(text, bytes, &end, 0) : NULL;
    if (!tree && is_out_of_memory)
        return NULL;
    if (!tree)
        return an_fail(AN_EFORMAT, "%s is not JSON (near byte %zu)", what,
                       end ? (size_t)(end - text) : 0),
               NULL;
    size_t used = (size_t)(end - text);
    while (used < bytes && strchr(" \t\r\n", text[used]) && text[used])
        used++;
    if (used == bytes)
        return tree;
    cJSON_Delete(tree);
    return an_fail(AN_EFORMAT, "%s has extra text after its JSON value (byte %zu)", what, used),
           NULL;
}

/* Every comma and every opening bracket begins at most one value. */
an_code an_json_limit(const char *text, size_t bytes, int depth, int64_t values, const char *what)
{
    AN_ASSERT(text && what && depth >= 0 && values >= 1);
    int64_t found = 1, levels = 0;
    bool in_text = false;
    for (size_t i = 0; i < bytes; i++) {
        char c = text[i];
        if (in_text && c == '\\')
            i++;
        else if (c == '"')
            in_text = !in_text;
        else if (!in_text && (c == ',' || c == '[' || c == '{'))
            found++, levels += c != ',';
        else if (!in_text && (c == ']' || c == '}'))
            levels--;
        if (levels > depth)
            return an_fail(AN_EFORMAT, "%s nests more than %d levels (byte %zu)", what, depth, i);
        if (found > values)
            return an_fail(AN_EFORMAT, "%s has more than %lld values (byte %zu)", what,
                           (long long)values, i);
    }
    return AN_OK;
}

cJSON *an_json_object(void)
{
    use_counted_memory();
    cJSON *object = cJSON_CreateObject();
    if (!object)
        an_fail(AN_ENOMEM, "no memory for a JSON object");
    return object;
}

bool an_json_count(const cJSON *item, int64_t limit, int64_t *value)
{
    AN_ASSERT(limit >= 0 && limit <= (int64_t)1 << 53);
    if (!cJSON_IsNumber(item))
        return false;
    double d = item->valuedouble;
    if (!(d >= 0 && d <= (double)limit))
        return false;
    *value = (int64_t)d;
    return (double)*value == d;
}
