/* tensor_arg (Lua): tensors, shapes and lists of numbers as arguments and results of bound
 * functions. The class itself is in bind/tensor.c, its constructors in bind/tensor_make.c. */
#ifndef AN_BIND_TENSOR_ARG_H
#define AN_BIND_TENSOR_ARG_H

#include "bind/bind.h"
#include "tensor/tensor.h"

#define AN_TENSOR "aniso.Tensor"

/* ── arguments; each raises for a value of another kind ──────────────────────────── */
an_tensor *an_check_tensor(lua_State *L, int arg);
an_tensor *an_opt_tensor(lua_State *L, int arg); /* nil or none: NULL */
an_dtype an_check_dtype(lua_State *L, int arg);  /* "float32" (default) or "int64" */
/* A dimension of x, 1 … ndim or −1 … −ndim from the end, as 0 … ndim−1. */
int an_check_dimension(lua_State *L, int arg, const an_tensor *x);
/* A shape as {2, 3} at `first`, or as 2, 3 from `first` on; returns its number of dimensions. */
int64_t an_check_shape(lua_State *L, int first, int64_t shape[AN_MAX_DIMS]);
/* Lists are read without metamethods: a length defined by a script could be any number. */
/* A list of numbers or a 1-D tensor at `arg`; its length must be n (n < 0: any). The result is a
 * buffer on Lua's stack: it is pushed, and must not be freed. *count [opt] receives the length. */
const float *an_check_floats(lua_State *L, int arg, int64_t n, int64_t *count);
const double *an_check_doubles(lua_State *L, int arg, int64_t n, int64_t *count);

/* The list of n finite numbers in the field `key` of the table at `arg`, in a buffer as above;
 * raises for anything else, and for numbers ≤ 0 where they must be positive. unit: the word for one
 * of them in messages. */
const float *an_check_moments(lua_State *L, int arg, const char *key, const char *unit, int64_t n,
                              bool positive);

/* ── results ─────────────────────────────────────────────────────────────────────── */
/* Pushes x as a new userdata, which retains it, and reports its size to Lua's collector. NULL: ends
 * every scope and raises the engine's latest failure. Returns 1. */
int an_push_tensor(lua_State *L, an_tensor *x);
/* Pushes x, as above, and ends the scope begun at `mark`. Returns 1. */
int an_push_result(lua_State *L, size_t mark, an_tensor *x);

#endif
