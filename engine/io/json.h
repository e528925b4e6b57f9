/* json: cJSON in the engine's manners: counted memory, length-limited text, a clear line.
 *
 * The tree is released with cJSON_Delete(). Numbers are doubles. */
#ifndef AN_IO_JSON_H
#define AN_IO_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "base/err.h"

/* Parses exactly `bytes` bytes; only white space may follow the value. `what` names the
 * text in messages. NULL after AN_EFORMAT. Nesting is limited (1000, by cJSON). */
cJSON *an_json_parse(const char *text, size_t bytes, const char *what);
cJSON *an_json_object(void); /* a new empty object; NULL after AN_ENOMEM */

/* True if `item` is a whole number in 0 … limit (limit ≤ 2^53). */
bool an_json_count(const cJSON *item, int64_t limit, int64_t *value);

#endif
