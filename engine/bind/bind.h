/* bind: what every userdata file shares. Only engine/bind and main.c see lua.h.
 *
 * A userdata file reads: check, methods, metamethods, the luaL_Reg tables, an_open_NAME.
 * It converts arguments, calls the engine, pushes the result; it decides nothing.
 * Errors: the caller's mistake raises (an_raise, luaL_argerror); the world's refusal
 * returns nil, message, code name (an_push_failure). */
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
/* Pushes x as a new userdata (retains it) and tells Lua's collector its size.
 * NULL: raises the engine's latest failure. Returns 1. */
int an_push_tensor(lua_State *L, an_tensor *x);
/* A table of numbers (1-based list), or a 1-D tensor, as floats/int64; the count must be `n` (n <
 * 0: any). The result is a Lua-owned buffer pushed on the stack (do not free). `*count` [opt]
 * receives the length. */
const float *an_check_floats(lua_State *L, int arg, int64_t n, int64_t *count);
const double *an_check_doubles(lua_State *L, int arg, int64_t n, int64_t *count);
/* {2,3} or 2, 3 from argument `first`; returns ndim */
int64_t an_check_shape(lua_State *L, int first, int64_t shape[AN_MAX_DIMS]);

/* ── fields of an option table at `arg` (already validated by the Lua side) ───────── */
double an_opt_num(lua_State *L, int arg, const char *key, double otherwise);
int64_t an_opt_int(lua_State *L, int arg, const char *key, int64_t otherwise);
bool an_opt_bool(lua_State *L, int arg, const char *key, bool otherwise);
/* lives as long as the table's value */
const char *an_opt_str(lua_State *L, int arg, const char *key, const char *otherwise);
/* raises with the list of names */
int an_opt_enum(lua_State *L, int arg, const char *key, const char *const names[], int otherwise);

/* One per userdata file: pushes the table of constructors that aniso.core.NAME becomes.
 * bind/open.c lists them all: add a line there. */
int an_open_core(lua_State *L);

#endif
