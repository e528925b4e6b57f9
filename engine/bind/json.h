/* json (Lua): Lua values as canonical JSON and back. Equal values give equal bytes, so that a value
 * has a hash.
 *
 * Keys are sorted bytewise, without spaces. Whole numbers up to 2^53 have no point (3.0 is 3);
 * other numbers have 15 digits, or 16 or 17 where reading them back requires it. Infinity is 1e999,
 * NaN is an error. A table with the keys 1 … n is an array; {} is an object unless array{} marks
 * it. The entry 1 of {"ddim", steps = 20} has the key "1", which decoding turns into a number
 * again. Decoding accepts any JSON; null is json.null. Both directions have a limit of 100
 * levels. */
#ifndef AN_BIND_JSON_H
#define AN_BIND_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#define AN_JSON_ARRAY "aniso.JsonArray" /* the metatable that marks a table as an array */
#define AN_JSON_DEEPEST 100
#define AN_JSON_EXACT ((int64_t)1 << 53) /* every integer up to here is a double */

/* Pushes the canonical text of the value at `arg`; raises for a value that JSON cannot express. */
void an_json_encode(lua_State *L, int arg);
/* Pushes the value of a text, named `what` in messages; false after AN_EFORMAT. */
bool an_json_decode(lua_State *L, const char *text, size_t bytes, const char *what);

/* Internal classes, for an_open_json(). */
void an_add_json_text_class(lua_State *L);
void an_add_json_tree_class(lua_State *L);

#endif
