/* bind: conversions and failures for all files of this folder. Only engine/bind and main.c include
 * lua.h.
 *
 * A file binds one class (handle.h) and is named as the class, or one part of aniso.core without a
 * class. Its order: conversions of arguments, methods, close and text, the tables, an_open_PART().
 * It converts arguments, calls the engine and pushes the result; policy is in Lua. Errors: a
 * mistake of the caller raises (an_raise, luaL_argerror); what the system or a file's content
 * refuses returns nil, message, code name (an_push_failure). */
#ifndef AN_BIND_BIND_H
#define AN_BIND_BIND_H

#include <lauxlib.h>
#include <lua.h>

#include "bind/handle.h"
#include "tensor/tensor.h"

/* ── failures ──────────────────────────────────────────────────────────────────── */
/* after an engine call failed: raises if the code is AN_EINVAL, else pushes nil, message, code
 * name and returns 3 */
int an_push_failure(lua_State *L);
int an_raise(lua_State *L); /* raises the engine's latest failure, whatever its code */

/* ── tensors ───────────────────────────────────────────────────────────────────── */
#define AN_TENSOR "aniso.Tensor"
an_tensor *an_check_tensor(lua_State *L, int arg);
an_tensor *an_opt_tensor(lua_State *L, int arg); /* nil or none: NULL */
/* Pushes x as a new userdata, which retains it, and reports its size to Lua's collector. NULL:
 * raises the engine's latest failure. Returns 1. */
int an_push_tensor(lua_State *L, an_tensor *x);
/* A list of numbers or a 1-D tensor at `arg`; its length must be n (n < 0: any). The result is a
 * buffer on Lua's stack: it is pushed, and must not be freed. *count [opt] receives the length. */
const float *an_check_floats(lua_State *L, int arg, int64_t n, int64_t *count);
const double *an_check_doubles(lua_State *L, int arg, int64_t n, int64_t *count);
/* A shape as {2, 3} at `first`, or as 2, 3 from `first` on; returns its number of dimensions. */
int64_t an_check_shape(lua_State *L, int first, int64_t shape[AN_MAX_DIMS]);

/* ── fields of an option table at `arg` (already validated by the Lua side) ───────── */
double an_opt_num(lua_State *L, int arg, const char *key, double otherwise);
int64_t an_opt_int(lua_State *L, int arg, const char *key, int64_t otherwise);
bool an_opt_bool(lua_State *L, int arg, const char *key, bool otherwise);
/* Valid as long as the table holds the value. */
const char *an_opt_str(lua_State *L, int arg, const char *key, const char *otherwise);
/* The number of the name in `names`, which ends with NULL; raises with the list of names. */
int an_opt_enum(lua_State *L, int arg, const char *key, const char *const names[], int otherwise);

/* Pushes aniso.core: a table with the table of each part that bind/open.c lists. Returns 1. */
int an_open_core(lua_State *L);

#endif
