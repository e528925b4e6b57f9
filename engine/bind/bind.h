/* bind: conversions and failures for all files of this folder. Only engine/bind and main.c include
 * lua.h.
 *
 * A file binds one class (handle.h) and is named after it, or binds one part of aniso.core without
 * a class. Its order: conversions of arguments, methods, close and text, the tables,
 * an_open_PART(). It converts arguments, calls the engine and pushes the result; policy is in Lua.
 * Errors: a mistake of the caller raises (an_raise, luaL_argerror); a failure of the system or bad
 * content of a file returns nil, message, code name (an_push_failure). */
#ifndef AN_BIND_BIND_H
#define AN_BIND_BIND_H

#include <stdbool.h>
#include <stdint.h>

#include <lauxlib.h>
#include <lua.h>

#include "bind/handle.h"

/* ── failures ──────────────────────────────────────────────────────────────────── */
/* After a failed engine call: raises if the code is AN_EINVAL or AN_ESTOPPED, else pushes nil,
 * message, code name and returns 3. */
int an_push_failure(lua_State *L);
int an_raise(lua_State *L); /* raises the engine's latest failure, whatever its code; AN_ESTOPPED as
                             * errors.interrupt() of lua/aniso/recipe/errors.lua does */

/* ── integers ────────────────────────────────────────────────────────────────────── */
/* The integer at `arg`, in low … high; otherwise raises with `what`, the number and the range.
 * Every integer from Lua that becomes a size, a count, a position or a C int is read by this
 * function or by an_opt_within(); seeds and the coordinates of a stream use all 64 bits. The
 * largest size or count is AN_COUNT_MAX (base/integer.h). */
int64_t an_check_within(lua_State *L, int arg, const char *what, int64_t low, int64_t high);

/* ── fields of the option table at `arg`; nil and none are an empty table ────────────── */
/* Raises for a key that is not in the NULL-terminated list `known`; the message names the key and
 * the list. A table of options is checked by this function first. */
void an_check_keys(lua_State *L, int arg, const char *const known[]);
int64_t an_opt_within(lua_State *L, int arg, const char *key, int64_t otherwise, int64_t low,
                      int64_t high);
double an_opt_num(lua_State *L, int arg, const char *key, double otherwise);
int64_t an_opt_int(lua_State *L, int arg, const char *key, int64_t otherwise);
bool an_opt_bool(lua_State *L, int arg, const char *key, bool otherwise);
/* Valid as long as the table holds the value. */
const char *an_opt_str(lua_State *L, int arg, const char *key, const char *otherwise);
/* The index of the field's value in `names`, which ends with NULL; otherwise raises with the
 * list. */
int an_opt_enum(lua_State *L, int arg, const char *key, const char *const names[], int otherwise);

/* Pushes aniso.core: a table with the table of each part that bind/open.c lists. Returns 1. */
int an_open_core(lua_State *L);

#endif
