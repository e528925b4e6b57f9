/* json: parsing through cJSON, with counted memory (base/memory/mem.h) and the engine's errors.
 *
 * Release a tree with cJSON_Delete(). Numbers are doubles. */
#ifndef AN_IO_JSON_H
#define AN_IO_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/err.h"

/* Parses exactly `bytes` bytes; only white space may follow the value. `what` names the text in
 * messages. NULL after AN_EFORMAT, also for more than cJSON's limit of 1000 nested levels, or after
 * AN_ENOMEM. */
cJSON *an_json_parse(const char *text, size_t bytes, const char *what);
/* Counts before anything is parsed, because a value of one byte takes about a hundred once parsed:
 * AN_EFORMAT for more than `values` values (names of members not counted) or more than `depth`
 * nested levels. Text that is not JSON is not an error here. */
an_code an_json_limit(const char *text, size_t bytes, int depth, int64_t values, const char *what);
cJSON *an_json_object(void); /* a new empty object; NULL after AN_ENOMEM */

/* True if `item` is a whole number in 0 … limit; *value receives it. limit ≤ 2^53. NULL: false. */
bool an_json_count(const cJSON *item, int64_t limit, int64_t *value);

#endif
