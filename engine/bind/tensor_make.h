/* tensor_make (Lua): the constructors of tensors. */
#ifndef AN_BIND_TENSOR_MAKE_H
#define AN_BIND_TENSOR_MAKE_H

#include <lua.h>

/* Pushes the table aniso.core.tensor: zeros, full, arange, randn, rand, from, one_hot, trim. */
void an_push_tensor_makers(lua_State *L);

#endif
