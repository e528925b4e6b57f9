/* tensor (Lua): what the files of the Tensor class share. */
#ifndef AN_BIND_TENSOR_H
#define AN_BIND_TENSOR_H

#include "bind/bind.h"

an_dtype an_check_dtype(lua_State *L, int arg); /* "float32" (default) or "int64" */
/* 1-based or negative → 0-based */
int an_check_dimension(lua_State *L, int arg, const an_tensor *x);
/* Pushes x (raising if it is NULL) and ends the scope begun at `mark`. Returns 1. */
int an_push_result(lua_State *L, size_t mark, an_tensor *x);
/* Pushes aniso.core.tensor's table of makers. */
void an_push_tensor_makers(lua_State *L);

#endif
